//go:build withc

package main

// extern int churnBack(int depth, int value);
// static int there(int depth, int value) { return churnBack(depth, value) + 1; }
import "C"

import "math/rand"

func foreignKinds() []*kind { return []*kind{{name: "foreign", work: foreign}} }

// foreign calls C, which calls Go, and so on; what is raised in the lowest Go is
// recovered there, or above all of it, so that frames of C are left behind.
func foreign(chance *rand.Rand) {
	depth, value := 1+chance.Intn(6), 1+chance.Intn(1000)
	expect("what came back through C", int(C.there(C.int(depth), C.int(value))), value+2*depth+1)
	inNewStack("a panic through C", func() {
		expect("a panic through C", catch(func() { C.there(C.int(depth), C.int(-value)) }), any(-value))
	})
}

// churnBack returns the value and two for each level below; it raises a
// negative one.
//
//export churnBack
func churnBack(depth, value C.int) (result C.int) {
	if depth == 0 {
		if value < 0 {
			panic(int(value))
		}
		return C.int(catch(func() { panic(int(value)) }).(int))
	}
	for i := 0; i < 1; i++ {
		defer func() { result++ }()
	}
	return C.there(depth-1, value)
}
