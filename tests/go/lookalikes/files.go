package main

import (
	"math/rand"
	"os"
	"time"
)

const (
	// maxBurst files are open at the end of the largest burst.
	maxBurst = 600
	// pooledFiles are opened one after the other, and then held.
	pooledFiles = 300
)

// bursts merges some hundred files for some seconds, again and again. Each time
// the files stay open until the function returns, which it does.
func bursts(chance *rand.Rand) {
	for {
		merge(200+chance.Intn(maxBurst-200+1), between(chance, 2*time.Second, 7*time.Second))
		time.Sleep(between(chance, 200*time.Millisecond, 4*time.Second))
	}
}

// merge opens count files, evenly over a time, and closes all when it is done.
func merge(count int, over time.Duration) {
	path := executable()
	ticker := time.NewTicker(over / time.Duration(count))
	defer ticker.Stop()
	for i := 0; i < count; i++ {
		file, err := os.Open(path)
		check(err)
		defer file.Close()
		<-ticker.C
	}
}

// warmup fills a pool of files over half a minute and keeps it: a straight
// line that looks like a leak until it ends.
func warmup(*rand.Rand) {
	path := executable()
	pool := make([]*os.File, 0, pooledFiles)
	for len(pool) < pooledFiles {
		file, err := os.Open(path)
		check(err)
		defer file.Close()
		pool = append(pool, file)
		time.Sleep(30 * time.Second / pooledFiles)
	}
	buffer := make([]byte, 4096)
	for i := 0; ; i++ {
		_, err := pool[i%len(pool)].ReadAt(buffer, 0)
		check(err)
		time.Sleep(10 * time.Millisecond)
	}
}

// executable is a file that is surely there.
func executable() string {
	path, err := os.Executable()
	check(err)
	return path
}
