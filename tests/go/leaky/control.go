package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
)

// counters is the service's own account of itself.
type counters struct {
	// Pending is the number of deferred calls pending, and PendingAtMost what
	// it may be if a turn is under way: read Pending before a snapshot and
	// PendingAtMost after it, and the truth at the snapshot lies between.
	Pending       int64 `json:"pending"`
	PendingAtMost int64 `json:"pending_at_most"`
	Goroutines    int   `json:"goroutines"`

	// Site is "main.go:LINE" of the defer statement, empty before its first turn.
	Site     string `json:"site"`
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Paused   bool   `json:"paused"`
	Stopped  bool   `json:"stopped"`
}

func (s *shipper) counters() counters {
	c := counters{
		Pending:       s.pending.Load(),
		PendingAtMost: s.around.Load(), // after pending: it is never the smaller one
		Goroutines:    runtime.NumGoroutine(),
	}
	if at := s.site.Load(); at != nil {
		c.Site = fmt.Sprintf("%s:%d", filepath.Base(at.file), at.line)
		c.Function, c.File, c.Line = at.function, at.file, at.line
	}
	s.feeding.Lock()
	defer s.feeding.Unlock()
	c.Paused, c.Stopped = s.paused, s.closed
	return c
}

// control answers GET /counters, POST /pause, /resume and /stop, each with the
// counters as they are afterwards.
func (s *shipper) control() http.Handler {
	mux := http.NewServeMux()
	on := func(path, method string, do func()) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != method {
				http.Error(w, "only "+method, http.StatusMethodNotAllowed)
				return
			}
			do()
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(s.counters())
		})
	}
	on("/counters", http.MethodGet, func() {})
	on("/pause", http.MethodPost, s.pause)
	on("/resume", http.MethodPost, s.resume)
	on("/stop", http.MethodPost, s.stop)
	return mux
}
