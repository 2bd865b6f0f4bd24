//go:build go1.23

package main

// rangeScenarios are those of the language from Go 1.23 on.
func rangeScenarios() []scenario {
	return []scenario{{"rangeFunc", 2, 15, rangeFunc}}
}

// rangeFunc defers in the body of a range-over-func loop: the records hang in
// a list of their own below one record of this function.
func rangeFunc(h *holder, n int) {
	h.loop()
	for i := range upTo(n) {
		h.next(ranges, nameOf(record))
		defer record(h, i)
	}
	h.park()
}

//go:noinline
func upTo(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}
