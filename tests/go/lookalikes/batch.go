package main

import (
	"math/rand"
	"sync"
	"time"
)

// maxBatch is the largest batch.
const maxBatch = 800

// job is one item of a batch, claimed until the batch is through.
type job struct {
	claims *sync.Map
	number int
}

func (j job) release() { j.claims.Delete(j.number) }

// batches runs a job about every fifteen seconds. It claims item by item for some
// seconds, and gives all of them back at its end.
func batches(chance *rand.Rand) {
	var claims sync.Map
	for {
		size := maxBatch/4 + chance.Intn(maxBatch*3/4)
		perItem := between(chance, 3*time.Second, 9*time.Second) / time.Duration(size)
		runBatch(&claims, size, perItem)
		time.Sleep(between(chance, 4*time.Second, 12*time.Second))
	}
}

// claim takes an item and the time that this needs.
func claim(claims *sync.Map, number int, takes time.Duration) job {
	claims.Store(number, time.Now())
	time.Sleep(takes)
	return job{claims, number}
}
