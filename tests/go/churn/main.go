// Command churn works hard where probes stand, and checks every result: what
// deferred calls did and in which order, what recover returned, which bytes a
// file had, what lies in stack frames that were moved while defers pointed into
// them. A breakpoint that does harm shows as a wrong result, a crash, or a
// worker that stands still.
//
// Once a second, or as -every says, it prints a line of JSON with what was done since the line
// before. A wrong result is a line that begins with WRONG, and exit code 3. It
// ends with code 0 on SIGTERM or when standard input closes, once every worker
// has finished what it was doing.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// patience is how long the workers may take to finish what they are doing.
	patience = 30 * time.Second
	// workers do each kind of work at the same time.
	workers = 2
)

// kind is work that checks itself; it is done again and again.
type kind struct {
	name string
	work func(chance *rand.Rand)
	done atomic.Uint64
}

func kinds() []*kind {
	all := []*kind{
		{name: "heap", work: heap},
		{name: "stack", work: stack},
		{name: "recover", work: recovered},
		{name: "replace", work: replaced},
		{name: "fault", work: faults},
		{name: "goexit", work: goexit},
		{name: "files", work: files},
		{name: "grow", work: grow},
		{name: "shrink", work: shrink},
		{name: "locked", work: locked},
		{name: "collect", work: collect},
	}
	return append(append(all, rangeKinds()...), foreignKinds()...)
}

// report is one line; counts of work are since the line before.
type report struct {
	Operations uint64            `json:"operations"`
	Kinds      map[string]uint64 `json:"kinds"`
	// Since the start: time and time of the processors in nanoseconds, and cycles of the collector.
	Time int64  `json:"time"`
	CPU  int64  `json:"cpu"`
	GC   uint32 `json:"gc"`
	// The last line: every worker has ended.
	Ended bool `json:"ended"`
}

var start = time.Now()

func main() {
	every := flag.Duration("every", time.Second, "between two lines")
	pause := flag.Duration("pause", 0, "between two pieces of work of a worker")
	seed := flag.Int64("seed", time.Now().UnixNano(), "of all that is random")
	flag.Parse()
	debug.SetGCPercent(10)
	runtime.GOMAXPROCS(4)

	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop <- syscall.SIGTERM
	}()

	all := kinds()
	var over atomic.Bool
	var busy sync.WaitGroup
	for i := 0; i < workers; i++ {
		for j, k := range all {
			busy.Add(1)
			go labour(k, rand.New(rand.NewSource(*seed+int64(i*len(all)+j))), *pause, &over, &busy)
		}
	}
	line := time.NewTicker(*every)
	before := make(map[string]uint64)
	for {
		select {
		case <-line.C:
			print(all, before, false)
		case <-stop:
			over.Store(true)
			within(&busy, "the workers end")
			print(all, before, true)
			return
		}
	}
}

func labour(k *kind, chance *rand.Rand, pause time.Duration, over *atomic.Bool, busy *sync.WaitGroup) {
	defer busy.Done()
	for !over.Load() {
		k.work(chance)
		k.done.Add(1)
		// Without it those that never wait would leave little to the others.
		runtime.Gosched()
		if pause > 0 {
			time.Sleep(pause)
		}
	}
}

func print(all []*kind, before map[string]uint64, ended bool) {
	said := report{Kinds: make(map[string]uint64), Time: int64(time.Since(start)), CPU: cpu(), Ended: ended}
	for _, k := range all {
		now := k.done.Load()
		said.Kinds[k.name] = now - before[k.name]
		said.Operations += now - before[k.name]
		before[k.name] = now
	}
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	said.GC = uint32(gc.NumGC)
	if json.NewEncoder(os.Stdout).Encode(said) != nil {
		// Whoever reads it has gone.
		os.Exit(1)
	}
}

// cpu is the time that the process has used, in nanoseconds.
func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		wrong("getrusage: %v", err)
	}
	return syscall.TimevalToNsec(usage.Utime) + syscall.TimevalToNsec(usage.Stime)
}

// within waits, and takes it for wrong if that takes too long.
func within(busy *sync.WaitGroup, what string) {
	ended := make(chan struct{})
	go func() {
		busy.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		wrong("not within %v: %s", patience, what)
	}
}

// wrong ends the program.
func wrong(format string, arguments ...any) {
	fmt.Printf("WRONG "+format+"\n", arguments...)
	os.Exit(3)
}

// expect holds what was found to what must be.
func expect[T comparable](what string, found, wanted T) {
	if found != wanted {
		wrong("%s: %v instead of %v", what, found, wanted)
	}
}
