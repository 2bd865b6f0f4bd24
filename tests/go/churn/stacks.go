package main

import (
	"math/rand"
	"runtime"
	"sync"
	"time"
)

// frame is what makes a stack large: half a kilobyte.
type frame [64]uint64

func (f *frame) fill(seed uint64) {
	for i := range f {
		f[i] = seed + uint64(i)
	}
}

func (f *frame) check(seed uint64) {
	for i := range f {
		expect("a word of a frame", f[i], seed+uint64(i))
	}
}

// descent is one way down and up again.
type descent struct {
	// What the lowest frame does.
	bottom func()
	// Deferred calls that were run.
	calls int
}

// down is a frame that others below write to, by deferred calls with pointers
// into it. When its stack is moved, these pointers move with it.
//
//go:noinline
func (d *descent) down(depth int, above *uint64, seed uint64) {
	var mine uint64
	var full frame
	full.fill(seed)
	// Run last: also while a panic passes.
	defer func() {
		full.check(seed)
		if depth > 0 {
			expect("what the frame below wrote", mine, seed+1)
		}
		d.calls++
		*above = seed
	}()
	switch {
	case depth == 0:
		d.bottom()
	case depth%2 == 0:
		d.down(depth-1, &mine, seed+1)
	default:
		d.nine(depth-1, &mine, seed+1)
	}
}

// nine is another, with records in the frame itself.
//
//go:noinline
func (d *descent) nine(depth int, above *uint64, seed uint64) {
	var mine uint64
	defer func() {
		if depth > 0 {
			expect("what the frame below wrote", mine, seed+1)
		}
		d.calls++
	}()
	defer add(above, 1, seed)
	defer add(above, 2, seed)
	defer add(above, 3, seed)
	defer add(above, 4, seed)
	defer add(above, 5, seed)
	defer add(above, 6, seed)
	defer add(above, 7, seed)
	defer set(above, 7)
	if depth == 0 {
		d.bottom()
		return
	}
	d.down(depth-1, &mine, seed+1)
}

func set(to *uint64, value uint64) { *to = value }

// add steps down to 1, and then to the seed.
func add(to *uint64, step, seed uint64) {
	expect("a step of a frame", *to, step)
	if step == 1 {
		*to = seed
		return
	}
	*to = step - 1
}

// inNewStack runs f in a goroutine whose stack is small.
func inNewStack(what string, f func()) {
	var busy sync.WaitGroup
	busy.Add(1)
	go func() {
		defer busy.Done()
		f()
	}()
	within(&busy, what)
}

// grow descends in a new, small stack, which is moved several times on the way;
// every other time it comes back by a panic.
func grow(chance *rand.Rand) {
	depth, seed := 1+chance.Intn(400), chance.Uint64()>>1
	raise := chance.Intn(2) == 0
	inNewStack("a descent", func() {
		d := descent{bottom: func() {
			if raise {
				panic(seed)
			}
		}}
		var top uint64
		value := catch(func() { d.down(depth, &top, seed) })
		if raise {
			expect("what comes up", value, any(seed))
		} else {
			expect("what comes up", value, nil)
		}
		expect("what the highest frame wrote", top, seed)
		expect("deferred calls", d.calls, depth+1)
	})
}

// shrink has deferred calls pending in a few frames while its stack, which a
// descent has made large, is made small again by the collector.
func shrink(chance *rand.Rand) {
	depth, few, seed := 200+chance.Intn(400), 1+chance.Intn(8), chance.Uint64()>>1
	inNewStack("a shrinking stack", func() {
		deep, shallow := descent{bottom: func() {}}, descent{}
		var top, inner uint64
		shallow.bottom = func() {
			deep.down(depth, &inner, seed)
			runtime.GC()
			expect("what the deep descent wrote", inner, seed)
			panic("after it was moved")
		}
		expect("what comes up", catch(func() { shallow.down(few, &top, seed) }), any("after it was moved"))
		expect("what the highest frame wrote", top, seed)
		expect("deferred calls", deep.calls+shallow.calls, depth+few+2)
	})
}

// collect keeps the collector running, which scans stacks and shrinks them.
func collect(chance *rand.Rand) {
	runtime.GC()
	time.Sleep(time.Duration(chance.Intn(4)) * time.Millisecond)
}
