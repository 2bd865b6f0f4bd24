package main

import (
	"io"
	"os"
	"sync"
)

// A defer statement in a loop gets a record on the heap, one for each turn.

func heapClosure(h *holder, n int) {
	for i := 0; i < n; i++ {
		h.next(heap, "main.heapClosure.func1")
		defer func() { h.ran() }()
	}
	h.park()
}

// heapMethod defers a method of another package, which the compiler may inline
// into the wrapper that it makes.
func heapMethod(h *holder, n int) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		panic(err)
	}
	for i := 0; i < n; i++ {
		h.next(heap, nameOf((*os.File).Close))
		defer file.Close()
	}
	h.park()
}

func heapUnlock(h *holder, n int) {
	locks := make([]sync.Mutex, n)
	for i := range locks {
		locks[i].Lock()
		h.next(heap, nameOf((*sync.Mutex).Unlock))
		defer locks[i].Unlock()
	}
	h.park()
}

func heapArguments(h *holder, n int) {
	for i := 0; i < n; i++ {
		h.next(heap, nameOf(record))
		defer record(h, i)
	}
	h.park()
}

// heapFunction defers a function without arguments: there is no wrapper.
func heapFunction(h *holder, n int) {
	for i := 0; i < n; i++ {
		h.next(heap, nameOf(plain))
		defer plain()
	}
	h.park()
}

// heapInterface defers a method that is looked up when it runs.
func heapInterface(h *holder, n int) {
	for i := 0; i < n; i++ {
		var closer io.Closer = &closing{h}
		h.next(heap, "")
		defer closer.Close()
	}
	h.park()
}

func heapGeneric[T any](h *holder, n int) {
	values := make([]T, n)
	for range values {
		h.next(heap, nameOf(record))
		defer record(h, n)
	}
	h.park()
}

// heapNested defers in a function literal inside a function literal.
func heapNested(h *holder, n int) {
	go func() {
		func() {
			for i := 0; i < n; i++ {
				h.next(heap, nameOf(record))
				defer record(h, i)
			}
			h.park()
		}()
	}()
}

// heapBlocked parks inside its first deferred call to run, which is no longer
// pending; those registered before it are.
func heapBlocked(h *holder, n int) {
	for i := 0; i < n; i++ {
		h.next(heap, nameOf(record))
		defer record(h, i)
	}
	defer h.park()
}

// heapPanicking parks inside a deferred call that a panic runs. Go 1.21 keeps
// the record of that call in the list, marked as started: it is not pending.
func heapPanicking(h *holder, n int) {
	h.next(stack, "main.heapPanicking.func1")
	defer func() {
		_ = recover()
		h.ran()
	}()
	for i := 0; i < n; i++ {
		h.next(heap, nameOf(record))
		defer record(h, i)
	}
	defer h.park()
	panic("matrix: on purpose")
}

// twoSites has a chain of two functions' records.
func twoSites(h *holder, n int) {
	for i := 0; i < 3; i++ {
		h.next(heap, nameOf(record))
		defer record(h, i)
	}
	inner(h, n)
}

//go:noinline
func inner(h *holder, n int) {
	for i := 0; i < n; i++ {
		h.next(heap, nameOf(record))
		defer record(h, i)
	}
	h.park()
}

// record is a deferred call with arguments.
//
//go:noinline
func record(h *holder, _ int) { h.ran() }

//go:noinline
func plain() {}

// closing counts its close.
type closing struct{ h *holder }

func (c *closing) Close() error {
	c.h.ran()
	return nil
}
