package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// load is the harmless work. Whoever works holds moving for reading; parking
// takes it for writing, so that nothing is half done while parked.
type load struct {
	burst, depth int

	moving sync.RWMutex
	parked bool
	rounds atomic.Int64

	jobs  chan int
	never chan struct{}

	mu   sync.Mutex
	seen map[int]int
}

func newLoad(burst, depth int) *load {
	return &load{
		burst: burst,
		depth: depth,
		jobs:  make(chan int),
		never: make(chan struct{}),
		seen:  make(map[int]int),
	}
}

// start returns once every waiter has its deferred call in place.
func (l *load) start(waiters, workers int) {
	var ready sync.WaitGroup
	ready.Add(waiters)
	for i := 0; i < waiters; i++ {
		go l.wait(&ready)
	}
	ready.Wait()
	for i := 0; i < workers; i++ {
		go l.worker()
	}
	go l.repeat()
	go l.feed()
}

// wait holds one heap record for ever: one per goroutine, and never more.
func (l *load) wait(ready *sync.WaitGroup) {
	for i := 0; i < 1; i++ {
		defer l.touch(i)
	}
	ready.Done()
	<-l.never
}

// repeat runs twenty bursts and recursions a second.
func (l *load) repeat() {
	for range time.Tick(50 * time.Millisecond) {
		l.moving.RLock()
		l.oneBurst()
		l.recurse(l.depth)
		l.rounds.Add(1)
		l.moving.RUnlock()
	}
}

// oneBurst registers many deferred calls and lets all of them run at once.
func (l *load) oneBurst() {
	for i := 0; i < l.burst; i++ {
		defer l.touch(i)
	}
}

// recurse has one deferred call per level. The loop that never turns makes the
// compiler use stack records instead of open-coding them.
func (l *load) recurse(depth int) {
	defer l.touch(depth)
	for i := 0; i < depth-l.depth; i++ {
		defer l.touch(i)
	}
	if depth > 1 {
		l.recurse(depth - 1)
	}
}

// touch is what the deferred calls do.
//
//go:noinline
func (l *load) touch(i int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[i&63]++
}

// feed offers a job to the pool each millisecond.
func (l *load) feed() {
	n := 0
	for range time.Tick(time.Millisecond) {
		l.jobs <- n
		n++
	}
}

func (l *load) worker() {
	for job := range l.jobs {
		l.work(job)
	}
}

// work is the common case: one deferred unlock per job, open-coded.
func (l *load) work(job int) {
	l.moving.RLock()
	defer l.moving.RUnlock()
	l.touch(job)
}

// park waits until nothing is half done and keeps it that way.
func (l *load) park() {
	if !l.parked {
		l.moving.Lock()
		l.parked = true
	}
}

func (l *load) resume() {
	if l.parked {
		l.parked = false
		l.moving.Unlock()
	}
}

func (l *load) state() (rounds int64, parked bool) { return l.rounds.Load(), l.parked }
