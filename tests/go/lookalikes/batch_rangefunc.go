//go:build go1.23

package main

import (
	"sync"
	"time"
)

// runBatch defers in the body of a range-over-func loop that ends.
func runBatch(claims *sync.Map, size int, perItem time.Duration) {
	for item := range claimed(claims, size, perItem) {
		defer item.release()
	}
}

//go:noinline
func claimed(claims *sync.Map, size int, perItem time.Duration) func(yield func(job) bool) {
	return func(yield func(job) bool) {
		for i := 0; i < size && yield(claim(claims, i, perItem)); i++ {
		}
	}
}
