package main

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// meter gives the faulty functions their turns and counts what they defer.
type meter struct {
	turns chan struct{}
	// unfinished counts turns that were given and have not deferred yet.
	unfinished sync.WaitGroup

	// around counts a deferred call just before its statement, pending just
	// after it: what is truly pending lies between the two.
	around  atomic.Int64
	pending atomic.Int64
	site    atomic.Pointer[site]

	path string // of a file to open
	last atomic.Pointer[os.File]
	// quota is how many files may still be opened.
	quota atomic.Int64
}

// site is where the faulty statement stands.
type site struct {
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
}

// turn waits for the next turn and says whether there is one.
func (m *meter) turn() bool {
	_, more := <-m.turns
	return more
}

// all is turn for a range-over-func loop.
func (m *meter) all(yield func() bool) {
	for m.turn() && yield() {
	}
}

// aboutToDefer counts the deferred call that the caller's next line makes, and
// remembers that line. It is not inlined, so that the caller stays the caller.
//
//go:noinline
func (m *meter) aboutToDefer() {
	m.around.Add(1)
	if m.site.Load() != nil {
		return
	}
	pc, file, line, _ := runtime.Caller(1)
	// The body of a range-over-func loop is a function of its own to the
	// compiler, and none to whoever wrote it.
	function, _, _ := strings.Cut(runtime.FuncForPC(pc).Name(), "-range")
	m.site.Store(&site{function, file, line + 1})
}

// deferred ends the turn.
func (m *meter) deferred() {
	m.pending.Add(1)
	m.unfinished.Done()
}

// open opens a file. Once the quota is used up it hands out the last one again,
// so that the leak can go on without running out of descriptors.
func (m *meter) open() *os.File {
	if m.quota.Load() > 0 {
		if file, err := os.Open(m.path); err == nil {
			m.quota.Add(-1)
			m.last.Store(file)
		}
	}
	return m.last.Load()
}
