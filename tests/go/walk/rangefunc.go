//go:build go1.23

package main

func init() { rangeDefers = rangeBody }

//go:noinline
func rangeBody(each int, ready func()) {
	for i := range upTo(each) {
		defer use(i)
	}
	ready()
	<-forever
}

//go:noinline
func upTo(limit int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < limit && yield(i); i++ {
		}
	}
}
