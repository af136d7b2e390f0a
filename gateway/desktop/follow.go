package desktop

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/gateway/desktop/view"
	"segue/gateway/index"
	"segue/interaction"
)

const (
	// completeEvery is how often a starting server looks whether the index is complete.
	completeEvery = 50 * time.Millisecond
	// readPause is before the next attempt to read changes, or to query a state.
	readPause = 200 * time.Millisecond
	// sweepEvery is how often desktops are compared with the index.
	sweepEvery   = time.Minute
	queryTimeout = 5 * time.Second
	// askers query states, and maxAsked bounds the queries that wait. The next sweep asks for the others.
	askers   = 2
	maxAsked = 4096
)

// Run follows the changes until the context ends, and returns when all that it started has ended.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.follow(ctx) })
	g.Go(func() error { return s.sweeps(ctx) })
	g.Go(func() error { return s.followOffers(ctx) })
	g.Go(func() error { return s.followSessions(ctx) })
	for range askers {
		g.Go(func() error { return s.ask(ctx) })
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// follow reads the changes. If it cannot go on, it compares all desktops with what is.
func (s *Server) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		changes, err := s.options.Index.Changes(ctx)
		if err == nil {
			s.compare()
			err = s.read(ctx, changes)
		}
		s.log.Debug("Sessions of desktops read the changes again", "error", err)
		if err := pause(ctx, readPause); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *Server) read(ctx context.Context, changes Changes) error {
	for {
		change, err := changes.Next(ctx, nil)
		switch {
		case err == nil:
			s.take(change)
		case errors.Is(err, index.ErrResync) || ctx.Err() != nil:
			return err
		default: // the stream itself could not be read
			if err := pause(ctx, readPause); err != nil {
				return err
			}
		}
	}
}

// take applies a change to the desktops of all agents whom it is about.
func (s *Server) take(c *index.Change) {
	notice := c.Notice
	name := client.Name{ContactCenter: notice.ContactCenter, ID: notice.Interaction}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seats) == 0 {
		return
	}
	change := view.Of(notice)
	about := s.about(name, notice.State, notice.CapabilitiesFor, notice.AgentsBefore)
	if change.State == nil { // too large for a notice, or not known
		e, isOpen := s.options.Index.Get(name)
		if !isOpen || e.State.RunID != notice.RunID || e.State.Revision < notice.Revision {
			if len(about) > 0 {
				s.request(name)
			}
			return
		}
		change.State, change.CapabilitiesFor = e.State, e.CapabilitiesFor
	}
	for _, one := range about {
		if !isBefore(c.At, one.from) {
			s.apply(one, change, change.State.RunID, change.State.Revision)
		}
	}
}

// isBefore reports whether a change was in the index when a desktop began.
func isBefore(at, from bus.Position) bool {
	return at.Epoch == from.Epoch && at.Sequence <= from.Sequence
}

// about returns the seats of the agents who have a part in an interaction, or had one.
func (s *Server) about(name client.Name, state *contract.State, capabilities map[string][]string, before []string) []*seat {
	var found []*seat
	seen := map[*seat]bool{}
	add := func(one *seat) {
		if one != nil && !seen[one] {
			seen[one] = true
			found = append(found, one)
		}
	}
	addAgent := func(id string) { add(s.seats[agent{name.ContactCenter, id}]) }
	for one := range s.showing[name] {
		add(one)
	}
	for _, id := range before {
		addAgent(id)
	}
	for id := range capabilities {
		addAgent(id)
	}
	if state == nil {
		return found
	}
	for n := range state.Participants {
		if a := state.Participants[n].Agent; a != nil {
			addAgent(a.ID)
		}
	}
	for n := range state.OfferedTo {
		addAgent(state.OfferedTo[n].ID)
	}
	return found
}

// compare brings all desktops up to the index.
func (s *Server) compare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.seats {
		s.compareOne(one)
	}
}

func (s *Server) compareOne(one *seat) {
	open := map[string]bool{}
	for _, e := range s.options.Index.OfAgent(one.agent.contactCenter, one.agent.id) {
		open[e.State.ID] = true
		s.apply(one, unseen(e.State, e.CapabilitiesFor), e.State.RunID, e.State.Revision)
	}
	for _, id := range one.desktop.Interactions() {
		if open[id] {
			continue
		}
		name := client.Name{ContactCenter: one.agent.contactCenter, ID: id}
		if e, isOpen := s.options.Index.Get(name); isOpen {
			s.apply(one, unseen(e.State, e.CapabilitiesFor), e.State.RunID, e.State.Revision)
		} else {
			s.request(name)
		}
	}
}

// sweeps compares once the index has all open interactions, and each minute: what differs was missed, and
// an interaction that was terminated has no last change.
func (s *Server) sweeps(ctx context.Context) error {
	for !s.options.Index.Complete() {
		if err := pause(ctx, completeEvery); err != nil {
			return err
		}
	}
	for {
		s.compare()
		if err := pause(ctx, sweepEvery); err != nil {
			return err
		}
		s.mu.Lock()
		s.forgetOld(time.Now())
		s.mu.Unlock()
		s.announceAll(ctx)
	}
}

// request has the state of an interaction queried.
func (s *Server) request(name client.Name) {
	select {
	case s.asked <- name:
	default: // the next sweep asks
	}
}

// ask queries states, and applies them.
func (s *Server) ask(ctx context.Context) error {
	for {
		var name client.Name
		select {
		case name = <-s.asked:
		case <-ctx.Done():
			return ctx.Err()
		}
		asking, cancel := context.WithTimeout(ctx, queryTimeout)
		state, err := s.options.Index.Query(asking, name, &contract.StateRequest{Role: interaction.RolePlatform, Agents: true})
		cancel()
		if err := s.answered(name, &state, err); err != nil {
			s.request(name)
		}
		if err := pause(ctx, readPause); err != nil {
			return err
		}
	}
}

// answered applies what a query has found. It returns the error of a query that is to be repeated.
func (s *Server) answered(name client.Name, state *contract.State, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var refused *client.RefusedError
	isGone := errors.Is(err, client.ErrNotFound) || errors.As(err, &refused)
	if err != nil && !isGone {
		return err
	}
	_, isListed := s.options.Index.Get(name)
	for _, one := range s.about(name, state, state.CapabilitiesFor, nil) {
		run, revision, isShown := one.desktop.Shown(name.ID)
		isKnown := isShown && run == state.RunID && revision == state.Revision
		switch {
		case isGone, isKnown && !isListed: // a terminated one does not say so
			s.finish(one, name.ID)
		default:
			s.apply(one, unseen(state, state.CapabilitiesFor), state.RunID, state.Revision)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
