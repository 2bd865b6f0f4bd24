package main

import (
	"math/rand"
	"time"
)

const (
	// requests are served at the same time.
	requests = 16
	// largest object that a deferred closure holds on to.
	largest = 1 << 20
	// sawtooth is how many bytes a cache holds before it is thrown away.
	sawtooth = 96 << 20
)

// churn makes much garbage: requests whose deferred closures hold a big buffer
// each until they return, and a cache whose size is a sawtooth.
func churn(chance *rand.Rand) {
	for i := 0; i < requests; i++ {
		go func(chance *rand.Rand) {
			for {
				handle(make([]byte, 1+chance.Intn(largest)), between(chance, 10*time.Millisecond, 300*time.Millisecond))
			}
		}(rand.New(rand.NewSource(chance.Int63())))
	}
	for {
		fill()
	}
}

// handle holds its buffer until it returns, as the deferred closure needs it.
func handle(buffer []byte, takes time.Duration) {
	for i := 0; i < 1; i++ {
		defer func() { buffer[0]++ }()
	}
	time.Sleep(takes)
}

// fill lets a cache grow for half a minute, and forgets it.
func fill() {
	const step = 1 << 20
	cache := make([][]byte, 0, sawtooth/step)
	for len(cache) < cap(cache) {
		entry := make([]byte, step)
		for i := 0; i < len(entry); i += 4096 {
			entry[i] = 1
		}
		cache = append(cache, entry)
		time.Sleep(30 * time.Second / (sawtooth / step))
	}
}
