// Command leaky is a small log shipper with a bug that is easy to write and
// hard to see: its worker opens the log once per turn of an endless loop and
// defers the close, so no file is closed before the worker returns, which is
// never. The service works, and each turn costs a file and a deferred call.
//
// It counts its own deferred calls, so that a watcher can be held to the truth.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// ship forwards what was appended to the log, once per signal on grown.
func (s *shipper) ship() {
	for range s.grown {
		file, err := s.open()
		if err != nil {
			log.Printf("leaky: %v", err)
			s.turns.Done()
			continue
		}
		s.aboutToDefer() // names the next line as the site
		defer file.Close()
		s.deferred()
		if _, err := io.Copy(io.Discard, file); err != nil {
			log.Printf("leaky: %v", err)
		}
		s.turns.Done()
	}
}

func main() {
	rate := flag.Int("rate", 40, "turns, and so deferred calls, per second (1 to 100000)")
	files := flag.Int("files", 200, "files really opened; later turns defer the close of the last one again")
	exitWithStdin := flag.Bool("exit-with-stdin", false, "end when standard input closes, so as never to survive the parent")
	flag.Parse()
	if *rate < 1 || *rate > 100000 || *files < 1 {
		fmt.Fprintln(os.Stderr, "leaky: -rate is 1 to 100000, -files at least 1")
		os.Exit(2)
	}
	if err := run(*rate, *files, *exitWithStdin); err != nil {
		fmt.Fprintf(os.Stderr, "leaky: %v\n", err)
		os.Exit(1)
	}
}

// run serves until it is told to end: by a signal or, if asked for, by the end
// of standard input.
func run(rate, files int, exitWithStdin bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if exitWithStdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}

	s, err := newShipper(files)
	if err != nil {
		return err
	}
	defer s.remove()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s.control()}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()

	go s.work()
	go s.feed(rate)
	fmt.Printf("leaky: pid %d listens on http://%s\n", os.Getpid(), listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
