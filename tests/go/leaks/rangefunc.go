//go:build go1.23

package main

// rangeScenarios are those of the language from Go 1.23 on.
func rangeScenarios() []scenario {
	return []scenario{{"rangefunc", "rangefunc", 10, 1, rangeFunc}}
}

// rangeFunc defers in the body of a range-over-func loop without end.
func rangeFunc(m *meter) {
	s := new(session)
	for range m.all {
		m.aboutToDefer()
		defer s.end()
		m.deferred()
	}
}
