//go:build withc

package main

// A program with C in it is linked by the system's linker and starts in its code.

// int answer(void) { return 42; }
import "C"

func init() { sink = int(C.answer()) }
