package main

import (
	_ "embed"
	"reflect"
	"runtime"
	"strings"
)

// source is this file: a line that ends in a comment "site KIND" is one.
//
//go:embed kinds.go
var source string

// nothing is deferred where nothing may be allocated.
//
//go:noinline
func nothing() {}

// noalloc registers a function that captures nothing: no closure is made, and
// the runtime's record comes from a pool.
//
//go:noinline
func noalloc(count int) {
	for i := 0; i < count; i++ {
		defer nothing() // site noalloc
	}
}

// closure registers a function that captures, as most do.
//
//go:noinline
func closure(count int, ran *int) {
	for i := 0; i < count; i++ {
		add := i&1 + 1
		defer func() { *ran += add }() // site closure
	}
}

// stack registers outside of loops, too often for open-coded defers: the records
// lie on the stack.
//
//go:noinline
func stack(count int) {
	if count > 0 {
		defer nothing() // site stack
	}
	if count > 1 {
		defer nothing() // site stack
	}
	if count > 2 {
		defer nothing() // site stack
	}
	if count > 3 {
		defer nothing() // site stack
	}
	if count > 4 {
		defer nothing() // site stack
	}
	if count > 5 {
		defer nothing() // site stack
	}
	if count > 6 {
		defer nothing() // site stack
	}
	if count > 7 {
		defer nothing() // site stack
	}
	if count > 8 {
		defer nothing() // site stack
	}
	if count > 9 {
		defer nothing() // site stack
	}
	if count > 10 {
		defer nothing() // site stack
	}
	if count > 11 {
		defer nothing() // site stack
	}
	if count > 12 {
		defer nothing() // site stack
	}
	if count > 13 {
		defer nothing() // site stack
	}
	if count > 14 {
		defer nothing() // site stack
	}
	if count > 15 {
		defer nothing() // site stack
	}
}

// endlessNoalloc never returns, until the pace ends.
//
//go:noinline
func endlessNoalloc(p *pace, c *counter) {
	for due := p.due(1, batch); due > 0; due = p.due(1, batch) {
		c.begun.Add(due)
		for i := int64(0); i < due; i++ {
			defer nothing() // site endless-noalloc
		}
		c.done.Add(due)
	}
}

// endlessClosure never returns, until the pace ends.
//
//go:noinline
func endlessClosure(p *pace, c *counter, ran *int) {
	for due := p.due(1, batch); due > 0; due = p.due(1, batch) {
		c.begun.Add(due)
		for i := int64(0); i < due; i++ {
			add := int(i&1) + 1
			defer func() { *ran += add }() // site endless-closure
		}
		c.done.Add(due)
	}
}

// sites returns the lines of a kind, at most so many.
func sites(kind string, most int) []int {
	var lines []int
	for i, line := range strings.Split(source, "\n") {
		if strings.HasSuffix(line, "// site "+kind) && len(lines) < most {
			lines = append(lines, i+1)
		}
	}
	return lines
}

// place returns the name and the file of a function.
func place(function any) (name, file string) {
	f := runtime.FuncForPC(reflect.ValueOf(function).Pointer())
	file, _ = f.FileLine(f.Entry())
	return f.Name(), file
}
