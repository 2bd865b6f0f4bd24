//go:build withc

package main

// static int twice(int n) { return 2 * n; }
import "C"

// foreign calls C, so that the executable is linked by the system's linker.
func foreign(n int) { hold(int(C.twice(C.int(n)))) }
