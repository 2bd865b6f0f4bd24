package main

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
)

// raise is where a panic is raised and with what.
type raise struct {
	kind, text     string
	function, file string
	line           int
	internal       bool
}

// tape keeps what a rehearsal showed, and compares the performance with it.
type tape struct {
	recording bool
	raises    map[int]*raise
	// wrong is the first difference.
	wrong error
}

func newTape() *tape { return &tape{recording: true, raises: map[int]*raise{}} }

func (t *tape) raise(number int) *raise {
	if t.raises[number] == nil {
		t.raises[number] = new(raise)
	}
	return t.raises[number]
}

// here notes the place at which the panic (or Goexit) of this number was raised.
// A deferred call says it while that panic is the latest on its goroutine.
func (t *tape) here(number int) {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	raised := false
	for {
		frame, more := frames.Next()
		if raised && !strings.HasPrefix(frame.Function, "runtime.") {
			t.note(number, "place", func(r *raise) { r.function, r.file, r.line = frame.Function, frame.File, frame.Line })
			return
		}
		raised = raised || frame.Function == "runtime.gopanic" || frame.Function == "runtime.Goexit"
		if !more {
			check(fmt.Errorf("no panic %d to be seen", number))
		}
	}
}

// value notes what recover returned.
func (t *tape) value(number int, v any) {
	t.note(number, "value", func(r *raise) { r.kind, r.text = fmt.Sprintf("%T", v), text(v) })
}

// note changes the record, or finds that it would.
func (t *tape) note(number int, what string, change func(*raise)) {
	r := t.raise(number)
	before := *r
	change(r)
	if !t.recording && *r != before && t.wrong == nil {
		t.wrong = fmt.Errorf("panic %d: another %s than rehearsed: %+v, then %+v", number, what, before, *r)
	}
}

// text is what the program would print of the value if it died of it.
func text(v any) string {
	if err, ok := v.(error); ok {
		return err.Error()
	}
	if value := reflect.ValueOf(v); value.Kind() == reflect.String {
		return value.String()
	}
	return fmt.Sprint(v)
}
