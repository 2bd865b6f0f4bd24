package main

import (
	"bytes"
	"reflect"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

// The kinds of defer, named as a watcher reports them.
const (
	heap   = "heap"
	stack  = "stack"
	open   = "open_coded"
	ranges = "rangefunc"
)

// site is one defer statement and what is pending there.
type site struct {
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	// LoopLine is the line of the range-over-func loop around the statement, 0
	// for the other kinds. One record of the runtime's names it, and is not the site.
	LoopLine int `json:"loop_line,omitempty"`
	// Callee is empty if it cannot be known from outside, as for an interface.
	Callee     string `json:"callee,omitempty"`
	Kind       string `json:"kind"`
	Pending    int    `json:"pending"`
	Goroutines int    `json:"goroutines"`
	// MaxChain is the most calls of this site pending in one goroutine.
	MaxChain int `json:"max_chain"`
	// LongestChain is the length of the longest list of defer records, of
	// whatever site, in a goroutine that holds this one; a range-over-func loop
	// adds one record to it, open-coded defers none.
	LongestChain int `json:"longest_chain"`
}

// book is the account of all goroutines.
type book struct {
	release chan struct{}
	parked  sync.WaitGroup
	ended   sync.WaitGroup

	mu   sync.Mutex
	held map[uintptr]*site // by the address of the call to next
	ran  map[string]int    // deferred calls that ran, by function
}

func newBook() *book {
	return &book{
		release: make(chan struct{}),
		held:    make(map[uintptr]*site),
		ran:     make(map[string]int),
	}
}

// start runs the scenarios, or only one, and returns once each of their
// goroutines has entered what it holds. It returns the number of scenarios run.
func (b *book) start(all []scenario, only string) int {
	started := 0
	for _, s := range all {
		if only != "" && only != s.name {
			continue
		}
		started++
		for i := 0; i < s.goroutines; i++ {
			b.parked.Add(1)
			b.ended.Add(1)
			go s.run(&holder{book: b, held: make(map[uintptr]*site)}, s.size)
		}
	}
	b.parked.Wait()
	return started
}

// waitUntilParked returns once every other goroutine waits. The trace of all
// goroutines stops the world, so it shows them at one instant.
func (b *book) waitUntilParked() {
	trace := make([]byte, 1<<20)
	for {
		n := runtime.Stack(trace, true)
		if n == len(trace) {
			trace = make([]byte, 2*len(trace))
			continue
		}
		// The first goroutine of the trace is this one.
		_, others, _ := bytes.Cut(trace[:n], []byte("\n\ngoroutine "))
		if !bytes.Contains(others, []byte(" [runn")) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// sites returns what is held, by file and line.
func (b *book) sites() []site {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]site, 0, len(b.held))
	for _, s := range b.held {
		all = append(all, *s)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].File != all[j].File {
			return all[i].File < all[j].File
		}
		return all[i].Line < all[j].Line
	})
	return all
}

// holder is the account of one goroutine.
type holder struct {
	book     *book
	held     map[uintptr]*site
	loopLine int
	chain    int
}

// next enters the deferred call that the caller's next line registers. callee
// is the function it will run, "" if that cannot be known from outside.
//
//go:noinline
func (h *holder) next(kind, callee string) {
	var pcs [1]uintptr
	runtime.Callers(2, pcs[:])
	s := h.held[pcs[0]]
	if s == nil {
		frame, _ := runtime.CallersFrames(pcs[:]).Next()
		// The body of a range-over-func loop is a function of its own to the
		// compiler, named FUNCTION-rangeN; the statement is the outer one's.
		function, _, _ := strings.Cut(frame.Function, "-range")
		s = &site{Function: function, File: frame.File, Line: frame.Line + 1, LoopLine: h.loopLine, Callee: callee, Kind: kind}
		h.held[pcs[0]] = s
	}
	s.Pending++
	if kind == heap || kind == stack {
		h.chain++
	}
}

// loop says that the caller's next line is a range-over-func loop.
//
//go:noinline
func (h *holder) loop() {
	_, _, line, _ := runtime.Caller(1)
	h.loopLine = line + 1
	h.chain++
}

// park hands the account over to the book and waits for the release.
func (h *holder) park() {
	h.handOver()
	h.book.parked.Done()
	<-h.book.release
	h.book.ended.Done()
}

func (h *holder) handOver() {
	b := h.book
	b.mu.Lock()
	defer b.mu.Unlock()
	for pc, mine := range h.held {
		s := b.held[pc]
		if s == nil {
			s = &site{Function: mine.Function, File: mine.File, Line: mine.Line, LoopLine: mine.LoopLine, Callee: mine.Callee, Kind: mine.Kind}
			b.held[pc] = s
		}
		s.Pending += mine.Pending
		s.Goroutines++
		s.MaxChain = larger(s.MaxChain, mine.Pending)
		s.LongestChain = larger(s.LongestChain, h.chain)
	}
}

// ran is called by the deferred functions of this program.
//
//go:noinline
func (h *holder) ran() {
	pc, _, _, _ := runtime.Caller(1)
	h.book.mu.Lock()
	defer h.book.mu.Unlock()
	h.book.ran[runtime.FuncForPC(pc).Name()]++
}

// nameOf returns the full name of a function.
func nameOf(function any) string {
	return runtime.FuncForPC(reflect.ValueOf(function).Pointer()).Name()
}

func larger(a, b int) int {
	if a > b {
		return a
	}
	return b
}
