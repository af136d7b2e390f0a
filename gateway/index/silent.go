package index

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"segue/client"
)

const (
	// silentAfter and silentFailures are when a starting replica gives up all that have not answered.
	silentAfter    = 30 * time.Second
	silentFailures = 3
)

// isSilent reports whether no interaction answers although Temporal does, as without a worker. Then a
// starting replica goes on without those that it misses, and asks them further.
func (x *Index) isSilent(ctx context.Context, limit *rate.Limiter, n client.Name, err error) bool {
	x.mu.Lock()
	waits := len(x.missing) > 0 && x.loaded
	x.mu.Unlock()
	if !x.heal.fail(err) || !waits {
		return false
	}
	if _, err := x.runs(ctx, limit, n); err != nil {
		x.heal.fail(client.ErrUnreachable)
		return false
	}
	return true
}

// fail notes a failed query, and reports whether none has been answered for long. What fails because
// Temporal is away says nothing about workers.
func (h *healing) fail(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if errors.Is(err, client.ErrUnreachable) {
		h.failures = 0
		return false
	}
	if h.failures == 0 {
		h.failing = time.Now()
	}
	h.failures++
	return h.failures >= silentFailures && time.Since(h.failing) >= silentAfter
}

// isHopeless reports whether an interaction fails to answer while others do.
func (x *Index) isHopeless(j *job, err error) bool {
	x.heal.mu.Lock()
	defer x.heal.mu.Unlock()
	return errors.Is(err, client.ErrStuck) || j.attempts >= 3 && time.Since(x.heal.answered) < longestPause
}

// giveUp lets a starting replica go on without an interaction.
func (x *Index) giveUp(n client.Name) {
	if _, isMissing := x.missing[n]; isMissing {
		delete(x.missing, n)
		x.silent[n] = x.sweep
		x.checkComplete()
	}
}

// found notes that an interaction has a state, or is gone.
func (x *Index) found(n client.Name) {
	delete(x.missing, n)
	delete(x.silent, n)
	x.checkComplete()
}
