//go:build !withc

package main

func foreign() int { return 0 }
