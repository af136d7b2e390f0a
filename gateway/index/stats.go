package index

import "time"

// Stats counts what the index has done, for metrics.
type Stats struct {
	// Open is the number of open interactions, Remembered that of ended ones whose late notices are
	// still recognized, and Waiting that of notices that wait for those before.
	Open, Remembered, Waiting int
	// Age is how long the last notice took from the stream to the index.
	Age time.Duration
	// Received counts notices, Ignored those of revisions that were known, Unreadable those that
	// could not be decoded, and Gaps the ranges of revisions without notices.
	Received, Ignored, Unreadable, Gaps uint64
	// Queries counts the queries that compare, QueryFailures the failed ones, and Repairs the states
	// that were published instead of lost notices.
	Queries, QueryFailures, Repairs uint64
	// Queued is the number of interactions that wait for a query.
	Queued int
	// Sweeps counts the listings of open interactions, Restarts how often the stream was lost, and
	// Resyncs how often a reader could not go on.
	Sweeps, Restarts, Resyncs uint64
	// Unseen counts own answers without a notice in time.
	Unseen uint64
	// StreamBytes is the estimated memory of the notices that are kept for readers.
	StreamBytes int64
}

// Stats returns the present counts.
func (x *Index) Stats() Stats {
	x.heal.mu.Lock()
	queued := len(x.heal.jobs)
	x.heal.mu.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.stats
	s.Open, s.Remembered, s.Waiting, s.Queued = x.open, x.ended.len(), x.held.len(), queued
	x.history.mu.Lock()
	s.StreamBytes = x.history.bytes
	x.history.mu.Unlock()
	return s
}

func (x *Index) countResync() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stats.Resyncs++
}
