//go:build !goexperiment.jsonv2

package main

import "encoding/json"

// jsonLibrary is encoding/json, which panics over a value that it cannot write.
func jsonLibrary() []library {
	channel := make(chan int)
	return []library{{
		"json",
		raise{kind: "json.jsonError", function: "encoding/json.(*encodeState).error", internal: true},
		func() error {
			_, err := json.Marshal(channel)
			return err
		},
	}}
}
