package delivery

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// comebackEvery is how often one of those who were sent away comes back, when there
	// are many: a receiver that recovers is not run over by its backlog, nor is Temporal,
	// for which each of them is work.
	comebackEvery = 20 * time.Millisecond
	// maxComeback bounds the time over which they are spread.
	maxComeback = 30 * time.Minute
	// longestPatience bounds how long they stay away from a receiver that stays as it is.
	longestPatience = 5 * time.Minute
)

// spreader says when those are to come back who were sent away. None is discarded,
// but while a receiver stays dead they come ever later: one of them is enough to
// find out that it is back, and for the others each try is in vain.
type spreader struct {
	mu sync.Mutex
	// busy is when all who were sent away would be back, one after the other.
	busy   time.Time
	down   time.Time // when the breaker opened first; zero when it is closed
	probe  time.Time // when an open breaker lets a probe through
	booked time.Time // the probe that somebody is to come for
}

// opened notes that the breaker has opened, from closed or once more.
func (c *spreader) opened(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down.IsZero() {
		c.down = now
	}
	c.probe = now.Add(breakerStaysOpen)
}

// closed notes that the receiver is back.
func (c *spreader) closed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = time.Time{}
}

// fromOpen is for one that met an open breaker, or a probe under way: it comes for
// the next probe, or if somebody does already, once the outage has lasted half as
// long again, or up to twice as long.
func (c *spreader) fromOpen(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := later(now, c.probe).Sub(now)
	if c.booked != c.probe {
		c.booked = c.probe
		return max(next+time.Millisecond, probeTakes)
	}
	patience := min(now.Sub(c.down)/2, longestPatience)
	return c.place(now, max(next+probeTakes, patience), max(patience, breakerStaysOpen), comebackEvery)
}

// fromLimit is for one that met a limit; in is when it makes sense to come again
// at the earliest, every how often the limit lets somebody through.
func (c *spreader) fromLimit(now time.Time, in, every time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.place(now, in, in, max(every, comebackEvery))
}

// place is any moment after the earliest: within the given time, or within the time
// that all who are away need to come back, one every so often.
func (c *spreader) place(now time.Time, earliest, within, every time.Duration) time.Duration {
	c.busy = later(c.busy, now).Add(every)
	within = min(max(within, c.busy.Sub(now)), maxComeback)
	return (earliest + rand.N(within)).Round(time.Millisecond)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
