package delivery

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// limitWait is how long an attempt waits for a limit before it is delayed: it holds
	// a worker's slot meanwhile.
	limitWait = 2 * time.Second
	// maxWaiting is how many attempts of one call may wait at once.
	maxWaiting = 100
)

// concurrencyLimit bounds how many attempts of one call are in flight in this process.
// Until the receiver is known, it lets one through at a time.
type concurrencyLimit struct {
	mu           sync.Mutex
	capacity     int // 0 is unlimited
	known        bool
	running      int
	waiting      []chan struct{} // in order of arrival
	changedAt    time.Time       // when an attempt was let through or ended last
	lastInterval time.Duration   // a moving average of the time until an attempt ended, at capacity
}

// acquire waits until the attempt may go, at most limitWait. If it returns true, release
// must be called.
func (l *concurrencyLimit) acquire(ctx context.Context) bool {
	l.mu.Lock()
	if len(l.waiting) == 0 && l.hasCapacity() {
		l.running++
		l.changedAt = time.Now()
		l.mu.Unlock()
		return true
	}
	if len(l.waiting) >= l.queueLimit() {
		l.mu.Unlock()
		return false
	}
	admitted := make(chan struct{})
	l.waiting = append(l.waiting, admitted)
	l.mu.Unlock()

	timer := time.NewTimer(limitWait)
	defer timer.Stop()
	select {
	case <-admitted:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, admitted)
	if i < 0 {
		return true // it was admitted at the same instant
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	return false
}

func (l *concurrencyLimit) release() {
	l.update(func() {
		now := time.Now()
		if !l.hasCapacity() {
			l.lastInterval = (3*l.lastInterval + now.Sub(l.changedAt)) / 4
		}
		l.running--
		l.changedAt = now
	})
}

// setKnown raises the limit from one attempt to the capacity.
func (l *concurrencyLimit) setKnown() { l.update(func() { l.known = true }) }

func (l *concurrencyLimit) setCapacity(capacity int) { l.update(func() { l.capacity = capacity }) }

// isFree reports whether an attempt would go without waiting.
func (l *concurrencyLimit) isFree() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) == 0 && l.hasCapacity()
}

// isStuck reports whether the limit is reached and no further attempt may wait for it.
func (l *concurrencyLimit) isStuck() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.hasCapacity() && l.queueLimit() == 0
}

// interval returns how often an attempt ends at capacity: on average lately, or, if none
// has ended since, as if all of them ended now.
func (l *concurrencyLimit) interval() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.lastInterval, time.Since(l.changedAt)/time.Duration(max(l.running, 1)))
}

// update changes the limit and lets through those that it leaves room for.
func (l *concurrencyLimit) update(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	for len(l.waiting) > 0 && l.hasCapacity() {
		l.running++
		l.changedAt = time.Now()
		close(l.waiting[0])
		l.waiting = slices.Delete(l.waiting, 0, 1)
	}
}

func (l *concurrencyLimit) hasCapacity() bool {
	if !l.known {
		return l.running == 0
	}
	return l.capacity <= 0 || l.running < l.capacity
}

// queueLimit returns how many attempts may wait: as many as would go in time, if the
// others end as often as lately. For an unknown receiver all may wait: it is known within
// Overrun, however it answers.
func (l *concurrencyLimit) queueLimit() int {
	if !l.known {
		return l.running + len(l.waiting) + 1
	}
	interval := max(l.lastInterval, time.Since(l.changedAt), limitWait/maxWaiting)
	return int(limitWait / interval)
}
