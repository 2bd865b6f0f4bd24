package main

import (
	"os"
	"sync"
)

var (
	mutex   sync.Mutex
	pending = map[string]int64{}
	forever = make(chan struct{})
	sink    int
)

// hold starts `goroutines` times a holder of `each` pending defers, and waits until all of them hold them.
func hold(name string, goroutines, each int, holder func(each int, ready func())) {
	var all sync.WaitGroup
	all.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go holder(each, all.Done)
	}
	all.Wait()
	mutex.Lock()
	defer mutex.Unlock()
	pending[name] += int64(goroutines) * int64(each)
}

func held() map[string]int64 {
	mutex.Lock()
	defer mutex.Unlock()
	copied := map[string]int64{}
	for name, count := range pending {
		copied[name] = count
	}
	return copied
}

func use(i int) { sink += i }

func nothing() {}

//go:noinline
func loopDefers(each int, ready func()) {
	for i := 0; i < each; i++ {
		defer use(i)
	}
	ready()
	<-forever
}

//go:noinline
func staticDefers(each int, ready func()) {
	for i := 0; i < each; i++ {
		defer nothing()
	}
	ready()
	<-forever
}

// stackDefers has one defer more than the compiler open-codes.
//
//go:noinline
func stackDefers(each int, ready func()) {
	defer use(1)
	defer use(2)
	defer use(3)
	defer use(4)
	defer use(5)
	defer use(6)
	defer use(7)
	defer use(8)
	defer use(9)
	ready()
	<-forever
}

// openCoded waits with two of its three defers pending.
//
//go:noinline
func openCoded(each int, ready func()) {
	defer use(each)
	defer nothing()
	ready()
	<-forever
	defer use(3)
}

//go:noinline
func closeFiles(each int, ready func()) {
	for i := 0; i < each; i++ {
		file, err := os.Open(os.DevNull)
		if err != nil {
			panic(err)
		}
		defer file.Close()
	}
	ready()
	<-forever
}

//go:noinline
func unlockAll(each int, ready func()) {
	locks := make([]sync.Mutex, each)
	for i := range locks {
		locks[i].Lock()
		defer locks[i].Unlock()
	}
	ready()
	<-forever
}

var rangeDefers func(each int, ready func())
