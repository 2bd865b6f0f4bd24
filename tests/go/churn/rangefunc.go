//go:build go1.23

package main

import (
	"iter"
	"math/rand"
)

func rangeKinds() []*kind {
	return []*kind{{name: "rangefunc", work: rangeFunc}, {name: "coroutine", work: coroutine}}
}

//go:noinline
func upTo(count int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < count; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// rangeFunc defers in the body of a range over a function; the calls are run
// when the function around it returns, or a panic leaves it.
func rangeFunc(chance *rand.Rand) {
	count := 1 + chance.Intn(100)
	raise := chance.Intn(2) == 0
	j := journal{next: count}
	value := catch(func() { inBody(&j, count, raise) })
	expect("a panic out of a range over a function", value == any("out of the body"), raise)
	expect("calls left of a range over a function", j.next, 0)
	expect("the sum of a range over a function", j.sum, count*(count-1)/2)
}

//go:noinline
func inBody(j *journal, count int, raise bool) {
	for i := range upTo(count) {
		defer j.takes(i)
		if raise && i == count-1 {
			panic("out of the body")
		}
	}
}

// coroutine defers on both sides of a switch without the scheduler.
func coroutine(chance *rand.Rand) {
	count := 2 + chance.Intn(20)
	j := journal{next: count}
	next, stop := iter.Pull(func(yield func(int) bool) {
		for i := 0; i < count; i++ {
			defer j.takes(i)
			if !yield(i) {
				return
			}
		}
	})
	for i := 0; i < count; i++ {
		number, more := next()
		expect("a number of a coroutine", number, i)
		expect("a coroutine goes on", more, true)
	}
	stop()
	expect("the sum of a coroutine", j.sum, count*(count-1)/2)

	// A panic comes out where the next number is asked for.
	next, stop = iter.Pull(func(yield func(int) bool) { panic(count) })
	expect("a panic out of a coroutine", catch(func() { next() }), any(count))
	stop()
}
