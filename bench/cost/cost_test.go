package main

import (
	"os"
	"testing"
	"time"

	"segue/bench"
)

// An interaction that is partly in the time window counts for that part.
func TestRate(t *testing.T) {
	begin := time.Unix(1000, 0)
	at := func(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }
	var f figures
	f.measureRate([]course{
		{begin: at(0), closed: at(2)},   // half of it
		{begin: at(2), closed: at(3)},   // all of it
		{begin: at(4), closed: at(8)},   // a quarter of it
		{begin: at(0), closed: at(0.5)}, // before the window
		{begin: at(6), closed: at(7)},   // after the window
	}, at(1), at(5))
	if f.closed != 1.75 || f.rate() != 1.75/4 {
		t.Errorf("%v interactions, %v in a second", f.closed, f.rate())
	}
}

func TestTheCPUOfAProcess(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc: ", err)
	}
	self := os.Getpid()
	before := cpuNow(self, self)
	var used cpu
	for used.load < 100*time.Millisecond {
		used = cpuNow(self, self).sub(before)
	}
	if (used.server-used.load).Abs() > 2*bench.Tick || (used.workers-used.load).Abs() > 2*bench.Tick {
		t.Errorf("two sources for the same process differ: %v", used)
	}
}
