package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// sink keeps the compiler from leaving out what is not used.
var sink any

// word is a string of a type of its own.
type word string

// failure is no error, and neither is a pointer to it.
type failure struct {
	Code int
	Msg  string
}

// rejection is an error by its method.
type rejection struct {
	Status int
	Reason string
}

func (r rejection) Error() string {
	return "rejected: " + r.Reason + " (" + strconv.Itoa(r.Status) + ")"
}

// one is known to nobody before run time.
var one = len(os.Args[:1])

//go:noinline
func pString() { panic("a plain string") }

//go:noinline
func pFormatted() { panic(fmt.Sprintf("made at run time, %d", one)) }

//go:noinline
func pNamedString() { panic(word("a string of a type of its own")) }

//go:noinline
func pInt() { panic(-42) }

//go:noinline
func pFloat() { panic(1.5) }

//go:noinline
func pError() { panic(errors.New("an error")) }

//go:noinline
func pWrapped() { panic(fmt.Errorf("opening the book: %w", fs.ErrNotExist)) }

//go:noinline
func pPathError() {
	_, err := os.Open("/no/such/file")
	panic(err)
}

//go:noinline
func pIndex() {
	values := make([]int, one)
	sink = values[one+4]
}

//go:noinline
func pSlice() {
	values := make([]int, one)
	sink = values[one+2:]
}

//go:noinline
func pDivide() {
	sink = one / (one - 1)
}

//go:noinline
func pNilMap() {
	var m map[string]int
	m["key"] = one
}

// nowhere returns nil. The instruction that follows the call is the one that
// faults: it is no return address, and belongs to the next line.
//
//go:noinline
func nowhere() *failure { return nil }

//go:noinline
func pNilDereference() {
	at := nowhere()
	sink = at.Code
}

//go:noinline
func pAssertion() {
	var v any = word("no number")
	sink = v.(int)
}

//go:noinline
func pMissingMethod() {
	var v any = failure{}
	sink = v.(error)
}

//go:noinline
func pStruct() { panic(failure{5, "no paper"}) }

//go:noinline
func pPointer() { panic(&failure{6, "no ink"}) }

//go:noinline
func pMethodError() { panic(rejection{418, "teapot"}) }

//go:noinline
func pNil() { panic(nil) }

// raiseInlined becomes part of its caller, and is still the place.
func raiseInlined(count int) {
	if count > 0 {
		panic("in an inlined function")
	}
}

//go:noinline
func pInlined() { raiseInlined(one) }

// valueCases panic with all kinds of values, each recovered by its caller.
func valueCases() []panicCase {
	var all []panicCase
	add := func(name string, raise func(), shape string) {
		do := func(t *tape) { guard(t, 1, raise) }
		all = append(all, panicCase{name: name, do: do, happens: []happening{{1, "raised"}, {1, "recovered"}}, shape: shape})
	}
	add("string", pString, "")
	add("formatted", pFormatted, "")
	add("named-string", pNamedString, "")
	add("int", pInt, "")
	add("float", pFloat, "")
	add("error", pError, "")
	add("wrapped", pWrapped, "")
	add("path-error", pPathError, "")
	add("index", pIndex, "")
	add("slice", pSlice, "")
	add("divide", pDivide, "")
	add("nil-map", pNilMap, "")
	add("nil-dereference", pNilDereference, "")
	add("assertion", pAssertion, "")
	add("missing-method", pMissingMethod, "")
	add("struct", pStruct, `{Code:5 Msg:"no paper"}`)
	add("pointer", pPointer, `&{Code:6 Msg:"no ink"}`)
	add("method-error", pMethodError, `{Status:418 Reason:"teapot"}`)
	add("nil", pNil, "")
	add("inlined", pInlined, "")
	return all
}
