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
	// recent are the durations of the last attempts, slow and unanswered ones too; a ring once it is
	// full. They are for people: whether a receiver is fast enough depends on samples and owed.
	recent     []time.Duration
	nextRecent int
	lastRecent time.Time
}

// record keeps the duration of an attempt.
func (l *latency) record(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastRecent = time.Now()
	if len(l.recent) < latencyWindow {
		l.recent = append(l.recent, took)
		return
	}
	l.recent[l.nextRecent] = took
	l.nextRecent = (l.nextRecent + 1) % latencyWindow
}

// recently returns the p95 of the last attempts, and whether they show that the receiver is slow. It
// returns zero if the last one is too old to say anything.
func (l *latency) recently() (p95 time.Duration, isSlow bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.recent) > 0 && time.Since(l.lastRecent) <= latencyMemory {
		p95 = percentile95(l.recent)
	}
	return p95, p95 > FastEnough
}

// percentile95 is by nearest rank: the largest, until the window is full.
func percentile95(durations []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[(len(sorted)*95+99)/100-1]
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
	return percentile95(l.samples) <= FastEnough
}
