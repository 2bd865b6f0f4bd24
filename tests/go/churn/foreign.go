//go:build !withc

package main

func foreignKinds() []*kind { return nil }
