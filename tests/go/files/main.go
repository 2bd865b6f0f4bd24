// Command files opens descriptors and keeps them, in one of four ways: it leaks
// files by a missing Close or by a Close that is deferred in a loop without end,
// or connections, or it fills a pool and then holds it, which is no leak.
//
// Its first line of output is JSON: what it is going to do and which statement
// opens. It begins when a line comes on standard input, prints each second what
// it has open, and ends when standard input closes.
package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

func main() {
	leak := flag.String("leak", "", "missing (never closed), deferred (closed when an endless loop ends), or net (connections)")
	warm := flag.Int("warm", 0, "fill a pool with so many files instead, and hold it")
	over := flag.Duration("over", 20*time.Second, "how long it takes to fill the pool")
	rate := flag.Float64("rate", 5, "of the leak, a second")
	most := flag.Int("most", 10_000, "where the leak ends")
	flag.Parse()
	var w work
	err := w.choose(*leak, *warm, *over, *rate, *most)
	if err == nil {
		err = w.run()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "files: %v\n", err)
		os.Exit(1)
	}
}

// work is one way to open and keep.
type work struct {
	name     string
	interval time.Duration // between two
	most     int
	closes   string // missing, deferred, or nothing where a watcher should name no site
	function any
	do       func(turns <-chan struct{}, open *atomic.Int64) error
}

// choose finds the way that the command line wants.
func (w *work) choose(leak string, warm int, over time.Duration, rate float64, most int) error {
	if rate <= 0 || over <= 0 || most < 1 || warm < 0 {
		return errors.New("-rate, -over and -most must be positive, and -warm not negative")
	}
	*w = work{name: leak, interval: time.Duration(float64(time.Second) / rate), most: most}
	switch {
	case leak == "missing":
		w.closes, w.function, w.do = "missing", missing, missing
	case leak == "deferred":
		w.closes, w.function, w.do = "deferred", deferred, deferred
	case leak == "net":
		w.function, w.do = connect, connect
	case leak == "" && warm > 0:
		w.name, w.most, w.interval = "warm", warm, over/time.Duration(warm)
		w.function, w.do = fill, fill
	default:
		return fmt.Errorf("no -leak %q: missing, deferred, net, or -warm N", leak)
	}
	return nil
}

// announcement is the first line.
type announcement struct {
	Pid       int    `json:"pid"`
	GoVersion string `json:"go_version"`
	Name      string `json:"name"`
	// Type is that of the descriptors.
	Type string `json:"type"`
	// Close says what is wrong: missing or deferred, or nothing where a watcher
	// has no file to name.
	Close    string `json:"close,omitempty"`
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	// DeferLine is where the close is deferred.
	DeferLine int `json:"defer_line,omitempty"`
}

// counters is each further line. Open does not count what any process has open.
type counters struct {
	UnixNano int64 `json:"unix_nano"`
	Open     int64 `json:"open"`
}

// run announces, waits, and opens at the given rate.
func (w *work) run() error {
	f := runtime.FuncForPC(reflect.ValueOf(w.function).Pointer())
	file, _ := f.FileLine(f.Entry())
	said := announcement{os.Getpid(), runtime.Version(), w.name, "regular", w.closes, f.Name(), file, line(w.name), 0}
	if w.name == "net" {
		said.Type = "socket"
	}
	if w.closes == "deferred" {
		said.DeferLine = line("close")
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(said); err != nil {
		return err
	}
	input := bufio.NewReader(os.Stdin)
	if _, err := input.ReadString('\n'); err != nil {
		return nil
	}
	stopped := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, input)
		close(stopped)
	}()
	turns, failed := make(chan struct{}), make(chan error, 1)
	var open atomic.Int64
	go func() { failed <- w.do(turns, &open) }()
	return w.feed(out, turns, failed, stopped, &open)
}

// feed gives the turns and prints the counters until standard input closes.
func (w *work) feed(out *json.Encoder, turns chan<- struct{}, failed <-chan error, stopped <-chan struct{}, open *atomic.Int64) error {
	second, turn := time.NewTicker(time.Second), time.NewTicker(w.interval)
	defer second.Stop()
	defer turn.Stop()
	start, given := time.Now(), 0
	for {
		select {
		case <-turn.C:
			// What a late waking missed is made up for.
			for due := min(int(time.Since(start)/w.interval), w.most); given < due; given++ {
				select {
				case turns <- struct{}{}:
				case err := <-failed:
					return err
				}
			}
		case now := <-second.C:
			if err := out.Encode(counters{now.UnixNano(), open.Load()}); err != nil {
				return err
			}
		case err := <-failed:
			return err
		case <-stopped:
			return nil
		}
	}
}

//go:embed ways.go
var source string

// line finds the statement that is marked with this name.
func line(name string) int {
	for i, text := range strings.Split(source, "\n") {
		if strings.HasSuffix(text, "// site "+name) {
			return i + 1
		}
	}
	return 0
}
