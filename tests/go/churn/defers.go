package main

import (
	"math/rand"
	"os"
	"runtime"
	"sync"
)

// journal is what deferred calls did, in order.
type journal struct {
	next int
	sum  int
}

// takes must be called with the numbers from next down.
func (j *journal) takes(number int) {
	j.next--
	expect("the number of a deferred call", number, j.next)
	j.sum += number
}

// heap defers in a loop: a record of the heap for each turn.
func heap(chance *rand.Rand) {
	count := 1 + chance.Intn(200)
	j := journal{next: count}
	inLoop(&j, count)
	expect("calls left of a loop", j.next, 0)
	expect("the sum of a loop", j.sum, count*(count-1)/2)
}

//go:noinline
func inLoop(j *journal, count int) {
	for i := 0; i < count; i++ {
		defer j.takes(i)
	}
}

// stack has nine defers, one more than the compiler does without a record: in
// the frame.
func stack(chance *rand.Rand) {
	first := chance.Intn(1000)
	j := journal{next: first + 9}
	inFrame(&j, first, chance.Intn(2) == 0)
	expect("the sum of a frame", j.sum, 9*first+36)
}

//go:noinline
func inFrame(j *journal, first int, early bool) {
	defer j.takes(first)
	defer j.takes(first + 1)
	defer j.takes(first + 2)
	defer j.takes(first + 3)
	defer j.takes(first + 4)
	defer j.takes(first + 5)
	defer j.takes(first + 6)
	defer j.takes(first + 7)
	defer j.takes(first + 8)
	if early {
		runtime.Gosched()
		return
	}
}

// goexit ends goroutines by runtime.Goexit below deferred calls of each kind,
// some of which raise panics that others recover.
func goexit(chance *rand.Rand) {
	count := 1 + chance.Intn(20)
	j, k := journal{next: count}, journal{next: 9}
	raised := 0
	var busy sync.WaitGroup
	busy.Add(1)
	go func() {
		defer busy.Done()
		defer func() { expect("what Goexit gives to recover", recover(), nil) }()
		defer func() {
			defer func() {
				expect("a panic in a call that Goexit runs", recover(), any("on the way out"))
				raised++
			}()
			panic("on the way out")
		}()
		leave(&j, &k, count)
		wrong("Goexit returned")
	}()
	within(&busy, "a goroutine ends by Goexit")
	expect("calls left by Goexit", j.next+k.next, 0)
	expect("the sums of Goexit", j.sum+k.sum, count*(count-1)/2+36)
	expect("panics on the way out", raised, 1)
}

//go:noinline
func leave(j, k *journal, count int) {
	for i := 0; i < count; i++ {
		defer j.takes(i)
	}
	defer inFrame(k, 0, false)
	runtime.Goexit()
}

// locked does the same on a thread of its own, with which it ends every eighth
// time.
func locked(chance *rand.Rand) {
	var busy sync.WaitGroup
	busy.Add(1)
	ends := chance.Intn(8) == 0
	count := 1 + chance.Intn(50)
	j := journal{next: count}
	var value any
	go func() {
		defer busy.Done()
		runtime.LockOSThread()
		if !ends {
			defer runtime.UnlockOSThread()
		}
		inLoop(&j, count)
		value = catch(func() { panic(count) })
	}()
	within(&busy, "a locked goroutine ends")
	expect("the sum of a locked goroutine", j.sum, count*(count-1)/2)
	expect("the panic of a locked goroutine", value, any(count))
}

// files opens, reads and closes: a file with a known beginning, and pipes.
func files(chance *rand.Rand) {
	count := 1 + chance.Intn(8)
	open := 0
	readAll(count, &open)
	expect("files left open", open, 0)

	reader, writer, err := os.Pipe()
	expect("an error of a pipe", err, nil)
	sent := []byte{byte(chance.Intn(256))}
	_, err = writer.Write(sent)
	expect("an error of writing", err, nil)
	expect("an error of closing a pipe", writer.Close(), nil)
	received := make([]byte, 2)
	length, err := reader.Read(received)
	expect("an error of reading", err, nil)
	expect("bytes of a pipe", string(received[:length]), string(sent))
	expect("an error of closing a pipe", reader.Close(), nil)
	expect("a pipe is closed once", reader.Close() != nil, true)
}

//go:noinline
func readAll(count int, open *int) {
	for i := 0; i < count; i++ {
		file, err := os.Open("/proc/self/exe")
		expect("an error of opening", err, nil)
		*open++
		defer func() {
			expect("an error of closing", file.Close(), nil)
			*open--
		}()
		var magic [4]byte
		_, err = file.Read(magic[:])
		expect("an error of reading", err, nil)
		expect("the beginning of a file", magic, [4]byte{0x7f, 'E', 'L', 'F'})
	}
}
