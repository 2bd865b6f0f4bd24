package main

import (
	"encoding/json"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"
)

// maxFiles is how many files are really opened.
const maxFiles = 200

// leak runs the faulty function when it is told to.
type leak struct {
	scenario
	meter

	feeding sync.Mutex // held while a turn is given
	started bool
	paused  bool
	running sync.WaitGroup // workers
}

// counters is the program's own account of itself.
type counters struct {
	// Pending is the number of deferred calls pending, and PendingAtMost what
	// it may be if a turn is under way: read Pending before a snapshot and
	// PendingAtMost after it, and the truth at the snapshot lies between.
	Pending       int64 `json:"pending"`
	PendingAtMost int64 `json:"pending_at_most"`
	Goroutines    int   `json:"goroutines"`
	Started       bool  `json:"started"`
	Paused        bool  `json:"paused"`
}

func newLeak(s scenario) (*leak, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &leak{scenario: s}
	l.path = path
	return l, nil
}

// learned lets one worker do one turn and return: then the site is known.
func (l *leak) learned() site {
	workers := l.workers
	l.workers = 1
	l.start()
	l.give()
	l.stop()
	l.workers = workers
	return *l.site.Load()
}

// start lets the workers begin, or go on.
func (l *leak) start() {
	l.feeding.Lock()
	defer l.feeding.Unlock()
	l.paused = false
	if l.started {
		return
	}
	l.started = true
	l.quota.Store(maxFiles)
	l.turns = make(chan struct{})
	for i := 0; i < l.workers; i++ {
		l.running.Add(1)
		go func() {
			l.run(&l.meter)
			l.running.Done()
		}()
	}
}

// pause waits until no turn is under way: from then on the count is exact and
// constant.
func (l *leak) pause() {
	l.feeding.Lock()
	defer l.feeding.Unlock()
	l.paused = true
	l.unfinished.Wait()
}

// stop lets the workers return and waits until all that they deferred has run.
func (l *leak) stop() {
	l.feeding.Lock()
	defer l.feeding.Unlock()
	if !l.started {
		return
	}
	l.unfinished.Wait()
	close(l.turns)
	l.running.Wait()
	l.started = false
	l.around.Store(0)
	l.pending.Store(0)
}

// give gives one turn, if there is someone to take it.
func (l *leak) give() {
	l.feeding.Lock()
	defer l.feeding.Unlock()
	if l.started && !l.paused {
		l.unfinished.Add(1)
		l.turns <- struct{}{}
	}
}

// feed gives turns at the scenario's rate, for ever.
func (l *leak) feed() {
	for range time.Tick(time.Second / time.Duration(l.rate)) {
		l.give()
	}
}

func (l *leak) counters() counters {
	l.feeding.Lock()
	defer l.feeding.Unlock()
	return counters{
		Pending:       l.pending.Load(),
		PendingAtMost: l.around.Load(), // after pending: it is never the smaller one
		Goroutines:    runtime.NumGoroutine(),
		Started:       l.started,
		Paused:        l.paused,
	}
}

// control answers GET /counters, POST /start, /pause and /stop, each with the
// counters as they are afterwards.
func (l *leak) control() http.Handler {
	mux := http.NewServeMux()
	on := func(path, method string, do func()) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != method {
				http.Error(w, "only "+method, http.StatusMethodNotAllowed)
				return
			}
			do()
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(l.counters())
		})
	}
	on("/counters", http.MethodGet, func() {})
	on("/start", http.MethodPost, l.start)
	on("/pause", http.MethodPost, l.pause)
	on("/stop", http.MethodPost, l.stop)
	return mux
}
