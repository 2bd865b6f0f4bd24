package main

import (
	"errors"
	"io"
	"text/template"
)

// library panics and recovers inside one package, and its caller sees an error.
type library struct {
	name  string
	raise raise
	// once makes it do so exactly once.
	once func() error
}

// libraries returns those that do so in this Go.
func libraries() []library {
	return append(jsonLibrary(), library{
		"template",
		raise{kind: "template.ExecError", function: "text/template.(*state).errorf", internal: true},
		func() error { return beyond.Execute(io.Discard, []int(nil)) },
	})
}

// beyond asks for more than there is.
var beyond = template.Must(template.New("beyond").Parse("{{index . 5}}"))

func libraryCases() []panicCase {
	var all []panicCase
	for _, l := range libraries() {
		l := l
		all = append(all, panicCase{
			name: l.name,
			do: func(*tape) {
				if l.once() == nil {
					check(errors.New(l.name + " has not failed"))
				}
			},
			happens: []happening{{1, "raised"}, {1, "recovered"}},
			known:   &l.raise,
		})
	}
	return all
}
