//go:build goexperiment.jsonv2

package main

// jsonLibrary is empty: from Go 1.27 on, encoding/json returns its errors.
func jsonLibrary() []library { return nil }
