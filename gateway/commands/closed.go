package commands

import (
	"context"
	"fmt"
	"sync"

	"segue/client"
)

const (
	// readsAtOnce is how many histories of completed interactions are read at once, to find repeats.
	readsAtOnce = 4
	// closedIDs is how many event ids of completed interactions are remembered.
	closedIDs = 200_000
)

// closedRuns remembers the event ids of completed interactions, by run: the history of a closed run
// never changes. Without that, a client that keeps sending commands to a long one would take all
// reads, and delay others.
type closedRuns struct {
	reads chan struct{}

	mu     sync.Mutex
	ids    map[string]map[string]bool
	oldest []string // runs
	count  int
}

func newClosedRuns() *closedRuns {
	return &closedRuns{reads: make(chan struct{}, readsAtOnce), ids: map[string]map[string]bool{}}
}

// received returns the event ids that a completed interaction has on record.
func (c *closedRuns) received(ctx context.Context, closed *client.CompletedError, read func(context.Context, client.Name) (map[string]bool, error)) (map[string]bool, error) {
	run := closed.Last.RunID
	if ids, known := c.known(run); known {
		return ids, nil
	}
	select {
	case c.reads <- struct{}{}:
		defer func() { <-c.reads }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w in time", closed.Name, client.ErrUnreachable)
	}
	ids, err := read(ctx, closed.Name)
	if err != nil {
		return nil, err
	}
	c.remember(run, ids)
	return ids, nil
}

func (c *closedRuns) known(run string) (ids map[string]bool, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids, known = c.ids[run]
	return ids, known
}

func (c *closedRuns) remember(run string, ids map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.ids[run]; known || run == "" || len(ids) > closedIDs {
		return
	}
	c.ids[run], c.count = ids, c.count+len(ids)+1
	c.oldest = append(c.oldest, run)
	for c.count > closedIDs {
		c.count -= len(c.ids[c.oldest[0]]) + 1
		delete(c.ids, c.oldest[0])
		c.oldest = c.oldest[1:]
	}
}
