package intake

import (
	"cmp"
	"slices"
	"time"
)

// Bounds of what waits for its turn, and of what is remembered of it.
const (
	// maxHeld and maxHeldBytes bound what waits; beyond them the wait ends early.
	maxHeld      = 1000
	maxHeldBytes = 256 << 10
	// maxAhead is how far ahead of its turn a number may be: a stray one must not
	// make everything after it late.
	maxAhead = 10_000
	// maxMissing is how many gaps are remembered.
	maxMissing = 64
)

// Sequence is the order of the numbered commands of one interaction.
type Sequence struct {
	// Passed is the number that was taken or given up last; the next one's turn it is.
	Passed int64 `json:"passed,omitempty"`
	// Held are those ahead of their turn, by number.
	Held []*Arrival `json:"held,omitempty"`
	// Gaps counts how often it went on without what was missing; Missing is what
	// that was, the last of them.
	Gaps    int   `json:"gaps,omitempty"`
	Missing []Gap `json:"missing,omitempty"`
}

// Next is the number whose turn it is.
func (l *Sequence) Next() int64 { return l.Passed + 1 }

// Since is when the first of those that wait came; false when none does.
func (l *Sequence) Since() (time.Time, bool) {
	if len(l.Held) == 0 {
		return time.Time{}, false
	}
	first := slices.MinFunc(l.Held, func(a, b *Arrival) int { return a.At.Compare(b.At) })
	return first.At, true
}

// find is where a number waits, or would.
func (l *Sequence) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(l.Held, number, func(a *Arrival, n int64) int { return cmp.Compare(a.Number, n) })
}

func (l *Sequence) hold(a *Arrival) {
	place, _ := l.find(a.Number)
	l.Held = slices.Insert(l.Held, place, a)
}

// isFull tells whether more waits than is waited with.
func (l *Sequence) isFull() bool {
	size := 0
	for _, a := range l.Held {
		size += len(a.Payload)
	}
	return len(l.Held) > maxHeld || size > maxHeldBytes
}

// pop takes out the first that waits if its number is at most limit.
func (l *Sequence) pop(limit int64) *Arrival {
	if len(l.Held) == 0 || l.Held[0].Number > limit {
		return nil
	}
	first := l.Held[0]
	l.Held = slices.Delete(l.Held, 0, 1)
	return first
}

// pass moves the turn behind a number, and gives up what is missing before it.
func (l *Sequence) pass(number int64, now time.Time) {
	if number > l.Next() {
		l.Gaps++
		l.Missing = append(l.Missing, Gap{From: l.Next(), To: number - 1, At: now})
		l.Missing = l.Missing[max(0, len(l.Missing)-maxMissing):]
	}
	l.Passed = max(l.Passed, number)
}

// follow notes where the source has got to while nothing is waited for.
func (l *Sequence) follow(number int64) {
	if number-l.Next() <= maxAhead {
		l.Passed = max(l.Passed, number)
	}
}

// refusal is why a number whose turn is over is refused.
func (l *Sequence) refusal(number int64) Reason {
	if slices.ContainsFunc(l.Missing, func(g Gap) bool { return g.From <= number && number <= g.To }) {
		return Late
	}
	return Repeated
}
