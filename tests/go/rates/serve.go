package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"runtime"
)

const (
	// perRequest is how many deferred calls a request registers.
	perRequest = 10
	// rounds of a digest are the work of a request: some tens of microseconds.
	rounds = 20
)

// runService serves until standard input closes, and prints its counters.
func runService(address string, o options) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	_, stopped := listen()
	counters := make([]counter, 1)
	server := &http.Server{Handler: handler(&counters[0])}
	said := announcement{
		Pid: os.Getpid(), GoVersion: runtime.Version(), Address: listener.Addr().String(),
		Sites: sites("noalloc", 1), Returns: true,
	}
	said.Function, said.File = place(noalloc)
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(said); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := report(out, o, counters, stopped); err != nil {
		return err
	}
	_ = server.Close()
	<-failed
	last := count(counters)
	last.End = true
	return out.Encode(last)
}

// handler answers with a digest and defers on the way, in a loop.
func handler(c *counter) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.begun.Add(perRequest)
		noalloc(perRequest)
		c.done.Add(perRequest)
		c.calls.Add(1)
		digest := sha256.Sum256([]byte(r.URL.Path))
		for i := 0; i < rounds; i++ {
			digest = sha256.Sum256(digest[:])
		}
		_, _ = w.Write([]byte(hex.EncodeToString(digest[:])))
	})
}
