package main

import (
	"sync/atomic"
	"time"
)

var (
	leakBegun, leakDone atomic.Int64
	paused              atomic.Bool
	standing            atomic.Bool
)

// leak registers defers until it is paused, for ever.
//
//go:noinline
func leak() {
	for i := 0; ; i++ {
		for paused.Load() {
			standing.Store(true)
			time.Sleep(time.Millisecond)
		}
		leakBegun.Add(1)
		defer use(i)
		leakDone.Add(1)
		if i%16 == 0 {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// setPaused returns when the leak stands still, or runs again.
func setPaused(on bool) {
	standing.Store(false)
	paused.Store(on)
	for on && leakBegun.Load() > 0 && !standing.Load() {
		time.Sleep(time.Millisecond)
	}
}

// churn registers twenty defers, sleeps, and lets them run, for ever. It allocates nothing, for that could start a
// collection and make it wait for it, with fewer pending.
//
//go:noinline
func churn() {
	for {
		churnOnce()
	}
}

//go:noinline
func churnOnce() {
	for i := 0; i < 20; i++ {
		defer nothing()
	}
	time.Sleep(time.Millisecond)
}

// spin registers and runs defers without ever waiting.
//
//go:noinline
func spin() {
	for {
		spinOnce()
	}
}

//go:noinline
func spinOnce() {
	for i := 0; i < 1000; i++ {
		defer nothing()
	}
}
