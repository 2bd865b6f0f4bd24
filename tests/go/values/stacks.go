package main

import (
	"os"
	"runtime/debug"
	"strings"
	"unsafe"
)

// stack is a chain of return addresses, and Go's own words for it.
type stack struct {
	Name string   `json:"stack"`
	Pcs  []uint64 `json:"pcs"`
	Text string   `json:"text"`
}

var found stack

// stacks has a panic of the program, one of the runtime, and two that began with a signal, each seen by the function that
// recovers it.
func stacks() []stack {
	var all []stack
	for _, raise := range []struct {
		name  string
		raise func(int)
	}{
		{"panic", raises},
		{"index", indexes},
		{"signal", faultsInlined},
		{"signal in a leaf", faultsInLeaf},
	} {
		call(raise.raise)
		found.Name = raise.name
		all = append(all, found)
	}
	return all
}

//go:noinline
func call(raise func(int)) {
	defer look()
	raise(len(os.Args) + 4)
}

func look() {
	if recover() != nil {
		// One line for both, so that the first frame is the same place.
		pcs, text := walk(0), string(debug.Stack())
		_, text, _ = strings.Cut(text, "main.look(")
		found = stack{Pcs: pcs, Text: "main.look(" + text}
	}
}

//go:noinline
func raises(n int) { inner(n) }

func inner(n int) { innermost(n + 1) }

func innermost(n int) {
	if n > 0 {
		panic("raised")
	}
}

//go:noinline
func indexes(n int) { sink += make([]int, 3)[n] }

//go:noinline
func faultsInlined(n int) {
	load(n, nil)
	_ = walk(0)
}

// faultsInLeaf calls nothing, so that it need not keep a frame pointer.
//
//go:noinline
func faultsInLeaf(n int) { load(n, nil) }

// load is inlined and its first line is not that of the fault.
func load(n int, c *custom) {
	sink += n
	sink += c.Code
}

var sink int

// walk follows the frame pointers, from the caller outwards. The address of its argument, which the caller keeps a place
// for just above the return address, says where to begin.
//
//go:noinline
func walk(anchor uintptr) []uint64 {
	var pcs [64]uint64
	at := uintptr(unsafe.Pointer(&anchor)) - 8
	n := 0
	for at != 8 && n < len(pcs) {
		pcs[n] = uint64(word(at))
		n++
		at = word(at-8) + 8
	}
	return append([]uint64(nil), pcs[:n]...)
}

func word(at uintptr) uintptr { return *(*uintptr)(*(*unsafe.Pointer)(unsafe.Pointer(&at))) }
