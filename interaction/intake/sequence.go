package intake

import (
	"cmp"
	"slices"
	"time"
)

// Bounds of the buffer, and of what is remembered of gaps.
const (
	// maxBuffered and maxBufferedBytes bound the buffer; beyond them the wait ends early.
	maxBuffered      = 1000
	maxBufferedBytes = 256 << 10
	// maxAhead is how far ahead of the next number a number may be: a stray one must not
	// make everything after it late.
	maxAhead = 10_000
	// maxMissing is how many gaps are remembered.
	maxMissing = 64
)

// Sequence is the order of the numbered commands of one interaction.
type Sequence struct {
	// Passed is the last number that was delivered or given up.
	Passed int64 `json:"passed,omitempty"`
	// Buffered are the arrivals for which an earlier number is missing, by number.
	Buffered []*Arrival `json:"held,omitempty"`
	// Gaps counts how often missing numbers were given up; Missing are the last of them.
	Gaps    int   `json:"gaps,omitempty"`
	Missing []Gap `json:"missing,omitempty"`
}

// Next returns the number that is in order.
func (s *Sequence) Next() int64 { return s.Passed + 1 }

// Since returns when the first of the buffered arrivals came; false if the buffer is empty.
func (s *Sequence) Since() (time.Time, bool) {
	if len(s.Buffered) == 0 {
		return time.Time{}, false
	}
	first := slices.MinFunc(s.Buffered, func(a, b *Arrival) int { return a.At.Compare(b.At) })
	return first.At, true
}

// find returns the place of a number in the buffer, and whether it is there.
func (s *Sequence) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(s.Buffered, number, func(a *Arrival, n int64) int { return cmp.Compare(a.Number, n) })
}

func (s *Sequence) buffer(a *Arrival) {
	place, _ := s.find(a.Number)
	s.Buffered = slices.Insert(s.Buffered, place, a)
}

// isFull reports whether the buffer is beyond its bounds.
func (s *Sequence) isFull() bool {
	size := 0
	for _, a := range s.Buffered {
		size += len(a.Payload)
	}
	return len(s.Buffered) > maxBuffered || size > maxBufferedBytes
}

// pop takes the first arrival out of the buffer; nil if its number is above limit.
func (s *Sequence) pop(limit int64) *Arrival {
	if len(s.Buffered) == 0 || s.Buffered[0].Number > limit {
		return nil
	}
	first := s.Buffered[0]
	s.Buffered = slices.Delete(s.Buffered, 0, 1)
	return first
}

// pass notes that a number is delivered, and gives up those that are missing before it.
func (s *Sequence) pass(number int64, now time.Time) {
	if number > s.Next() {
		s.Gaps++
		s.Missing = append(s.Missing, Gap{From: s.Next(), To: number - 1, At: now})
		s.Missing = s.Missing[max(0, len(s.Missing)-maxMissing):]
	}
	s.Passed = max(s.Passed, number)
}

// follow notes how far the source has come while numbers are not waited for.
func (s *Sequence) follow(number int64) {
	if number-s.Next() <= maxAhead {
		s.Passed = max(s.Passed, number)
	}
}

// refusal returns why a number that has been delivered or given up is refused.
func (s *Sequence) refusal(number int64) Reason {
	if slices.ContainsFunc(s.Missing, func(g Gap) bool { return g.From <= number && number <= g.To }) {
		return Late
	}
	return Repeated
}
