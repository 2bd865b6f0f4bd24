package main

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"
	"time"
)

// sources are this program's own, to look the announced lines up.
//
//go:embed *.go
var sources embed.FS

// check compares the announcement with the source, with itself and, after
// letting every deferred call run, with what ran. It returns all differences.
func (b *book) check(said announcement, goroutinesBefore int) error {
	var wrong []error
	complain := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf(format, args...))
	}

	expected := make(map[string]int)
	for _, s := range said.Sites {
		at := fmt.Sprintf("%s:%d", s.File, s.Line)
		if line := sourceLine(s.File, s.Line); !strings.HasPrefix(line, "defer ") {
			complain("%s is not a defer statement but %q", at, line)
		}
		if line := sourceLine(s.File, s.LoopLine); s.Kind == ranges && !strings.HasPrefix(line, "for ") {
			complain("%s: line %d is not a loop but %q", at, s.LoopLine, line)
		}
		if s.Goroutines < 1 || s.MaxChain < 1 || s.Pending < s.MaxChain || s.Pending > s.MaxChain*s.Goroutines {
			complain("%s: %d pending, %d goroutines, %d in one", at, s.Pending, s.Goroutines, s.MaxChain)
		}
		if s.Callee == "" {
			s.Callee = nameOf((*closing).Close)
		}
		if strings.HasPrefix(s.Callee, "main.") {
			expected[s.Callee] += s.Pending
		}
	}
	delete(expected, nameOf(plain)) // it has no account to count in

	close(b.release)
	b.ended.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > goroutinesBefore {
		if time.Now().After(deadline) {
			complain("%d goroutines left, %d before", runtime.NumGoroutine(), goroutinesBefore)
			break
		}
		time.Sleep(time.Millisecond)
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	for callee, n := range expected {
		if b.ran[callee] != n {
			complain("%s: announced %d times, ran %d times", callee, n, b.ran[callee])
		}
	}
	for callee, n := range b.ran {
		if expected[callee] == 0 {
			complain("%s: never announced, ran %d times", callee, n)
		}
	}
	return errors.Join(wrong...)
}

// sourceLine returns a line of this program without its indentation.
func sourceLine(file string, line int) string {
	text, err := sources.ReadFile(path.Base(file))
	lines := strings.Split(string(text), "\n")
	if err != nil || line < 1 || line > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[line-1])
}
