package main

import (
	"sync"
	"time"
)

// files opens a file per turn and closes none before it returns.
func files(m *meter) {
	for m.turn() {
		file := m.open()
		m.aboutToDefer() // names the next line as the site
		defer file.Close()
		m.deferred()
	}
}

// closures measures every turn, and would record the time when it returns.
func closures(m *meter) {
	var longest time.Duration
	for m.turn() {
		started := time.Now()
		m.aboutToDefer()
		defer func() {
			if took := time.Since(started); took > longest {
				longest = took
			}
		}()
		m.deferred()
	}
}

// message is what a consumer is sent.
type message struct{ slot *sync.Mutex }

// release gives back what handling the message took.
func (msg message) release() { msg.slot.Unlock() }

// consumer handles messages until the channel is closed, and keeps what it took
// for each.
func consumer(m *meter) {
	messages := make(chan message)
	go func() {
		defer close(messages)
		for m.turn() {
			messages <- message{new(sync.Mutex)}
		}
	}()
	for msg := range messages {
		msg.slot.Lock()
		m.aboutToDefer()
		defer msg.release()
		m.deferred()
	}
}

// session is one unit of a worker's work.
type session struct{ ended bool }

func (s *session) end() { s.ended = true }

// worker is one of several with the same fault.
func worker(m *meter) {
	for m.turn() {
		s := new(session)
		m.aboutToDefer()
		defer s.end()
		m.deferred()
	}
}
