//go:build !go1.23

package main

import (
	"sync"
	"time"
)

// runBatch defers in a loop that ends: this Go has no range-over-func loops.
func runBatch(claims *sync.Map, size int, perItem time.Duration) {
	for i := 0; i < size; i++ {
		item := claim(claims, i, perItem)
		defer item.release()
	}
}
