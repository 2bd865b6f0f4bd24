package main

import "sync"

// loopChannels defers a builtin: the wrapper calls the runtime.
//
//go:noinline
func loopChannels(channels []chan int) {
	for _, c := range channels {
		defer close(c)
	}
	hold(len(channels))
}

// loopValues defers a function value with an argument.
//
//go:noinline
func loopValues(functions []func(int)) {
	for i, f := range functions {
		defer f(i)
	}
	hold(len(functions))
}

// loopMethodValues defers a method value, itself a wrapper without a name in
// the source.
//
//go:noinline
func loopMethodValues(locks []*sync.Mutex) {
	for _, mu := range locks {
		mu.Lock()
		f := mu.Unlock
		defer f()
	}
	hold(len(locks))
}

// pool has its lock by embedding.
type pool struct {
	name string
	*sync.RWMutex
}

// loopEmbedded defers a method that is promoted from an embedded field.
//
//go:noinline
func loopEmbedded(pools []*pool) {
	for _, p := range pools {
		p.RLock()
		defer p.RUnlock()
	}
	hold(len(pools))
}

// callees keeps all of the above in the program.
func callees(n int) {
	loopChannels([]chan int{make(chan int)})
	loopValues([]func(int){hold})
	loopMethodValues([]*sync.Mutex{{}})
	loopEmbedded([]*pool{{"a", &sync.RWMutex{}}})
	hold(n)
}
