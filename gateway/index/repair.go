package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/interaction"
)

// answer is what a query found.
type answer struct {
	state contract.State
	// capabilities are those of each agent with an open leg, at the same revision.
	capabilities map[string][]string
	began        time.Time
	// version is that of the record when the query began.
	version uint64
}

func (a *answer) cursor() cursor { return cursor{run: a.state.RunID, revision: a.state.Revision} }

// repair queries one interaction and applies the answer. What the stream lacks is published, so that
// every replica and every stream sees it. It returns the task to do again, after a pause.
func (x *Index) repair(ctx context.Context, limit *rate.Limiter, j *job) (*task, time.Duration) {
	t := j.task
	if x.isHealed(j.name, t) {
		return nil, 0
	}
	runs := true
	if t.absent {
		var err error
		if runs, err = x.runs(ctx, limit, j.name); err != nil {
			return x.later(ctx, limit, j, err)
		}
		if runs && !t.must && t.asked == (cursor{}) {
			return nil, 0 // visibility is late
		}
	}
	found, err := x.query(ctx, limit, j.name)
	var refused *client.RefusedError
	switch {
	case errors.Is(err, client.ErrNotFound) || errors.As(err, &refused):
		x.gone(j.name)
		return nil, 0
	case err != nil:
		return x.later(ctx, limit, j, err)
	}
	before, lacks, again := x.apply(j.name, found, t, runs)
	switch {
	case again:
		return &t, 0
	case !lacks || t.quiet || !runs && found.state.State != interaction.StateCompleted:
		return nil, 0
	case t.asked.revision != found.state.Revision:
		// The state is later than what is missing: its own notice may be on its way.
		t.must, t.absent, t.asked = false, false, found.cursor()
		return &t, dueWait
	}
	if err := x.publish(ctx, j.name, found, before); err != nil {
		return x.later(ctx, limit, j, err)
	}
	return nil, 0
}

// isHealed reports whether the notice has come meanwhile.
func (x *Index) isHealed(n client.Name, t task) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !t.must && !t.absent && t.asked != (cursor{}) && x.shows(n, t.asked)
}

// urgentAttempts is how often what is urgent is tried before others.
const urgentAttempts = 3

// later returns the task again, with growing pauses.
func (x *Index) later(ctx context.Context, limit *rate.Limiter, j *job, err error) (*task, time.Duration) {
	if ctx.Err() != nil {
		return nil, 0
	}
	wait := min(firstPause<<min(j.attempts, 10), longestPause)
	j.attempts++
	x.log.Debug("A query is repeated", "interaction", j.name.String(), "attempts", j.attempts, "error", err)
	isSilent := x.isSilent(ctx, limit, j.name, err)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.stats.QueryFailures++
	switch {
	case isSilent:
		for n := range x.missing {
			x.silent[n] = x.sweep
		}
		clear(x.missing)
		x.checkComplete()
	case x.isHopeless(j, err):
		x.giveUp(j.name)
	}
	t := j.task
	t.urgent = t.urgent && j.attempts < urgentAttempts
	return &t, wait
}

// runs reports whether the interaction's workflow is running, by Temporal's own record of it.
func (x *Index) runs(ctx context.Context, limit *rate.Limiter, n client.Name) (bool, error) {
	if err := limit.Wait(ctx); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	status, err := x.client.WorkflowStatus(ctx, n)
	if errors.Is(err, client.ErrNotFound) {
		return false, nil
	}
	return status.Status == "running", err
}

// query asks for the state and for what each of its agents may do.
func (x *Index) query(ctx context.Context, limit *rate.Limiter, n client.Name) (*answer, error) {
	a := &answer{began: time.Now()}
	x.mu.Lock()
	if r := x.records[n]; r != nil {
		a.version = r.version
	}
	x.mu.Unlock()
	var err error
	if a.state, err = x.stateFor(ctx, limit, n); err != nil {
		return nil, err
	}
	a.capabilities, a.state.CapabilitiesFor = a.state.CapabilitiesFor, nil
	return a, nil
}

func (x *Index) stateFor(ctx context.Context, limit *rate.Limiter, n client.Name) (contract.State, error) {
	if err := limit.Wait(ctx); err != nil {
		return contract.State{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	s, err := x.client.StateFor(ctx, n, &contract.StateRequest{Role: interaction.RolePlatform, Agents: true})
	x.mu.Lock()
	x.stats.Queries++
	x.mu.Unlock()
	if err == nil {
		x.heal.mu.Lock()
		x.heal.answered, x.heal.failures = time.Now(), 0
		x.heal.mu.Unlock()
	}
	return s, err
}

// apply makes a queried state the latest one. It returns the agents whom the index had before, and
// whether the history lacks the state. again is true if it is open which of two runs is later.
func (x *Index) apply(n client.Name, a *answer, t task, runs bool) (before []string, lacks, again bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, at := x.record(n), a.cursor()
	if r.entry != nil {
		before = AgentsOf(r.entry.State)
	}
	isSame := at.run == r.state.run
	if isSame {
		at.chain = r.state.chain
	}
	if !isSame && r.state.run != "" && r.version != a.version && at.revision <= r.state.revision {
		return nil, false, true
	}
	if t.quiet && r.shown.run == "" {
		r.base = at
	}
	if !isSame || at.revision > r.state.revision {
		x.setState(r, at, &Entry{State: &a.state, CapabilitiesFor: a.capabilities})
	}
	x.found(n)
	x.decide(r, at.run, a.began)
	if !runs && a.state.State != interaction.StateCompleted && r.state.run == at.run {
		r.dead = at.run
		x.unlist(r)
		x.end(r)
		return before, false, false
	}
	return before, !x.shows(n, at), false
}

// gone removes an interaction that does not exist, or never began.
func (x *Index) gone(n client.Name) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if r := x.records[n]; r != nil {
		x.remove(r)
	}
	x.found(n)
}

// publish gives a queried state to all replicas. The stream drops it if it has that revision.
func (x *Index) publish(ctx context.Context, n client.Name, a *answer, before []string) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	first, err := x.client.FirstRun(ctx, n)
	if err != nil {
		return err
	}
	notice := &contract.Notice{
		ContactCenter: n.ContactCenter, Interaction: n.ID, FirstRunID: first, RunID: a.state.RunID,
		Revision: a.state.Revision, Sequence: a.state.Sequence, Command: commandRepair,
		AgentsBefore: before, CapabilitiesFor: a.capabilities, State: &a.state,
	}
	encoded, err := json.Marshal(notice.State)
	if err != nil {
		return fmt.Errorf("state of %s: %w", n, err)
	}
	if len(encoded) > contract.NoticeStateLimit {
		notice.State = nil
	}
	err = x.bus.PublishNow(ctx, notice)
	x.mu.Lock()
	defer x.mu.Unlock()
	if err == nil {
		x.stats.Repairs++
	}
	return err
}

var _ Bus = (*bus.Conn)(nil)
