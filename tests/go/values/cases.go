package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// one is a value to panic with; texts are those of its strings that are made at run time.
type one struct {
	name  string
	raise func()
	texts []string
}

type code int

type label string

type ratio float32

type custom struct {
	Code  int
	Msg   string
	Ratio float64
	Ok    bool
	err   error
	next  *custom
}

// Error cannot be called from outside.
func (c *custom) Error() string {
	if c == nil {
		return "none"
	}
	return "custom " + c.Msg
}

type pair struct {
	Name  label
	Point struct{ X, Y int8 }
	List  []int
	Any   any
}

type large struct {
	First  string
	Rest   [40]uint64
	Second string
}

type single struct{ p *int }

var nothing map[string]int

// made is a string that is not in the executable.
//
//go:noinline
func made(parts ...string) string { return strings.Join(parts, "") }

func with(value any) func() { return func() { panic(value) } }

func cases() []one {
	plain, long := made("made ", "here"), made(strings.Repeat("long ", 100))
	path := made("/nonexistent/", "file")
	_, notThere := os.Open(path)
	there := os.Mkdir("/", 0)
	_, err := strconv.Atoi(made("12", "x"))
	notNumber := err.(*strconv.NumError)
	_, notJSON := json.Marshal(math.Inf(1))
	wrapped := fmt.Errorf("wrapped %s: %w", plain, fs.ErrNotExist)
	both := fmt.Errorf("%w and %w", errors.New(plain), fs.ErrExist)
	value := custom{Code: 5, Msg: plain, Ratio: 0.5, Ok: true}
	small := pair{Name: "constant", List: []int{1}, Any: syscall.ENOENT}
	small.Point.Y = -3
	return append(faults(), []one{
		{"string", with(plain), []string{plain}},
		{"constant string", with("a constant of the executable"), nil},
		{"empty string", with(""), nil},
		{"long string", with(long), []string{long}},
		{"named string", with(label(plain)), []string{plain}},
		{"int", with(-7), nil},
		{"named int", with(code(1 << 40)), nil},
		{"int8", with(int8(-8)), nil},
		{"uint16", with(uint16(65535)), nil},
		{"int32", with(rune(-5)), nil},
		{"uintptr", with(uintptr(1 << 63)), nil},
		{"float64", with(2.5e-9), nil},
		{"named float32", with(ratio(0.1)), nil},
		{"complex128", with(complex(1, -2.5)), nil},
		{"bool", with(true), nil},
		{"error", with(errors.New(plain)), []string{plain}},
		{"constant error", with(errors.New("a constant error")), nil},
		{"wrapped", with(wrapped), []string{wrapped.Error()}},
		{"wrapped twice", with(both), []string{both.Error()}},
		{"joined", with(errors.Join(errors.New(plain), fs.ErrExist)), nil},
		{"path", with(notThere), []string{path}},
		{"boxed errno", with(there), nil},
		{"number", with(notNumber), []string{notNumber.Num}},
		{"json", with(notJSON), nil},
		{"syscall", with(os.NewSyscallError("write", syscall.EPIPE)), nil},
		{"errno", with(syscall.ENOSPC), nil},
		{"deadline", with(context.DeadlineExceeded), nil},
		{"struct", with(value), []string{plain}},
		{"pointer to struct", with(&value), []string{plain}},
		{"nil pointer", with((*custom)(nil)), nil},
		{"nested struct", with(small), nil},
		{"large struct", with(large{First: plain}), []string{plain}},
		{"direct struct", with(single{new(int)}), nil},
		{"pointer to int", with(&value.Code), nil},
		{"function", with(made), nil},
		{"list", with([]int{1, 2}), nil},
		{"fixed list", with([3]int{1, 2, 3}), nil},
	}...)
}

// What the faults below would give if they were none.
var (
	list   []int
	array  [4]int
	anyOne any
	anErr  error
)

// faults are what the runtime itself panics with.
func faults() []one {
	var missing *custom
	var value, empty any = "text", nil
	n := len(os.Args) + 4
	return append(bounds(n), []one{
		{name: "nil", raise: func() { panic(nil) }},
		{name: "nil map", raise: func() { nothing["a"] = n }},
		{name: "nil dereference", raise: func() { list = append(list, missing.Code) }},
		{name: "division", raise: func() { list = append(list, n/(n-len(os.Args)-4)) }},
		{name: "type assertion", raise: func() { list = append(list, value.(int)) }},
		{name: "nil assertion", raise: func() { list = append(list, empty.(int)) }},
		{name: "method assertion", raise: func() { anErr = value.(error) }},
		{name: "error assertion", raise: func() { anyOne = errors.New("a").(*custom) }},
		{name: "closed channel", raise: func() { c := make(chan int); close(c); close(c) }},
		{name: "negative shift", raise: func() { list = append(list, 1<<(3-n)) }},
		{name: "makeslice", raise: func() { list = make([]int, 3-n) }},
		{name: "uncomparable", raise: func() { anyOne = map[any]int{[]int(nil): n} }},
	}...)
}

func bounds(n int) []one {
	short, unsigned := make([]int, 1), uint64(math.MaxUint64)
	return []one{
		{name: "index", raise: func() { short[n]++ }},
		{name: "negative index", raise: func() { short[3-n]++ }},
		{name: "unsigned index", raise: func() { short[unsigned]++ }},
		{name: "slice", raise: func() { list = short[:n] }},
		{name: "slice of array", raise: func() { list = array[:n] }},
		{name: "slice of string", raise: func() { anyOne = "abc"[:n] }},
		{name: "slice order", raise: func() { list = array[n-2 : 2] }},
		{name: "negative slice", raise: func() { list = array[2-n:] }},
		{name: "three-index slice", raise: func() { list = short[0:0:n] }},
		{name: "three-index array", raise: func() { list = array[0:0:n] }},
		{name: "three-index order", raise: func() { list = array[0 : n-2 : 2] }},
		{name: "three-index begin", raise: func() { list = array[n-2 : 2 : 3] }},
		{name: "conversion", raise: func() { array = [4]int(short) }},
		{name: "index of string", raise: func() { short[0] += int("abc"[n]) }},
	}
}
