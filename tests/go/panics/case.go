package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// happening is one thing that a panic goes through. Several panics of a case are
// told apart by their number.
type happening struct {
	panic int
	stage string // raised, recovered, replaced, fatal, goexit, or error for a fatal error of the runtime
}

// panicCase is one way to panic.
type panicCase struct {
	name string
	// do lets it happen.
	do func(t *tape)
	// happens is what does, in this order.
	happens []happening
	// times is how often all of it does, 1 if it is 0.
	times int
	// shape is the message of the first panic where its value is of a type that
	// only the program itself can turn into text.
	shape string
	// known is what cannot be seen from inside: a library raises and recovers,
	// or the runtime ends the program. It is the raise of the first panic.
	known *raise
	// dies says that the case ends the program.
	dies bool
	// rehearse is done before, in place of do, where do cannot be survived even
	// if everything is recovered; it has to raise at the same place.
	rehearse func(t *tape)
}

// event is a happening as it is announced.
type event struct {
	Event string `json:"event"`
	Panic int    `json:"panic"`
	Stage string `json:"stage,omitempty"`
	Type  string `json:"type,omitempty"`
	// Message is left out where nothing is promised about it.
	Message string `json:"message,omitempty"`
	// Function is that of the first frame outside of package runtime. It is left
	// out, or the line, where the program cannot know.
	Function string `json:"function,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Internal bool   `json:"internal"`
}

// announcement is the line of JSON before a case.
type announcement struct {
	Case      string  `json:"case"`
	Pid       int     `json:"pid"`
	GoVersion string  `json:"go_version"`
	Goroutine uint64  `json:"goroutine"`
	Times     int     `json:"times"`
	Dies      bool    `json:"dies"`
	Stages    []event `json:"stages"`
}

// runCases rehearses all that are wanted, and then does one after the other.
func runCases(wanted string) error {
	var chosen []panicCase
	var tapes []*tape
	for _, c := range cases() {
		if c.name == wanted || wanted == "all" && !c.dies {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no case %q", wanted)
	}
	for _, c := range chosen {
		t := newTape()
		inGoroutine(func() { c.rehearsed(t) })
		tapes = append(tapes, t)
	}
	for i, c := range chosen {
		t := tapes[i]
		t.recording = false
		inGoroutine(func() {
			check(c.announce(t))
			awaitLine()
			c.do(t)
		})
		if c.dies {
			// Its deferred calls have run, and it dies any moment now.
			time.Sleep(10 * time.Second)
			check(errors.New(c.name + " has not ended the program"))
		}
		check(t.wrong)
		fmt.Println("done " + c.name)
	}
	awaitLine()
	return nil
}

// rehearsed lets the case happen without dying of it.
func (c panicCase) rehearsed(t *tape) {
	do := c.do
	if c.rehearse != nil {
		do = c.rehearse
	}
	if !c.dies {
		do(t)
		return
	}
	if c.rehearse == nil && c.known != nil {
		return // nothing to be seen
	}
	last := c.happens[len(c.happens)-1].panic
	guard(t, last, func() { do(t) })
}

// inGoroutine runs f in a goroutine of its own and waits for its end, which may
// be runtime.Goexit.
func inGoroutine(f func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f()
	}()
	<-ended
}

// guard recovers the panic of this number from f.
func guard(t *tape, number int, f func()) {
	defer func() {
		t.here(number)
		t.value(number, recover())
	}()
	f()
}

// announce says what will happen on this goroutine.
func (c panicCase) announce(t *tape) error {
	said := announcement{c.name, os.Getpid(), runtime.Version(), goroutine(), c.times, c.dies, nil}
	if said.Times == 0 {
		said.Times = 1
	}
	for _, h := range c.happens {
		said.Stages = append(said.Stages, c.event(h, t))
	}
	return json.NewEncoder(os.Stdout).Encode(said)
}

func (c panicCase) event(h happening, t *tape) event {
	r := t.raises[h.panic]
	if r == nil {
		r = new(raise)
	}
	e := event{"go.panic", h.panic, h.stage, r.kind, r.text, r.function, r.file, r.line, false}
	if h.panic == 1 && c.shape != "" && h.stage != "fatal" {
		e.Message = c.shape // a dying program turns the value into text itself
	}
	if known := c.known; known != nil && h.panic == 1 {
		e.Type, e.Message, e.Internal = known.kind, known.text, known.internal
		if known.function != "" {
			e.Function = known.function
		}
	}
	if h.stage == "error" {
		e.Event, e.Stage, e.Type = "go.fatal", "", ""
	}
	return e
}

// goroutine is the number of this goroutine, which the runtime tells only so.
func goroutine() (id uint64) {
	var buffer [64]byte
	text := string(buffer[:runtime.Stack(buffer[:], false)])
	_, err := fmt.Sscanf(strings.TrimPrefix(text, "goroutine "), "%d", &id)
	check(err)
	return id
}
