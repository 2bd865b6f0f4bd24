//go:build withc

package main

// static int one(void) { return 1; }
import "C"

// foreign calls C, so that the executable is linked by the system's linker.
func foreign() int { return int(C.one()) }
