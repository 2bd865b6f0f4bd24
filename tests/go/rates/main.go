// Command rates registers deferred calls at a rate that is asked for, and counts
// them, so that a watcher's estimate can be held to the truth, and what the
// watcher costs can be seen.
//
// Its first line of output is JSON: what it is going to do and where. It begins
// when a line comes on standard input, prints its counters every -every, and
// ends with the input or after -seconds; the last line has "end":true. With
// -serve it is an HTTP service that registers ten calls per request; with -load
// it is the client of one.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// options are those of the command line.
type options struct {
	rate       float64 // registrations a second, of all goroutines together; 0 is as fast as can be
	perCall    int
	goroutines int
	shape      string
	kind       string
	seconds    float64 // 0 is until standard input closes
	every      time.Duration
}

func main() {
	var o options
	flag.Float64Var(&o.rate, "rate", 1000, "registrations a second, all together; 0 for as many as can be")
	flag.IntVar(&o.perCall, "per-call", 10, "registrations per call of the function")
	flag.IntVar(&o.goroutines, "goroutines", 1, "that share the rate")
	flag.StringVar(&o.shape, "shape", "steady", "steady, bursty (three tenths of each second), or endless (the function never returns)")
	flag.StringVar(&o.kind, "kind", "noalloc", "noalloc, closure, or stack (at most 16 per call)")
	flag.Float64Var(&o.seconds, "seconds", 0, "how long; 0 is until standard input closes")
	flag.DurationVar(&o.every, "every", time.Second, "between two lines of counters")
	serve := flag.String("serve", "", "be an HTTP service on this address instead")
	load := flag.String("load", "", "be the client of the service with this URL instead")
	connections := flag.Int("conns", 4, "of the client")
	flag.Parse()
	var err error
	switch {
	case *load != "":
		err = runLoad(*load, *connections, o.seconds)
	case *serve != "":
		err = runService(*serve, o)
	default:
		err = run(o)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "rates: %v\n", err)
		os.Exit(1)
	}
}

// announcement is the first line.
type announcement struct {
	Pid       int    `json:"pid"`
	GoVersion string `json:"go_version"`
	// Address is that of the service.
	Address string `json:"address,omitempty"`
	// Function registers, at each of Sites equally often.
	Function string `json:"function"`
	File     string `json:"file"`
	Sites    []int  `json:"sites"`
	// Returns says that the function returns: otherwise all stays pending.
	Returns bool `json:"returns"`
}

// listen closes the one channel when a line has come, and the other when
// standard input is closed.
func listen() (begin <-chan struct{}, stopped <-chan struct{}) {
	line, end := make(chan struct{}), make(chan struct{})
	go func() {
		input := bufio.NewReader(os.Stdin)
		if _, err := input.ReadString('\n'); err == nil {
			close(line)
			_, _ = io.Copy(io.Discard, input)
		}
		close(end)
	}()
	return line, end
}

// run does what the options say.
func run(o options) error {
	w, err := newWork(o)
	if err != nil {
		return err
	}
	begin, stopped := listen()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(w.announcement()); err != nil {
		return err
	}
	select {
	case <-begin:
	case <-stopped:
		return nil
	}
	before := allocations()
	w.start()
	if err := report(out, o, w.counters, stopped); err != nil {
		return err
	}
	if o.shape != "endless" {
		w.stop() // a function that never returns has no end but that of the program
	}
	last := count(w.counters)
	last.End = true
	last.Allocations = allocations() - before
	return out.Encode(last)
}
