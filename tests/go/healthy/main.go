// Command healthy uses defer in every harmless way that looks like a leak from
// afar: bursts of deferred calls in a loop that ends, a worker pool, deep
// recursion, goroutines that park with one deferred call each. A watcher that
// raises an alarm over it is wrong.
//
// It reads commands, one per line, from standard input and answers each with
// one line of JSON: "counters", "park" (finish what is running and hold still),
// "resume". "exec PROGRAM ARGUMENT..." makes the process run another program.
// It ends when standard input closes.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// counters is the program's own account of itself.
type counters struct {
	Pid        int    `json:"pid"`
	GoVersion  string `json:"go_version"`
	Goroutines int    `json:"goroutines"`
	Parked     bool   `json:"parked"`
	// Pending counts deferred calls of heap and stack records in package main:
	// exact while parked, somewhere up to Pending + Burst + Depth otherwise.
	Pending int   `json:"pending"`
	Burst   int   `json:"burst"`
	Depth   int   `json:"depth"`
	Rounds  int64 `json:"rounds"` // bursts and recursions finished so far
}

func main() {
	burst := flag.Int("burst", 500, "deferred calls of one burst")
	depth := flag.Int("depth", 200, "depth of the recursion, one deferred call per level")
	waiters := flag.Int("waiters", 64, "goroutines that park for ever with one deferred call each")
	workers := flag.Int("workers", 8, "goroutines of the worker pool")
	flag.Parse()

	l := newLoad(*burst, *depth)
	l.start(*waiters, *workers)
	answer := func() {
		rounds, parked := l.state()
		_ = json.NewEncoder(os.Stdout).Encode(counters{
			Pid: os.Getpid(), GoVersion: runtime.Version(), Goroutines: runtime.NumGoroutine(),
			Parked: parked, Pending: *waiters, Burst: *burst, Depth: *depth, Rounds: rounds,
		})
	}
	answer()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		command, arguments, _ := strings.Cut(lines.Text(), " ")
		switch command {
		case "counters":
		case "park":
			l.park()
		case "resume":
			l.resume()
		case "exec":
			become(strings.Fields(arguments))
			continue
		default:
			fmt.Fprintf(os.Stderr, "healthy: unknown command %q\n", command)
			continue
		}
		answer()
	}
}

// become runs another program in this process, and returns only if it cannot.
func become(command []string) {
	if len(command) == 0 {
		fmt.Fprintln(os.Stderr, "healthy: exec needs a program")
		return
	}
	err := syscall.Exec(command[0], command, os.Environ())
	fmt.Fprintf(os.Stderr, "healthy: %s: %v\n", command[0], err)
}
