// Command matrix holds one defer site of every kind that the compiler and the
// runtime know, all of them parked, and says exactly what is pending where: one
// line of JSON on standard output. What it says is computed by the program
// itself while it registers, so no line number is ever written by hand.
//
// It holds still until standard input closes. With -selftest it then lets every
// deferred call run and compares what ran with what it had announced.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
)

// announcement is the one line of JSON. Sites is complete for package main; a
// watcher that reads open-coded defers will see those of the runtime and the
// standard library beside them.
type announcement struct {
	Pid        int    `json:"pid"`
	GoVersion  string `json:"go_version"`
	Goroutines int    `json:"goroutines"` // runtime.NumGoroutine
	Sites      []site `json:"sites"`
}

func main() {
	goroutines := flag.Int("goroutines", 3, "goroutines of the scenario heapClosure")
	depth := flag.Int("depth", 50, "deferred calls per goroutine of the scenario heapClosure")
	only := flag.String("only", "", "run this one scenario, such as heapClosure")
	selftest := flag.Bool("selftest", false, "check the announcement and end")
	flag.Parse()
	if err := run(*goroutines, *depth, *only, *selftest); err != nil {
		fmt.Fprintf(os.Stderr, "matrix: %v\n", err)
		os.Exit(1)
	}
}

func run(goroutines, depth int, only string, selftest bool) error {
	before := runtime.NumGoroutine()
	b := newBook()
	if b.start(scenarios(goroutines, depth), only) == 0 {
		return fmt.Errorf("no scenario %q", only)
	}
	b.waitUntilParked()
	said := announcement{os.Getpid(), runtime.Version(), runtime.NumGoroutine(), b.sites()}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		return err
	}
	if selftest {
		return b.check(said, before)
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// scenario is a function to run in its own goroutines, each with size
// deferred calls (or levels of recursion).
type scenario struct {
	name             string
	goroutines, size int
	run              func(h *holder, size int)
}

// scenarios returns all of them. The sizes differ, so that no two sites can be
// taken for one another.
func scenarios(goroutines, depth int) []scenario {
	return append([]scenario{
		{"heapClosure", goroutines, depth, heapClosure},
		{"heapMethod", 2, 4, heapMethod},
		{"heapUnlock", 2, 5, heapUnlock},
		{"heapArguments", 2, 6, heapArguments},
		{"heapFunction", 2, 7, heapFunction},
		{"heapInterface", 2, 8, heapInterface},
		{"heapGeneric", 2, 9, heapGeneric[string]},
		{"heapNested", 2, 10, heapNested},
		{"heapBlocked", 2, 11, heapBlocked},
		{"heapPanicking", 2, 12, heapPanicking},
		{"twoSites", 2, 13, twoSites},
		{"stackOnce", 2, 0, stackOnce},
		{"stackRecursion", 2, 14, stackRecursion},
		{"openThree", 2, 0, openThree},
		{"openRecursion", 2, 3, openRecursion},
		{"openElsewhere", 2, 1, openElsewhere},
	}, rangeScenarios()...)
}
