//go:build !go1.23

package main

// rangeScenarios is empty: this Go has no range-over-func loops.
func rangeScenarios() []scenario { return nil }
