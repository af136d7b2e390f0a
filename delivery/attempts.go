package delivery

import (
	"context"
	"sync"
	"time"

	"segue/contract"
)

const (
	// keptAttempts is how many ended attempts are kept, keptFor how long: long enough for
	// a workflow task that the server repeats.
	keptAttempts = 10_000
	keptFor      = 5 * time.Minute
	// keptBytes bounds the memory of their outcomes, which hold values that receivers return.
	keptBytes = 64 << 20
)

// AttemptKey identifies one attempt of one delivery.
type AttemptKey struct {
	ID     string
	Number int
}

// Attempt is one attempt that is in flight in this process, or has ended there.
type Attempt struct {
	done    chan struct{}
	outcome contract.Outcome // written before done is closed
	endedAt time.Time
	// claimedBy is the caller that has taken a failure as its result, "" for none yet.
	claimedBy string // guarded by Attempts.mu
}

// Done is closed when the attempt has ended.
func (a *Attempt) Done() <-chan struct{} { return a.done }

// Outcome returns the outcome of the attempt. Call it only after Done is closed.
func (a *Attempt) Outcome() contract.Outcome { return a.outcome }

// Wait waits for the end of the attempt. It returns false if the context ends first.
func (a *Attempt) Wait(ctx context.Context) (contract.Outcome, bool) {
	select {
	case <-a.done:
		return a.outcome, true
	case <-ctx.Done():
		return contract.Outcome{}, false
	}
}

// Attempts deduplicates attempts: one attempt is sent once, however often and from
// wherever it is started. A second caller, while the attempt is in flight or soon after
// its end, gets the same Attempt. No caller can cancel one.
//
// A caller is named by a string that stays the same when Temporal repeats its task.
type Attempts struct {
	mu       sync.Mutex
	attempts map[AttemptKey]*Attempt
	ended    []AttemptKey // in the order in which they ended
	bytes    int          // of the outcomes of ended attempts
	closed   bool
	running  sync.WaitGroup
}

// NewAttempts returns an empty table.
func NewAttempts() *Attempts {
	return &Attempts{attempts: map[AttemptKey]*Attempt{}}
}

// Find returns the attempt if this process has it, unless it is a failure that another
// caller has claimed.
func (t *Attempts) Find(key AttemptKey, caller string) (*Attempt, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.find(key, caller)
}

// Start returns the attempt, and calls send only if Find would not find it. It returns
// nil once the table is closed.
func (t *Attempts) Start(key AttemptKey, caller string, send func() contract.Outcome) *Attempt {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a, ok := t.find(key, caller); ok {
		return a
	}
	if t.closed {
		return nil
	}
	if claimed := t.attempts[key]; claimed != nil {
		t.bytes -= claimed.size()
	}
	a := &Attempt{done: make(chan struct{})}
	t.attempts[key] = a
	t.running.Go(func() { t.finish(key, a, send()) })
	return a
}

// Claim records that the caller takes the failure of an attempt as its result. If the
// same caller starts the attempt again, its task was repeated, and it gets the same
// failure. If another caller does, it wants the attempt sent again: an operator's
// redelivery starts the schedule from its beginning.
func (t *Attempts) Claim(key AttemptKey, caller string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a, ok := t.attempts[key]; ok {
		a.claimedBy = caller
	}
}

// Close starts no more attempts and waits for those in flight. It returns the cause of
// the context's end if that comes first.
func (t *Attempts) Close(ctx context.Context) error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		t.running.Wait()
		close(idle)
	}()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *Attempts) finish(key AttemptKey, a *Attempt, outcome contract.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a.outcome, a.endedAt = outcome, time.Now()
	close(a.done)
	if outcome.Free {
		// Nothing was sent, and the attempt is still to be made under the same number.
		delete(t.attempts, key)
		return
	}
	t.ended = append(t.ended, key)
	t.bytes += a.size()
	t.evict(a.endedAt)
}

// evict drops ended attempts that are too old or too many. A key that was sent twice is
// in the list twice: its later attempt goes when its own time has come, or when there
// are too many.
func (t *Attempts) evict(now time.Time) {
	for len(t.ended) > 0 {
		a := t.attempts[t.ended[0]]
		if a != nil && a.isEnded() {
			if len(t.ended) <= keptAttempts && t.bytes <= keptBytes && now.Sub(a.endedAt) < keptFor {
				return
			}
			t.bytes -= a.size()
			delete(t.attempts, t.ended[0])
		}
		t.ended = t.ended[1:]
	}
}

func (t *Attempts) find(key AttemptKey, caller string) (*Attempt, bool) {
	t.evict(time.Now())
	a, ok := t.attempts[key]
	return a, ok && !a.isClaimedByOther(caller)
}

// size returns roughly how much memory the outcome takes, in bytes.
func (a *Attempt) size() int {
	n := 300 + len(a.outcome.Message) + len(a.outcome.Excerpt)
	for name, value := range a.outcome.Returns {
		text, _ := value.(string)
		n += 100 + len(name) + len(text)
	}
	return n
}

func (a *Attempt) isEnded() bool { return !a.endedAt.IsZero() }

// isClaimedByOther reports whether the attempt is a failure that another caller has claimed.
func (a *Attempt) isClaimedByOther(caller string) bool {
	return a.isEnded() && a.claimedBy != "" && a.claimedBy != caller && a.outcome.Verdict != contract.VerdictDelivered
}
