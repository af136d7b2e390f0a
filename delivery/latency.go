package delivery

import (
	"slices"
	"sync"
	"time"
)

const (
	// FastEnough is the p95 up to which Dispatch may send to a receiver inline.
	FastEnough = 75 * time.Millisecond
	// Overrun is the duration of an attempt from which on its receiver counts as slow.
	Overrun = 150 * time.Millisecond

	// latencyWindow is how many recent responses the p95 is computed from.
	latencyWindow = 20
	// latencyMemory is how long a response says something about the receiver.
	latencyMemory = 10 * time.Minute
	// fastToRecover is after how many fast responses in a row a slow receiver counts as fast.
	fastToRecover = 8
)

// latency measures how fast a receiver has responded lately.
type latency struct {
	mu      sync.Mutex
	samples []time.Duration // a ring once it is full
	next    int
	last    time.Time
	owed    int // the fast responses that a slow receiver still needs
}

// markSlow marks the receiver as slow, as soon as an attempt shows it.
func (l *latency) markSlow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owed = fastToRecover
	l.samples, l.next = l.samples[:0], 0
}

func (l *latency) observe(took time.Duration) {
	if took >= Overrun {
		l.markSlow()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = time.Now()
	if len(l.samples) < latencyWindow {
		l.samples = append(l.samples, took)
	} else {
		l.samples[l.next] = took
		l.next = (l.next + 1) % latencyWindow
	}
	switch {
	case l.owed > 0 && took <= FastEnough:
		l.owed--
	case l.owed > 0:
		l.owed = fastToRecover
	}
}

// isFast reports whether the receiver is known to be fast: it has responded lately, its p95
// is low, and it does not still have to recover from being slow.
func (l *latency) isFast() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.samples) == 0 || l.owed > 0 || time.Since(l.last) > latencyMemory {
		return false
	}
	sorted := slices.Sorted(slices.Values(l.samples))
	rank := (len(sorted)*95 + 99) / 100 // nearest rank: the largest, until the window is full
	return sorted[rank-1] <= FastEnough
}
