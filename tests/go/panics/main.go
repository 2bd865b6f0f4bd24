// Command panics raises one panic of every kind, each announced before it
// happens: a line of JSON says the stages it will go through, the type and
// message of its value, and where it is raised. A watcher can be held to that.
//
// Each case is rehearsed before the first line is printed, and what the runtime
// itself says about value and place is what is announced; each is checked again
// when it counts. Between the two it waits for a line on standard input, so
// that whoever watches is ready, and says "done NAME" afterwards. It ends when
// standard input closes.
//
// With -flood a library panics as control flow, as often as is asked, and the
// program counts along. When that is over it still waits for the end of standard
// input.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
)

// input is where a watcher says that it is ready.
var input = bufio.NewReader(os.Stdin)

func main() {
	name := flag.String("case", "all", "which one; all leaves out those that end the program; -list shows them")
	list := flag.Bool("list", false, "print the names of all cases and end")
	rate := flag.Float64("flood", -1, "panics a second inside a library, 0 for as many as can be; instead of -case")
	library := flag.String("library", floodLibrary(), "of the flood: the name of a case of a library")
	goroutines := flag.Int("goroutines", 1, "of the flood")
	seconds := flag.Float64("seconds", 0, "of the flood; 0 is until standard input closes")
	every := flag.Duration("every", defaultEvery, "between two lines of the flood")
	flag.Parse()
	switch {
	case *list:
		for _, c := range cases() {
			fmt.Println(c.name)
		}
	case *rate >= 0:
		check(runFlood(flood{*library, *rate, *goroutines, *seconds, *every}))
	default:
		check(runCases(*name))
	}
}

// check ends the program if something is not as it was announced, or asked for
// what is not there: a watcher must not be held to what did not happen.
func check(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "panics: %v\n", err)
		os.Exit(3)
	}
}

// awaitLine waits for a line on standard input, or ends the program with it.
func awaitLine() {
	if _, err := input.ReadString('\n'); err != nil {
		os.Exit(0)
	}
}
