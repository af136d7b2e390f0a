package board

import (
	"context"

	"segue/contract"
	"segue/metrics"
)

// Take takes a worker's report, as from the bus.
func (b *Board) Take(r contract.ReceiverReport) { b.reports.take(r) }

// Reports returns how many reports are kept.
func (b *Board) Reports() int {
	b.reports.mu.Lock()
	defer b.reports.mu.Unlock()
	return len(b.reports.last)
}

// CountWith makes the board count lanes by a function.
func (b *Board) CountWith(ask func(ctx context.Context, contactCenter string) (map[string]metrics.Lanes, error)) {
	b.lanes.init(func(ctx context.Context, contactCenter string) (lanesOf, error) { return ask(ctx, contactCenter) })
}

// Sizes returns how much the board keeps: queues with buckets, agents, and ends.
func (b *Board) Sizes() (queues, agents, ends int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.window.buckets), len(b.agents.seen), len(b.window.ended)
}

// The bounds of what a board keeps.
const (
	MaxQueues, MaxQueuesOf = maxQueues, maxQueuesOf
	MaxAgentsOf            = maxAgentsOf
	MaxEnds                = maxEnds
)

// RunCounts allows counts until the context ends.
func (b *Board) RunCounts(ctx context.Context) error { return b.lanes.run(ctx) }
