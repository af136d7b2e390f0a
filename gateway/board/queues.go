package board

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"segue/contract"
	"segue/gateway/index"
	"segue/interaction"
)

// Queue is the figures of a queue of a contact center.
type Queue struct {
	Name string
	// Waiting counts the interactions that wait for an agent, and Oldest is how long the first of them
	// has waited. Offered counts those that are offered to agents, Handling those that agents work on:
	// dialing, handling, consulting, conference and composing.
	Waiting           int
	Oldest            time.Duration
	Offered, Handling int
	// Handled and Abandoned count the interactions that ended so in the window and were in this queue
	// last.
	Handled, Abandoned int
	// Left counts the interactions that left the queue in the window, InTime those of them that an
	// agent answered within the service level.
	Left, InTime int
}

// Queues returns the queues of a contact center by name: those of the configuration, those that open
// interactions are in, and those in which something happened in the window.
func (b *Board) Queues(contactCenter string) []Queue {
	set, now := b.config.Current(), time.Now()
	queues := map[string]*Queue{}
	for _, q := range set.Queues {
		queues[q.Name] = &Queue{Name: q.Name}
	}
	for name, what := range b.tallies(contactCenter, now.Add(-set.Board.Window)) {
		q := named(queues, name)
		q.Handled, q.Abandoned, q.Left, q.InTime = what.handled, what.abandoned, what.left, what.inTime
	}
	b.index.List(contactCenter, func(e *index.Entry) bool {
		if e.State.Queue != "" {
			named(queues, e.State.Queue).take(e.State, now)
		}
		return false
	})
	sorted := slices.SortedFunc(maps.Values(queues), func(x, y *Queue) int { return cmp.Compare(x.Name, y.Name) })
	list := make([]Queue, len(sorted))
	for i, q := range sorted {
		list[i] = *q
	}
	return list
}

func (b *Board) tallies(contactCenter string, since time.Time) map[string]tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.window.of(contactCenter, since)
}

func named(queues map[string]*Queue, name string) *Queue {
	if queues[name] == nil {
		queues[name] = &Queue{Name: name}
	}
	return queues[name]
}

// take adds an open interaction.
func (q *Queue) take(state *contract.State, now time.Time) {
	switch state.State {
	case interaction.StateQueued:
		q.Waiting++
		q.Oldest = max(q.Oldest, now.Sub(state.EnqueuedAt)) // negative if the source's clock is ahead
	case interaction.StateOffered:
		q.Offered++
	case interaction.StateDialing, interaction.StateHandling, interaction.StateConsulting, interaction.StateConference, interaction.StateComposing:
		q.Handling++
	}
}
