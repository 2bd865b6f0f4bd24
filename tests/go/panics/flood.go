package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	defaultEvery = time.Second
	// batch is how many panics at most lie between two looks at the clock.
	batch = 16
)

// flood is how a library is to panic.
type flood struct {
	library    string
	rate       float64
	goroutines int
	seconds    float64
	every      time.Duration
}

// floodAnnouncement is the line of JSON before the flood.
type floodAnnouncement struct {
	Case       string  `json:"case"`
	Pid        int     `json:"pid"`
	GoVersion  string  `json:"go_version"`
	Rate       float64 `json:"rate"`
	Goroutines int     `json:"goroutines"`
	Stages     []event `json:"stages"`
}

// floodCount is a line of JSON during the flood, and with End its last. The true
// number of panics at UnixNano lies between Panics and PanicsAtMost; of those,
// all but what is under way were recovered.
type floodCount struct {
	UnixNano     int64 `json:"unix_nano"`
	Panics       int64 `json:"panics"`
	PanicsAtMost int64 `json:"panics_at_most"`
	CPUNano      int64 `json:"cpu_ns"`
	End          bool  `json:"end,omitempty"`
}

// counter is that of one goroutine, on a cache line of its own.
type counter struct {
	begun, done atomic.Int64
	_           [112]byte
}

// floodLibrary is the first there is.
func floodLibrary() string { return libraries()[0].name }

// runFlood announces, waits, floods and counts.
func runFlood(f flood) error {
	if f.goroutines < 1 || f.every <= 0 {
		return errors.New("-goroutines and -every must be positive")
	}
	for _, l := range libraries() {
		if l.name == f.library {
			return f.run(l)
		}
	}
	return fmt.Errorf("no library %q panics in this Go", f.library)
}

func (f flood) run(l library) error {
	out := json.NewEncoder(os.Stdout)
	stages := []event{{Event: "go.panic", Panic: 1, Stage: "raised"}, {Event: "go.panic", Panic: 1, Stage: "recovered"}}
	for i := range stages {
		stages[i].Type, stages[i].Function, stages[i].Internal = l.raise.kind, l.raise.function, true
	}
	said := floodAnnouncement{"flood", os.Getpid(), runtime.Version(), f.rate, f.goroutines, stages}
	if err := out.Encode(said); err != nil {
		return err
	}
	awaitLine()

	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, input)
		close(stop)
	}()
	counters := make([]counter, f.goroutines)
	var over atomic.Bool
	var running sync.WaitGroup
	for i := range counters {
		running.Add(1)
		go func(c *counter) {
			defer running.Done()
			f.panics(l, c, &over)
		}(&counters[i])
	}
	err := f.report(out, counters, stop)
	over.Store(true)
	running.Wait()
	if err == nil {
		last := count(counters)
		last.End = true
		err = out.Encode(last)
	}
	fmt.Println("done flood")
	if err == nil {
		<-stop // so that whoever watches can look at what is over
	}
	return err
}

// panics makes one goroutine's share, by the time that has passed.
func (f flood) panics(l library, c *counter, over *atomic.Bool) {
	start := time.Now()
	rate := f.rate / float64(f.goroutines)
	for !over.Load() {
		due := int64(batch)
		if f.rate > 0 {
			due = int64(rate*time.Since(start).Seconds()) - c.done.Load()
			if due <= 0 {
				time.Sleep(min(max(time.Duration(float64(time.Second)/rate), time.Millisecond), 100*time.Millisecond))
				continue
			}
			due = min(due, batch)
		}
		c.begun.Add(due)
		for i := int64(0); i < due; i++ {
			if l.once() == nil {
				check(errors.New(l.name + " has not failed"))
			}
		}
		c.done.Add(due)
	}
}

// report prints the count until it is over.
func (f flood) report(out *json.Encoder, counters []counter, stop <-chan struct{}) error {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	var end <-chan time.Time
	if f.seconds > 0 {
		end = time.After(time.Duration(f.seconds * float64(time.Second)))
	}
	for {
		select {
		case <-tick.C:
			if err := out.Encode(count(counters)); err != nil {
				return err
			}
		case <-end:
			return nil
		case <-stop:
			return nil
		}
	}
}

// count adds up, what is done before what was begun: it is never the larger.
func count(counters []counter) floodCount {
	var c floodCount
	for i := range counters {
		c.Panics += counters[i].done.Load()
	}
	c.UnixNano = time.Now().UnixNano()
	for i := range counters {
		c.PanicsAtMost += counters[i].begun.Load()
	}
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	c.CPUNano = usage.Utime.Nano() + usage.Stime.Nano()
	return c
}
