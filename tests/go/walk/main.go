// Command walk holds pending defers and knows how many.
//
// It takes commands on standard input, one per line, and answers each with one line of JSON: its own counts. When
// the answer is there, what the command asked for is in place.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// answer is what the program knows about itself.
type answer struct {
	Error      string           `json:"error,omitempty"`
	Goroutines int              `json:"goroutines"`
	Pending    map[string]int64 `json:"pending"`
	// A growing loop counts before (begun) and after (done) each defer statement.
	LeakBegun int64  `json:"leak_begun"`
	LeakDone  int64  `json:"leak_done"`
	NumGC     uint32 `json:"num_gc"`
	PauseNs   uint64 `json:"pause_ns"`
	NextGC    uint64 `json:"next_gc"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	replies := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		err := obey(strings.Fields(lines.Text()))
		reply := counts()
		if err != nil {
			reply.Error = err.Error()
		}
		if replies.Encode(reply) != nil {
			return
		}
	}
}

func obey(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("no command")
	}
	if words[0] == "exec" {
		// The answer comes first: afterwards there is nobody to give it.
		if err := json.NewEncoder(os.Stdout).Encode(counts()); err != nil {
			return err
		}
		return syscall.Exec(words[1], []string{words[1], "60"}, nil)
	}
	numbers := make([]int, 0, len(words))
	for _, word := range words[1:] {
		number, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		numbers = append(numbers, number)
	}
	arg := func(i int) int {
		if i < len(numbers) {
			return numbers[i]
		}
		return 1
	}
	switch words[0] {
	case "count":
	case "wait":
		time.Sleep(time.Duration(arg(0)) * time.Millisecond)
	case "gc":
		runtime.GC()
	case "loop":
		hold("main.loopDefers", arg(0), arg(1), loopDefers)
	case "static":
		hold("main.staticDefers", arg(0), arg(1), staticDefers)
	case "stack":
		hold("main.stackDefers", arg(0), 9, stackDefers)
	case "open":
		hold("main.openCoded", arg(0), 2, openCoded)
	case "files":
		hold("main.closeFiles", arg(0), arg(1), closeFiles)
	case "locks":
		hold("main.unlockAll", arg(0), arg(1), unlockAll)
	case "range":
		if rangeDefers == nil {
			return fmt.Errorf("needs go1.23")
		}
		hold("main.rangeBody", arg(0), arg(1), rangeDefers)
	case "leak":
		go leak()
	case "pause":
		setPaused(true)
	case "resume":
		setPaused(false)
	case "churn":
		for i := 0; i < arg(0); i++ {
			go churn()
		}
	case "spin":
		go spin()
	default:
		return fmt.Errorf("unknown command %q", words[0])
	}
	return nil
}

func counts() answer {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return answer{
		Goroutines: runtime.NumGoroutine(),
		Pending:    held(),
		LeakBegun:  leakBegun.Load(),
		LeakDone:   leakDone.Load(),
		NumGC:      stats.NumGC,
		PauseNs:    stats.PauseTotalNs,
		NextGC:     stats.NextGC,
	}
}
