package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"sort"
	"sync"
	"time"
)

// loadResult is the one line of the client.
type loadResult struct {
	Requests int     `json:"requests"`
	Errors   int     `json:"errors"`
	Seconds  float64 `json:"seconds"`
	PerSec   float64 `json:"per_second"`
	P50Nano  int64   `json:"p50_ns"`
	P99Nano  int64   `json:"p99_ns"`
}

// runLoad asks as fast as it is answered, over so many connections, and says how
// long answers took.
func runLoad(url string, connections int, seconds float64) error {
	if connections < 1 || seconds <= 0 {
		return errors.New("-conns and -seconds must be positive")
	}
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true},
		Timeout:   10 * time.Second,
	}
	start := time.Now()
	end := start.Add(time.Duration(seconds * float64(time.Second)))
	took := make([][]time.Duration, connections)
	failed := make([]int, connections)
	var running sync.WaitGroup
	for i := range took {
		running.Add(1)
		go func(i int) {
			defer running.Done()
			for time.Now().Before(end) {
				begin := time.Now()
				if !ask(client, url) {
					failed[i]++
					time.Sleep(time.Millisecond) // a service that is gone is not asked a million times
					continue
				}
				took[i] = append(took[i], time.Since(begin))
			}
		}(i)
	}
	running.Wait()
	return json.NewEncoder(os.Stdout).Encode(summary(took, failed, time.Since(start).Seconds()))
}

func ask(client *http.Client, url string) bool {
	answer, err := client.Get(url)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK
}

func summary(took [][]time.Duration, failed []int, seconds float64) loadResult {
	result := loadResult{Seconds: seconds}
	var all []time.Duration
	for i := range took {
		all = append(all, took[i]...)
		result.Errors += failed[i]
	}
	result.Requests = len(all)
	result.PerSec = float64(len(all)) / seconds
	if len(all) > 0 {
		sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
		result.P50Nano = all[len(all)/2].Nanoseconds()
		result.P99Nano = all[len(all)*99/100].Nanoseconds()
	}
	return result
}
