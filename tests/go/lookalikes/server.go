package main

import (
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"sync"
	"time"
)

// clients ask the server at the same time.
const clients = 24

// site counts visits, as a service would.
type site struct {
	mu     sync.Mutex
	visits map[string]int
}

// server serves HTTP to clients of its own, a steady 200 requests per second.
func server(*rand.Rand) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	s := &site{visits: make(map[string]int)}
	go func() { check(http.Serve(listener, s)) }()
	for i := 0; i < clients; i++ {
		go ask(fmt.Sprintf("http://%s/%d", listener.Addr(), i))
		time.Sleep(time.Second / 200) // or all would ask at the same moment, for ever
	}
}

// ServeHTTP answers after the time that a database would take.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	defer func() { s.visited(r.URL.Path, time.Since(started)) }()
	time.Sleep(40 * time.Millisecond)
	_, _ = io.WriteString(w, "hello\n")
}

func (s *site) visited(path string, _ time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visits[path]++
}

func ask(url string) {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	for range time.Tick(time.Second * clients / 200) {
		check(fetch(client, url))
	}
}

// fetch closes what it has read, as one should.
func fetch(client *http.Client, url string) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
