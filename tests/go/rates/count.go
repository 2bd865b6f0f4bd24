package main

import (
	"encoding/json"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// counter is that of one goroutine, on a cache line of its own.
type counter struct {
	begun, done, calls atomic.Int64
	_                  [104]byte
}

// counts is one line. The true number of registrations at UnixNano lies between
// Registrations and RegistrationsAtMost.
type counts struct {
	UnixNano            int64 `json:"unix_nano"`
	Registrations       int64 `json:"registrations"`
	RegistrationsAtMost int64 `json:"registrations_at_most"`
	Returns             int64 `json:"returns"`
	// CPUNano is what the process has used so far.
	CPUNano int64 `json:"cpu_ns"`
	// Allocations are those of the whole run, of which a few are the report's own.
	Allocations uint64 `json:"allocations,omitempty"`
	End         bool   `json:"end,omitempty"`
}

// count adds up, what is done before what was begun: it is never the larger.
func count(counters []counter) counts {
	var c counts
	for i := range counters {
		c.Registrations += counters[i].done.Load()
		c.Returns += counters[i].calls.Load()
	}
	c.UnixNano = time.Now().UnixNano()
	for i := range counters {
		c.RegistrationsAtMost += counters[i].begun.Load()
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		c.CPUNano = usage.Utime.Nano() + usage.Stime.Nano()
	}
	return c
}

// report prints the counters until time is up or nobody listens any more.
func report(out *json.Encoder, o options, counters []counter, stopped <-chan struct{}) error {
	tick := time.NewTicker(o.every)
	defer tick.Stop()
	var end <-chan time.Time
	if o.seconds > 0 {
		end = time.After(time.Duration(o.seconds * float64(time.Second)))
	}
	for {
		select {
		case <-tick.C:
			if err := out.Encode(count(counters)); err != nil {
				return err
			}
		case <-end:
			return nil
		case <-stopped:
			return nil
		}
	}
}

// allocations is how many objects the process has allocated.
func allocations() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}
