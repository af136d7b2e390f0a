package main

import (
	"time"

	"segue/bench"
)

// place is a row of the table.
type place struct {
	delayMS   int64
	contender string
	inFlight  int // 1 is idle
}

// course is one interaction that has run. Those of the feed have no posts.
type course struct {
	id            string
	begin, closed time.Time
	posts         []*bench.Expected
}

// figures are what is measured at a place.
type figures struct {
	latencies, closes []time.Duration
	// closed is how many interactions closed in the time window. One that is partly in it counts for that part.
	closed float64
	window time.Duration
	// The others are of all interactions.
	interactions, events, bytes int
	cpu                         cpu
}

func (f *figures) add(other figures) {
	f.latencies = append(f.latencies, other.latencies...)
	f.closes = append(f.closes, other.closes...)
	f.closed += other.closed
	f.window += other.window
	f.interactions += other.interactions
	f.events += other.events
	f.bytes += other.bytes
	f.cpu.server += other.cpu.server
	f.cpu.workers += other.cpu.workers
	f.cpu.load += other.cpu.load
}

// measureRate counts the interactions in a time window in which the load is constant.
func (f *figures) measureRate(courses []course, from, until time.Time) {
	f.window = until.Sub(from)
	for _, one := range courses {
		begin, end := later(one.begin, from), one.closed
		if end.After(until) {
			end = until
		}
		if inside := end.Sub(begin); inside > 0 {
			f.closed += float64(inside) / float64(one.closed.Sub(one.begin))
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rate returns how many interactions closed in a second; 0 if that was not measured.
func (f *figures) rate() float64 {
	if f.window <= 0 {
		return 0
	}
	return f.closed / f.window.Seconds()
}
