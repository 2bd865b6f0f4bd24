// Command lookalikes does, for as long as it is let, one of ten things that
// look like a leak of deferred calls for a while and are none. A watcher that
// raises an alarm over any of them is wrong.
//
// It says in one line of JSON what it is going to do and where the bounds are,
// and ends when standard input closes. The irregular ones follow a fixed seed,
// so that two runs do the same.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"os"
	"runtime"
	"time"
)

// scenario is one harmless way to work, which never returns.
type scenario struct {
	name string
	// sitePending is the most that may be pending at any one defer statement of
	// package main, and goroutines the most that may run.
	sitePending, goroutines int
	run                     func(chance *rand.Rand)
}

// scenarios returns all of them. The bounds leave room for the goroutines of
// the runtime and of net/http.
func scenarios() []scenario {
	return []scenario{
		{"bursts", maxBurst, 10, bursts},
		{"recursion", maxDepth, 10, recursion},
		{"workers", maxWorkers, maxWorkers + 10, workers},
		{"parked", parkedGoroutines, parkedGoroutines + 10, parked},
		{"warmup", pooledFiles, 10, warmup},
		{"server", 4 * clients, 8*clients + 10, server},
		{"connections", connections, 2*connections + 10, connectionRamp},
		{"batches", maxBatch, 10, batches},
		{"panics", parsers * maxNesting, parsers + 10, panics},
		{"churn", requests, requests + 10, churn},
	}
}

// announcement is the one line of JSON.
type announcement struct {
	Scenario    string `json:"scenario"`
	GoVersion   string `json:"go_version"`
	SitePending int    `json:"site_pending_at_most"`
	Goroutines  int    `json:"goroutines_at_most"`
}

func main() {
	name := flag.String("scenario", "", "what to do; -list shows all")
	seed := flag.Int64("seed", 1, "of what happens irregularly")
	list := flag.Bool("list", false, "print the names of all scenarios and end")
	flag.Parse()
	if err := run(*name, *seed, *list); err != nil {
		fmt.Fprintf(os.Stderr, "lookalikes: %v\n", err)
		os.Exit(1)
	}
}

func run(name string, seed int64, list bool) error {
	for _, s := range scenarios() {
		if list {
			fmt.Println(s.name)
			continue
		}
		if s.name != name {
			continue
		}
		said := announcement{s.name, runtime.Version(), s.sitePending, s.goroutines}
		if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
			return err
		}
		go s.run(rand.New(rand.NewSource(seed)))
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	if list {
		return nil
	}
	return fmt.Errorf("no scenario %q", name)
}

// between is a time from least to most, by chance.
func between(chance *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(chance.Int63n(int64(most-least)+1))
}

// check ends the program if something fails that cannot: a look-alike that has
// stopped doing what it should would pass every test.
func check(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "lookalikes: %v\n", err)
		os.Exit(1)
	}
}
