package delivery

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// spreadInterval is how often one of many delayed attempts is made: the backlog
	// overloads neither a receiver that recovers nor Temporal, for which each attempt is work.
	spreadInterval = 20 * time.Millisecond
	// maxSpread bounds the time over which delayed attempts are spread.
	maxSpread = 30 * time.Minute
	// maxBackoff bounds the wait for a receiver that stays down.
	maxBackoff = 5 * time.Minute
)

// spreader decides when delayed attempts are made. While a receiver stays down, the waits
// grow: one attempt is enough to find out that it has recovered, and for the others each
// try is in vain.
type spreader struct {
	mu sync.Mutex
	// busyUntil is when the last delayed attempt would be made, if all were made one
	// after the other.
	busyUntil    time.Time
	openSince    time.Time // when the breaker opened first; zero while it is closed
	probeAt      time.Time // when an open breaker lets a probe through
	claimedProbe time.Time // the probe that an attempt is already delayed to
}

// opened records that the breaker has opened, or opened again after a failed probe.
func (s *spreader) opened(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.openSince.IsZero() {
		s.openSince = now
	}
	s.probeAt = now.Add(breakerTimeout)
}

// closed records that the receiver has recovered.
func (s *spreader) closed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.openSince = time.Time{}
}

// afterOpenBreaker returns the delay of an attempt that met an open breaker, or a probe
// in flight. The first such attempt is made as the next probe; the others wait for half
// of the time that the outage has lasted, up to all of it.
func (s *spreader) afterOpenBreaker(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := later(now, s.probeAt).Sub(now)
	if s.claimedProbe != s.probeAt {
		s.claimedProbe = s.probeAt
		return max(next+time.Millisecond, probeWait)
	}
	backoff := min(now.Sub(s.openSince)/2, maxBackoff)
	return s.spread(now, max(next+probeWait, backoff), max(backoff, breakerTimeout), spreadInterval)
}

// afterLimit returns the delay of an attempt that met a limit: at least in, where the
// limit lets one attempt through each interval.
func (s *spreader) afterLimit(now time.Time, in, interval time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spread(now, in, in, max(interval, spreadInterval))
}

// spread returns a random delay of at least earliest. It lies within the given time after
// that, or within the time that all delayed attempts need, one each interval.
func (s *spreader) spread(now time.Time, earliest, within, interval time.Duration) time.Duration {
	s.busyUntil = later(s.busyUntil, now).Add(interval)
	within = min(max(within, s.busyUntil.Sub(now)), maxSpread)
	return (earliest + rand.N(within)).Round(time.Millisecond)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
