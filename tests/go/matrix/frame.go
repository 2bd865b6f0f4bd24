package main

// A defer statement outside of any loop needs no heap: its record is in the
// frame (stack), or there is none, but one bit per statement (open-coded).

// stackOnce has one record, in its frame.
func stackOnce(h *holder, n int) {
	h.next(stack, nameOf(record))
	defer record(h, n)
	// A defer statement in a loop, even if it never turns, forbids open-coding.
	for i := 0; i < n; i++ {
		defer record(h, i)
	}
	h.park()
}

// stackRecursion has one record in each of its frames.
func stackRecursion(h *holder, n int) {
	h.next(stack, nameOf(record))
	defer record(h, n)
	for i := 0; i < n-1000; i++ {
		defer record(h, i)
	}
	if n > 1 {
		stackRecursion(h, n-1)
		return
	}
	h.park()
}

// openThree has three open-coded statements and reaches the outer two.
func openThree(h *holder, n int) {
	h.next(open, nameOf(record))
	defer record(h, 1)
	if n > 0 {
		h.next(open, nameOf(record))
		defer record(h, 2)
	}
	h.next(open, "main.openThree.func1")
	defer func() { h.ran() }()
	h.park()
}

// openRecursion has one open-coded call in each of its frames.
func openRecursion(h *holder, n int) {
	h.next(open, nameOf(record))
	defer record(h, n)
	if n > 1 {
		openRecursion(h, n-1)
		return
	}
	h.park()
}

// openElsewhere defers functions that are declared elsewhere: nothing about
// them tells where they are deferred.
func openElsewhere(h *holder, n int) {
	undo := elsewhere(h)
	if n > 0 {
		h.next(open, nameOf(plain))
		defer plain()
	}
	h.next(open, "main.elsewhere.func1")
	defer undo()
	h.next(open, "main.elsewhere.func1")
	defer undo()
	h.park()
}

//go:noinline
func elsewhere(h *holder) func() {
	return func() { h.ran() }
}
