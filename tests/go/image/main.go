// Command image holds one of each shape of defer that the compiler knows.
// The tests of the image module read its executable; they never run it.
package main

import (
	"context"
	"io"
	"os"
	"sync"
)

// sink keeps results alive, so that nothing below is optimised away.
var sink int

// hold is a call the compiler cannot see through.
//
//go:noinline
func hold(n int) { sink += n }

// loopDefer registers with runtime.deferproc: the record is on the heap.
//
//go:noinline
func loopDefer(n int) {
	for i := 0; i < n; i++ {
		defer hold(i)
	}
	hold(n)
}

// loopFiles is the classic leak: every file stays open until the end.
//
//go:noinline
func loopFiles(names []string) error {
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
	}
	hold(len(names))
	return nil
}

// loopLocks defers a method that is small enough to be inlined.
//
//go:noinline
func loopLocks(locks []*sync.Mutex) {
	for _, mu := range locks {
		mu.Lock()
		defer mu.Unlock()
	}
	hold(len(locks))
}

// loopClosers defers through an interface: the callee is known at run time only.
//
//go:noinline
func loopClosers(closers []io.Closer) {
	for _, c := range closers {
		defer c.Close()
	}
	hold(len(closers))
}

// stackDefer has more than eight defers outside a loop, which the compiler
// does not open-code: runtime.deferprocStack, the record is in the frame.
//
//go:noinline
func stackDefer(n int) {
	defer hold(n + 1)
	defer hold(n + 2)
	defer hold(n + 3)
	defer hold(n + 4)
	defer hold(n + 5)
	defer hold(n + 6)
	defer hold(n + 7)
	defer hold(n + 8)
	defer hold(n + 9)
	hold(n)
}

// openCoded has two conditional defers: no record at all, only a bit each.
//
//go:noinline
func openCoded(f *os.File, mu *sync.Mutex, n int) {
	if n > 1 {
		defer f.Close()
	}
	if n > 2 {
		mu.Lock()
		defer mu.Unlock()
	}
	hold(n)
}

// closures defers a function literal, which is its own callee.
//
//go:noinline
func closures(n int) {
	for i := 0; i < n; i++ {
		i := i
		defer func() {
			hold(i)
			hold(n)
		}()
	}
	hold(n)
}

// cancelled defers a function value without arguments: no wrapper is made.
//
//go:noinline
func cancelled(n int) {
	for i := 0; i < n; i++ {
		_, cancel := context.WithCancel(context.Background())
		defer cancel()
	}
	hold(n)
}

// done is inlined into whoever defers it; what it calls is not.
func done(n int) { hold(n * 3) }

// inlinedCallee defers a function that is inlined into its wrapper.
//
//go:noinline
func inlinedCallee(n int) {
	for i := 0; i < n; i++ {
		defer done(i)
	}
	hold(n)
}

// registers is inlined into inlinedSite, but its call sites keep its name.
func registers(n int) { outer(n) }

func outer(n int) { inner(n + 1) }

func inner(n int) { hold(n + 2) }

// inlinedSite is three inlined frames deep at the call of hold.
//
//go:noinline
func inlinedSite(n int) { registers(n) }

// generic is instantiated twice; both share one name in the function table.
//
//go:noinline
func generic[T int | string](values []T) {
	for range values {
		defer keep(values)
	}
	hold(len(values))
}

//go:noinline
func keep[T int | string](values []T) { sink += len(values) }

// parks waits for a message that never comes.
//
//go:noinline
func parks(c chan int) {
	defer hold(<-c)
	hold(<-c)
}

func main() {
	c := make(chan int)
	go parks(c)
	n := len(os.Args)
	loopDefer(n)
	_ = loopFiles(os.Args[1:])
	loopLocks([]*sync.Mutex{{}, {}})
	loopClosers([]io.Closer{os.Stdin})
	stackDefer(n)
	openCoded(os.Stdin, &sync.Mutex{}, n)
	closures(n)
	cancelled(n)
	inlinedCallee(n)
	inlinedSite(n)
	generic([]int{1})
	generic([]string{"a"})
	rangeFunc(n)
	foreign(n)
	callees(n)
	println(sink)
}
