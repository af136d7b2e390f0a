package delivery

import (
	"slices"
	"sync"
	"time"
)

const (
	// FastEnough is the p95 up to which a receiver may be sent to inside Dispatch.
	FastEnough = 75 * time.Millisecond
	// Overrun is when an attempt makes its receiver a slow one.
	Overrun = 150 * time.Millisecond

	// latencyWindow is how many recent answers the p95 is taken of.
	latencyWindow = 20
	// latencyMemory is how long an answer says something about the receiver.
	latencyMemory = 10 * time.Minute
	// fastToRecover is how many fast answers in a row a slow receiver owes.
	fastToRecover = 8
)

// latency remembers how fast a receiver has answered lately.
type latency struct {
	mu      sync.Mutex
	samples []time.Duration // a ring once it is full
	next    int
	last    time.Time
	owed    int // fast answers still owed by a slow receiver
}

// markSlow marks the receiver as slow, at the moment an attempt shows it.
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

// isFast tells whether the receiver is known to be fast: it has answered lately,
// its p95 is low, and it owes nothing.
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
