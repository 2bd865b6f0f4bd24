package main

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// shipper is the log, the worker that ships it, and the exact count of what
// that worker has deferred.
type shipper struct {
	log   *os.File // as the application writes it
	last  *os.File // as the worker opened it last
	quota int      // files that may still be opened

	grown   chan struct{}  // one signal per line appended
	turns   sync.WaitGroup // signals sent whose turn is not finished
	stopped chan struct{}  // closed once the worker has returned

	feeding sync.Mutex // held while a line is appended
	paused  bool
	closed  bool

	// around counts a deferred call just before its statement, pending just
	// after it: what is truly pending lies between the two, and is equal to
	// both whenever no turn is under way.
	around  atomic.Int64
	pending atomic.Int64
	site    atomic.Pointer[site]
}

// site is where the leaking statement stands.
type site struct {
	function, file string
	line           int
}

func newShipper(files int) (*shipper, error) {
	file, err := os.CreateTemp("", "leaky-*.log")
	if err != nil {
		return nil, err
	}
	return &shipper{
		log:     file,
		quota:   files,
		grown:   make(chan struct{}),
		stopped: make(chan struct{}),
	}, nil
}

func (s *shipper) remove() { _ = os.Remove(s.log.Name()) }

// open opens the log. Once the quota is used up it hands out the last file
// again, so that the leak can go on without running out of descriptors.
func (s *shipper) open() (*os.File, error) {
	if s.quota == 0 {
		return s.last, nil
	}
	file, err := os.Open(s.log.Name())
	if err != nil {
		return nil, err
	}
	s.quota--
	s.last = file
	return file, nil
}

// aboutToDefer counts the deferred call that the caller's next line makes, and
// remembers that line. It is not inlined, so that the caller stays the caller.
//
//go:noinline
func (s *shipper) aboutToDefer() {
	s.around.Add(1)
	if s.site.Load() != nil {
		return
	}
	pc, file, line, _ := runtime.Caller(1)
	s.site.Store(&site{runtime.FuncForPC(pc).Name(), file, line + 1})
}

func (s *shipper) deferred() { s.pending.Add(1) }

// work runs the worker. When it returns, all its deferred calls have run.
func (s *shipper) work() {
	s.ship()
	s.around.Store(0)
	s.pending.Store(0)
	close(s.stopped)
}

// feed appends lines to the log, rate per second, until the shipper is stopped.
func (s *shipper) feed(rate int) {
	// Above 1000 a second a ticker is late: several lines go at one tick.
	interval := time.Second / time.Duration(rate)
	if interval < time.Millisecond {
		interval = time.Millisecond
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()

	owed, then := 0.0, time.Now()
	for now := range ticker.C {
		owed += now.Sub(then).Seconds() * float64(rate)
		then = now
		for ; owed >= 1; owed-- {
			if !s.appendLine() {
				return
			}
		}
	}
}

// appendLine wakes the worker with a new line and says whether to go on. The
// log keeps its newest line alone: a demo must not fill the disk.
func (s *shipper) appendLine() bool {
	s.feeding.Lock()
	defer s.feeding.Unlock()
	if s.closed {
		return false
	}
	if s.paused {
		return true
	}
	line := strconv.FormatInt(time.Now().UnixNano(), 10) + " request served\n"
	_, _ = s.log.WriteAt([]byte(line), 0)
	s.turns.Add(1)
	s.grown <- struct{}{}
	return true
}

// pause stops the feed and waits until no turn is under way: from then on the
// count is exact and constant.
func (s *shipper) pause() {
	s.feeding.Lock()
	defer s.feeding.Unlock()
	s.paused = true
	s.turns.Wait()
}

func (s *shipper) resume() {
	s.feeding.Lock()
	defer s.feeding.Unlock()
	s.paused = false
}

// stop lets the worker return and waits until its deferred calls have run.
func (s *shipper) stop() {
	s.feeding.Lock()
	if !s.closed {
		s.closed = true
		close(s.grown)
	}
	s.feeding.Unlock()
	<-s.stopped
}
