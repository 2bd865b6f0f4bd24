package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// batch is how many registrations at most lie between two updates of a counter.
	batch = 64
	// manyPending is what an endless function may leave behind: half a gigabyte.
	manyPending = 10_000_000
)

// work is goroutines that register at one place.
type work struct {
	options
	counters []counter
	over     atomic.Bool
	running  sync.WaitGroup
}

func newWork(o options) (*work, error) {
	kinds := map[string]bool{"noalloc": true, "closure": true, "stack": o.perCall <= 16 && o.shape != "endless"}
	shapes := map[string]bool{
		"steady": true, "bursty": true,
		"endless": o.rate > 0 && o.seconds > 0 && o.rate*o.seconds <= manyPending,
	}
	switch {
	case !kinds[o.kind]:
		return nil, fmt.Errorf("-kind is noalloc, closure or stack (at most 16 per call, and never endless), not %q", o.kind)
	case !shapes[o.shape]:
		return nil, fmt.Errorf("-shape is steady, bursty or endless (at most %d in all), not %q", manyPending, o.shape)
	case o.rate < 0 || o.perCall < 1 || o.goroutines < 1 || o.every <= 0:
		return nil, fmt.Errorf("-per-call, -goroutines and -every must be positive, and -rate not negative")
	}
	return &work{options: o, counters: make([]counter, o.goroutines)}, nil
}

// announcement names the function and its sites.
func (w *work) announcement() announcement {
	said := announcement{Pid: os.Getpid(), GoVersion: runtime.Version(), Returns: w.shape != "endless"}
	kind, most := w.kind, w.perCall
	var function any
	switch {
	case !said.Returns && w.kind == "noalloc":
		kind, function = "endless-noalloc", endlessNoalloc
	case !said.Returns:
		kind, function = "endless-closure", endlessClosure
	case w.kind == "noalloc":
		function = noalloc
	case w.kind == "closure":
		function = closure
	default:
		function = stack
	}
	said.Function, said.File = place(function)
	said.Sites = sites(kind, most)
	return said
}

func (w *work) start() {
	start := time.Now()
	for i := range w.counters {
		w.running.Add(1)
		p := &pace{start: start, rate: w.rate / float64(w.goroutines), bursty: w.shape == "bursty", over: &w.over}
		go func(c *counter) {
			defer w.running.Done()
			w.work(p, c)
		}(&w.counters[i])
	}
}

// stop lets all calls end.
func (w *work) stop() {
	w.over.Store(true)
	w.running.Wait()
}

// work is what one goroutine does.
func (w *work) work(p *pace, c *counter) {
	var ran int
	if w.shape == "endless" {
		if w.kind == "noalloc" {
			endlessNoalloc(p, c)
		} else {
			endlessClosure(p, c, &ran)
		}
		return
	}
	unit := int64(w.perCall)
	for due := p.due(unit, batch); due > 0; due = p.due(unit, batch) {
		c.begun.Add(due)
		calls := due / unit
		for i := int64(0); i < calls; i++ {
			switch w.kind {
			case "noalloc":
				noalloc(w.perCall)
			case "closure":
				closure(w.perCall, &ran)
			default:
				stack(w.perCall)
			}
		}
		c.done.Add(due)
		c.calls.Add(calls)
	}
}
