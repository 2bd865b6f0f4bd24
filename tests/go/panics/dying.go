package main

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// dyingCases end the program, and so are never part of all.
func dyingCases() []panicCase {
	died := []happening{{1, "raised"}, {1, "fatal"}}
	failed := []happening{{1, "error"}}
	return []panicCase{
		{name: "die-string", do: dieString, happens: died, dies: true},
		{name: "die-error", do: dieError, happens: died, dies: true},
		{name: "die-method-error", do: dieMethodError, happens: died, dies: true, shape: `{Status:500 Reason:"no hope"}`},
		{name: "die-nil", do: dieNil, happens: died, dies: true},
		{
			name: "die-replaced", do: dieReplaced, dies: true,
			happens: []happening{{1, "raised"}, {2, "raised"}, {1, "replaced"}, {2, "fatal"}},
		},
		{
			// A map that is nil stands in for one that others write to: it fails
			// at the same statement.
			name: "die-map", do: dieMap, happens: failed, dies: true,
			rehearse: func(*tape) { writeMap(nil) }, known: &raise{text: "concurrent map writes"},
		},
		{
			name: "die-unlock", do: dieUnlock, happens: failed, dies: true,
			known: &raise{text: "sync: unlock of unlocked mutex"},
		},
	}
}

//go:noinline
func dieString(*tape) { panic("the last words") }

//go:noinline
func dieError(*tape) { panic(fmt.Errorf("reading on: %w", fs.ErrClosed)) }

//go:noinline
func dieMethodError(*tape) { panic(rejection{500, "no hope"}) }

//go:noinline
func dieNil(*tape) {
	at := nowhere()
	sink = at.Code
}

func dieReplaced(t *tape) {
	first := "not the last words"
	t.value(1, first)
	defer func() {
		t.here(1)
		panic("the last words after all")
	}()
	panic(first)
}

// dieMap lets the runtime find out that several write to one map, which it does
// by chance, and soon.
func dieMap(*tape) {
	shared := map[int]int{}
	for i := 0; i < 4; i++ {
		go writeMap(shared)
	}
	time.Sleep(30 * time.Second)
	fmt.Fprintln(os.Stderr, "panics: nobody noticed that a map was written to by four")
	os.Exit(4)
}

//go:noinline
func writeMap(m map[int]int) {
	for i := 0; ; i++ {
		m[i%8] = i
	}
}

func dieUnlock(*tape) {
	var mu sync.Mutex
	mu.Unlock()
}
