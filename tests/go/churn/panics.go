package main

import (
	"errors"
	"math/rand"
	"runtime"
	"strings"
)

// catch returns what f panics with.
//
//go:noinline
func catch(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

// refusal is a panic's value of several words.
type refusal struct {
	code  int
	why   string
	inner error
}

func (r refusal) Error() string { return r.why }

var errInner = errors.New("inner")

// recovered raises values of every shape through some frames with deferred
// calls, and compares what arrives.
func recovered(chance *rand.Rand) {
	number := chance.Intn(1 << 30)
	values := [...]any{number, "text", errInner, refusal{number, "refused", errInner}, &refusal{code: number}, float64(number), [3]int{1, 2, number}}
	value := values[chance.Intn(len(values))]
	frames := 1 + chance.Intn(20)
	j := journal{next: frames}
	expect("what recover returns", catch(func() { through(&j, 0, frames, value) }), value)
	expect("frames without their deferred call", j.next, 0)
	expect("no panic", catch(func() {}), nil)
}

// through panics below so many frames.
//
//go:noinline
func through(j *journal, frame, frames int, value any) {
	if frame == frames {
		panic(value)
	}
	if frame%2 == 0 {
		// In a record; the others are open-coded.
		for i := 0; i < 1; i++ {
			defer j.takes(frame)
		}
	} else {
		defer j.takes(frame)
	}
	through(j, frame+1, frames, value)
}

// replaced raises panics in deferred calls of panics: in the place of the first,
// or after having recovered it, with the same value or another.
func replaced(chance *rand.Rand) {
	first, second := chance.Intn(1000), "second"
	order := make([]string, 0, 4)
	note := func(what string) { order = append(order, what) }

	expect("in the place of the first", catch(func() {
		defer func() {
			note("replaces")
			panic(second)
		}()
		panic(first)
	}), any(second))
	expect("raised again", catch(func() {
		defer func() {
			value := recover()
			note("recovers")
			expect("what is raised again", value, any(first))
			panic(value)
		}()
		panic(first)
	}), any(first))
	expect("another is raised", catch(func() {
		defer func() {
			expect("what is recovered first", recover(), any(first))
			panic(second)
		}()
		panic(first)
	}), any(second))
	// One panic runs to its end inside a deferred call of the other.
	expect("the outer one", catch(func() {
		defer func() {
			expect("the inner one", catch(func() { panic(second) }), any(second))
			note("inside")
		}()
		panic(first)
	}), any(first))
	expect("the order of deferred calls", strings.Join(order, " "), "replaces recovers inside")
}

// faults are panics of the runtime itself; one of them begins as a signal.
func faults(chance *rand.Rand) {
	index := 4 + chance.Intn(100)
	var none *refusal
	var table map[string]int
	var value any = "text"
	small := make([]int, 4)
	for _, fault := range []struct {
		f    func()
		says string
	}{
		{func() { small[index]++ }, "index out of range"},
		{func() { none.code = index }, "nil pointer dereference"},
		{func() { table["a"] = index }, "assignment to entry in nil map"},
		{func() { _ = value.(int) }, "interface conversion"},
		{func() { index /= len(small) - 4 }, "divide by zero"},
	} {
		raised, is := catch(fault.f).(runtime.Error)
		if !is || !strings.Contains(raised.Error(), fault.says) {
			wrong("a fault: %v instead of %q", raised, fault.says)
		}
	}
}
