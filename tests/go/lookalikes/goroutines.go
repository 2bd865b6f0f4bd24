package main

import (
	"io"
	"math/rand"
	"net"
	"sync"
	"time"
)

const (
	// maxWorkers is the size of the pool under the highest load.
	maxWorkers = 500
	// parkedGoroutines wait for an event that does not come.
	parkedGoroutines = 6000
	// connections are open in the end.
	connections = 400
)

// pool is a pool of workers that grows and shrinks with its load.
type pool struct {
	tasks   chan time.Duration
	running sync.WaitGroup
	// shards are locked by one task each, most of the time.
	shards [64]sync.Mutex
}

// workers keeps the pool busy with a load that comes and goes: a new level
// every 5 to 20 seconds, reached gradually.
func workers(chance *rand.Rand) {
	p := &pool{tasks: make(chan time.Duration)}
	retire := make([]chan struct{}, 0, maxWorkers)
	wanted := 300
	change := time.Now()
	for {
		if time.Now().After(change) {
			wanted = 150 + chance.Intn(maxWorkers-150)
			change = time.Now().Add(between(chance, 5*time.Second, 20*time.Second))
		}
		switch {
		case len(retire) < wanted:
			retired := make(chan struct{})
			retire = append(retire, retired)
			p.running.Add(1)
			go p.work(retired)
		case len(retire) > wanted:
			close(retire[len(retire)-1])
			retire = retire[:len(retire)-1]
		}
		// As many tasks as half of the workers can take.
		for i := 0; i < 1+len(retire)/20; i++ {
			select {
			case p.tasks <- between(chance, 20*time.Millisecond, 200*time.Millisecond):
			default:
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// work has a deferred call pending for as long as the worker lives.
func (p *pool) work(retired chan struct{}) {
	defer p.running.Done()
	for {
		select {
		case <-retired:
			return
		case length := <-p.tasks:
			p.task(length)
		}
	}
}

// task has another one pending while it waits with the lock held.
func (p *pool) task(length time.Duration) {
	shard := &p.shards[int(length)%len(p.shards)]
	shard.Lock()
	defer shard.Unlock()
	time.Sleep(length)
}

// parked starts goroutines that wait with one deferred call each, as those of
// subscribers do: all of them within six seconds, then none.
func parked(*rand.Rand) {
	var waiting sync.WaitGroup
	event := make(chan struct{})
	for i := 0; i < parkedGoroutines; i++ {
		waiting.Add(1)
		go subscribe(&waiting, event)
		if i%10 == 9 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	waiting.Wait()
}

func subscribe(waiting *sync.WaitGroup, event <-chan struct{}) {
	defer waiting.Done()
	<-event
}

// connectionRamp opens one connection after the other for half a minute, as
// after a deployment, and then keeps them. Both ends are in this process.
func connectionRamp(*rand.Rand) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			conn, err := listener.Accept()
			check(err)
			go serve(conn)
		}
	}()
	open := make([]net.Conn, 0, connections)
	for i := 0; ; i++ {
		if len(open) < connections {
			conn, err := net.Dial("tcp", listener.Addr().String())
			check(err)
			open = append(open, conn)
			time.Sleep(30 * time.Second / connections)
		} else {
			time.Sleep(5 * time.Millisecond)
		}
		_, err := open[i%len(open)].Write([]byte("ping\n"))
		check(err)
	}
}

// serve has one close pending for as long as the connection lives.
func serve(conn net.Conn) {
	defer conn.Close()
	_, _ = io.Copy(io.Discard, conn)
}
