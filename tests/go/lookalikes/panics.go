package main

import (
	"errors"
	"math/rand"
	"time"
)

const (
	// parsers run at the same time.
	parsers = 8
	// maxNesting is how deep a document may be.
	maxNesting = 200
)

// syntaxError is what a parser panics with, as those of encoding/json do.
type syntaxError struct{ error }

// panics parses documents of which every second one is broken, each found by a
// panic that unwinds up to two hundred levels with a deferred call each.
func panics(chance *rand.Rand) {
	for i := 0; i < parsers; i++ {
		go func(chance *rand.Rand) {
			for i := 0; ; i++ {
				broken := i%2 == 0
				if err := parse(1+chance.Intn(maxNesting), broken); (err != nil) != broken {
					check(errors.New("a document was taken for another"))
				}
				time.Sleep(between(chance, time.Millisecond, 20*time.Millisecond))
			}
		}(rand.New(rand.NewSource(chance.Int63())))
	}
}

// parse turns the parser's panic into an error and lets every other pass.
func parse(depth int, broken bool) (err error) {
	defer func() {
		if raised := recover(); raised != nil {
			found, ours := raised.(syntaxError)
			if !ours {
				panic(raised)
			}
			err = found.error
		}
	}()
	open := 0
	element(depth, broken, &open)
	if open != 0 {
		check(errors.New("a deferred call did not run"))
	}
	return nil
}

// element enters one level, reads on, and leaves it however that ends.
func element(depth int, broken bool, open *int) {
	*open++
	for i := 0; i < 1; i++ {
		defer func() { *open-- }()
	}
	if depth > 1 {
		element(depth-1, broken, open)
		return
	}
	time.Sleep(30 * time.Millisecond)
	if broken {
		panic(syntaxError{errors.New("unexpected end")})
	}
}
