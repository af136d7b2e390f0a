package main

import (
	"context"
	"fmt"
	"sync/atomic"
)

// The names of the contenders.
const (
	floor    = "floor"
	usual    = "usual"
	byUpdate = "update"
	bySignal = "signal"
	byFeed   = "feed"
	byLate   = "late"
)

// contactCenter is the contact center of Segue's interactions.
const contactCenter = "cost"

// contender is one way to do the work.
type contender struct {
	name string
	// start starts an interaction.
	start func(ctx context.Context, id string) error
	// send sends the n-th command and returns when Temporal has acknowledged it.
	send func(ctx context.Context, id string, n int) error
	// feed starts the interactions and sends all their commands; a contender has either feed, or start and send.
	feed func(ctx context.Context, ids []string, parallel int) error
	// staysOpen: its workflows do not close after the last command.
	staysOpen bool
	// workflows returns the ids of the workflows that an interaction may have, its own first.
	workflows func(id string) []string
	started   atomic.Int64
}

// newID returns the id of a new interaction.
func (c *contender) newID(delayMS int64) string {
	return fmt.Sprintf("%s-%d-%d", c.name, delayMS, c.started.Add(1))
}
