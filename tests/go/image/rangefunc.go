//go:build go1.23

package main

// count yields 0 to n-1.
//
//go:noinline
func count(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// rangeFunc defers inside a range over a function: runtime.deferrangefunc in
// the function, runtime.deferprocat in the body that was made a closure.
//
//go:noinline
func rangeFunc(n int) {
	for i := range count(n) {
		defer hold(i)
	}
	hold(n)
}
