// Command leaks has one of five bugs with defer, each easy to write: a function
// that does not return registers one deferred call per turn. It counts them, so
// that a watcher can be held to the truth, and says where the fault is before
// it begins.
//
// Its first line of output is JSON: the scenario, where it listens, and the
// site at fault. On that address GET /counters tells its own account; POST
// /start lets the faulty functions run and turn, /pause holds them where they
// are, /stop lets them return, and so runs all that they have deferred. The
// leak begins at once, or with -paused at the first /start.
//
// It ends when standard input closes.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
)

// scenario is one faulty function, which returns when there are no more turns.
type scenario struct {
	name    string
	kind    string // of the deferred calls: heap, or rangefunc
	rate    int    // turns per second, of all workers together
	workers int    // goroutines that run it
	run     func(m *meter)
}

func scenarios() []scenario {
	return append([]scenario{
		{"files", "heap", 40, 1, files},
		{"closures", "heap", 2, 1, closures},
		{"consumer", "heap", 10, 1, consumer},
		{"workers", "heap", 20, 4, worker},
	}, rangeScenarios()...)
}

// announcement is the first line.
type announcement struct {
	Scenario  string `json:"scenario"`
	GoVersion string `json:"go_version"`
	Address   string `json:"address"`
	Rate      int    `json:"rate"`
	Workers   int    `json:"workers"`
	Kind      string `json:"kind"`
	Site      site   `json:"site"`
}

func main() {
	name := flag.String("scenario", "", "what to do wrong; -list shows all")
	rate := flag.Int("rate", 0, "deferred calls per second (1 to 1000); 0 is the scenario's own")
	paused := flag.Bool("paused", false, "do not begin before POST /start")
	list := flag.Bool("list", false, "print the names of all scenarios and end")
	flag.Parse()
	if *rate < 0 || *rate > 1000 {
		fmt.Fprintln(os.Stderr, "leaks: -rate is 1 to 1000")
		os.Exit(2)
	}
	if err := run(*name, *rate, *paused, *list); err != nil {
		fmt.Fprintf(os.Stderr, "leaks: %v\n", err)
		os.Exit(1)
	}
}

func run(name string, rate int, paused, list bool) error {
	for _, s := range scenarios() {
		if list {
			fmt.Println(s.name)
		}
		if s.name == name {
			if rate != 0 {
				s.rate = rate
			}
			return serve(s, paused)
		}
	}
	if list {
		return nil
	}
	return fmt.Errorf("no scenario %q", name)
}

// serve runs the scenario and its control until standard input closes.
func serve(s scenario, paused bool) error {
	l, err := newLeak(s)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: l.control()}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	said := announcement{s.name, runtime.Version(), listener.Addr().String(), s.rate, s.workers, s.kind, l.learned()}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		return err
	}
	if !paused {
		l.start()
	}
	go l.feed()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
