package main

import (
	"fmt"
	"runtime"
)

// swallowed is how often the loop panics.
const swallowed = 100

// cases are all there are.
func cases() []panicCase {
	all := append(valueCases(), chainCases()...)
	all = append(all, libraryCases()...)
	return append(all, dyingCases()...)
}

// chainCases have more than one panic, or none.
func chainCases() []panicCase {
	raisedTwice := []happening{{1, "raised"}, {2, "raised"}}
	return []panicCase{
		{name: "repanic", do: pRepanic, happens: []happening{{1, "raised"}, {1, "recovered"}, {2, "raised"}, {2, "recovered"}}},
		{name: "replaced", do: pReplaced, happens: append(raisedTwice, happening{1, "replaced"}, happening{2, "recovered"})},
		{name: "nested", do: pNested, happens: append(raisedTwice, happening{2, "recovered"}, happening{1, "recovered"})},
		{name: "goexit", do: pGoexit, happens: []happening{{1, "goexit"}}},
		{name: "goexit-panic", do: pGoexitPanic, happens: []happening{{1, "goexit"}, {2, "raised"}, {2, "recovered"}}},
		{name: "swallowed", do: pSwallowed, happens: []happening{{1, "raised"}, {1, "recovered"}}, times: swallowed},
		{name: "fmt", do: pFmt, happens: []happening{{1, "raised"}, {1, "recovered"}}},
	}
}

// pRepanic recovers and panics with something else.
func pRepanic(t *tape) {
	guard(t, 2, func() {
		defer func() {
			t.here(1)
			first := recover()
			t.value(1, first)
			panic(fmt.Sprintf("again after %v", first))
		}()
		panic("to be recovered")
	})
}

// pReplaced panics in a deferred call and does not come back from it.
func pReplaced(t *tape) {
	// Nobody ever gets hold of the first.
	first := "to be replaced"
	t.value(1, first)
	guard(t, 2, func() {
		defer func() {
			t.here(1)
			panic("in its place")
		}()
		panic(first)
	})
}

// pNested panics in a deferred call and recovers within it, while the first goes
// on.
func pNested(t *tape) {
	guard(t, 1, func() {
		defer func() {
			guard(t, 2, func() { panic("on the way out") })
		}()
		panic("goes on")
	})
}

// pGoexit ends its goroutine.
func pGoexit(t *tape) {
	defer t.here(1)
	runtime.Goexit()
}

// pGoexitPanic panics in a deferred call of a goroutine that ends, which goes on
// ending afterwards.
func pGoexitPanic(t *tape) {
	defer func() {
		t.here(1)
		guard(t, 2, func() { panic("while the goroutine ends") })
	}()
	runtime.Goexit()
}

// pSwallowed recovers and looks at nothing, over and over.
func pSwallowed(t *tape) {
	for i := 0; i < swallowed; i++ {
		guard(t, 1, func() { panic("swallowed") })
	}
}

// shy panics where it should describe itself.
type shy struct{ t *tape }

func (s shy) String() string {
	defer s.t.here(1)
	panic("does not say")
}

// pFmt lets package fmt recover a panic that is not its own.
func pFmt(t *tape) {
	t.value(1, "does not say")
	sink = fmt.Sprint(shy{t})
}
