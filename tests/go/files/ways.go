package main

import (
	"net"
	"os"
	"sync/atomic"
)

// Each way runs until there are no more turns, and takes one thing per turn. What
// it takes stays referred to: a file that is not would be closed by its finalizer.

// missing opens and forgets to close.
//
//go:noinline
func missing(turns <-chan struct{}, open *atomic.Int64) error {
	var kept []*os.File
	for range turns {
		file, err := os.Open(os.Args[0]) // site missing
		if err != nil {
			return err
		}
		kept = append(kept, file)
		open.Store(int64(len(kept)))
	}
	return nil
}

// deferred opens and closes when it returns, which it never does.
//
//go:noinline
func deferred(turns <-chan struct{}, open *atomic.Int64) error {
	for range turns {
		file, err := os.Open(os.Args[0]) // site deferred
		if err != nil {
			return err
		}
		defer file.Close() // site close
		open.Add(1)
	}
	return nil
}

// fill opens what a pool then keeps.
//
//go:noinline
func fill(turns <-chan struct{}, open *atomic.Int64) error {
	var pool []*os.File
	for range turns {
		file, err := os.Open(os.Args[0]) // site warm
		if err != nil {
			return err
		}
		pool = append(pool, file)
		open.Store(int64(len(pool)))
	}
	return nil
}

// connect dials itself and keeps both ends.
//
//go:noinline
func connect(turns <-chan struct{}, open *atomic.Int64) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var kept []net.Conn
	for range turns {
		dialled, err := net.Dial("tcp", listener.Addr().String()) // site net
		if err != nil {
			return err
		}
		accepted, err := listener.Accept()
		if err != nil {
			return err
		}
		kept = append(kept, dialled, accepted)
		open.Store(int64(len(kept)))
	}
	return nil
}
