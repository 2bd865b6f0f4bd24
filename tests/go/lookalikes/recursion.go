package main

import (
	"math/rand"
	"time"
)

// maxDepth is how deep the recursion goes, with one deferred call per level.
const maxDepth = 5000

// diver is at some depth and on its way to another one.
type diver struct {
	chance   *rand.Rand
	depth    int
	wanted   int
	perLevel time.Duration
	owed     time.Duration
}

// recursion walks a deep tree: down some thousand levels, back some of them,
// and down again, at speeds that change.
func recursion(chance *rand.Rand) {
	d := &diver{chance: chance}
	for {
		d.choose()
		d.dive()
	}
}

// dive stays below its level until the wanted depth is above it. The loop that
// turns at most once makes the compiler use a record of the heap, one per level.
func (d *diver) dive() {
	for i := 0; i < 1; i++ {
		d.depth++
		defer d.up()
	}
	d.pass()
	for d.wanted > d.depth {
		d.dive()
	}
	if d.wanted == d.depth {
		d.choose()
		for d.wanted > d.depth {
			d.dive()
		}
	}
}

func (d *diver) up() {
	d.depth--
	d.pass()
}

// choose sets out for another depth, to be reached in 2 to 15 seconds.
func (d *diver) choose() {
	d.wanted = d.chance.Intn(maxDepth)
	levels := d.wanted - d.depth
	if levels < 0 {
		levels = -levels
	}
	d.perLevel = between(d.chance, 2*time.Second, 15*time.Second) / time.Duration(levels+1)
}

// pass takes the time that one level takes, in steps that a timer can keep.
func (d *diver) pass() {
	d.owed += d.perLevel
	if d.owed >= 5*time.Millisecond {
		time.Sleep(d.owed)
		d.owed = 0
	}
}
