//go:build !go1.23

package main

// rangeFunc is empty: this Go cannot range over a function.
func rangeFunc(int) {}
