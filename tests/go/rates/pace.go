package main

import (
	"sync/atomic"
	"time"
)

const (
	// burst is the share of each second in which a bursty program works.
	burst = 0.3
	// nap is the shortest sleep: below it the timer is no longer true to its word.
	// Fast rates do more at each waking instead.
	nap = time.Millisecond
)

// pace says how much may be done by now. It follows the clock, so that what a
// late waking missed is made up for; one goroutine uses it.
type pace struct {
	start  time.Time
	rate   float64 // a second; 0 is no limit
	bursty bool
	over   *atomic.Bool
	taken  int64
}

// due waits until at least one unit may be done, and returns how much of it: a
// whole number of units, at most the limit, or 0 once it is over.
func (p *pace) due(unit, most int64) int64 {
	most = max(most/unit, 1) * unit
	for !p.over.Load() {
		elapsed := time.Since(p.start).Seconds()
		working, later := p.phase(elapsed)
		if p.rate == 0 {
			if working {
				p.taken += most
				return most
			}
			time.Sleep(later)
			continue
		}
		if free := int64(p.allowed(elapsed)) - p.taken; free >= unit {
			free = min(free/unit*unit, most)
			p.taken += free
			return free
		}
		if working {
			rate := p.rate
			if p.bursty {
				rate /= burst
			}
			missing := float64(p.taken+unit) - p.allowed(elapsed)
			later = time.Duration(missing / rate * float64(time.Second))
		}
		// Not for long: it may be over.
		time.Sleep(min(max(later, nap), 100*time.Millisecond))
	}
	return 0
}

// allowed is what may have been done after this many seconds.
func (p *pace) allowed(elapsed float64) float64 {
	if !p.bursty {
		return p.rate * elapsed
	}
	whole := float64(int64(elapsed))
	return p.rate * (whole + min((elapsed-whole)/burst, 1))
}

// phase says whether this is a time to work, and otherwise for how long it is not.
func (p *pace) phase(elapsed float64) (working bool, later time.Duration) {
	within := elapsed - float64(int64(elapsed))
	if !p.bursty || within < burst {
		return true, 0
	}
	return false, time.Duration((1 - within) * float64(time.Second))
}
