package platform

import (
	"context"
	"errors"
	"time"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/gateway/index"
)

const (
	// knownFor is how long a stream compares changes with the states of its resync: the changes up to
	// them have come by then.
	knownFor = 30 * time.Second
	// stateWithin bounds the query for a state that a notice does not have.
	stateWithin = 5 * time.Second
	// resyncPause is before the next attempt of a resync that met a restart of the index.
	resyncPause = 100 * time.Millisecond
)

// The reasons of a resync.
const (
	reasonExpired = "expired"
	reasonForeign = "foreign"
	reasonOverrun = "overrun"
)

// resync sends the present state of each open interaction, and sets the reader after it. The last of
// its events has an id: whoever does not get that far begins again.
func (s *stream) resync(reason string) error {
	entries, end := s.api.Index.Snapshot(s.scope.contactCenter, s.wanted.state)
	reader, err := s.api.Index.ReadFrom(s.ctx, end)
	if errors.Is(err, index.ErrResync) {
		select {
		case <-time.After(resyncPause):
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
	if err != nil {
		return err
	}
	s.reader, s.inNotice = reader, false
	s.known, s.forget = make(known, len(entries)), time.Now().Add(knownFor)
	if err := s.send(idOfLast(0, len(entries), end), eventResync, liveResync{Reason: reason}); err != nil {
		return err
	}
	for i, e := range entries {
		state := stateFor(s.scope, e)
		s.known[client.Name{ContactCenter: state.ContactCenter, ID: state.ID}] = revision{run: state.RunID, number: state.Revision}
		data := liveState{ContactCenter: state.ContactCenter, Interaction: state.ID, Sequence: state.Sequence, Revision: state.Revision, State: state}
		if err := s.send(idOfLast(i+1, len(entries), end), eventState, data); err != nil {
			return err
		}
	}
	s.forget = time.Now().Add(knownFor)
	s.flush()
	return s.failure
}

// idOfLast returns the id of the last event of a resync, and none for the others.
func idOfLast(number, last int, end bus.Position) string {
	if number < last {
		return ""
	}
	return endOf(end).String()
}

// showGap sends a gap and the state after it.
func (s *stream) showGap(c *index.Change, id eventID, had int) error {
	n := c.Notice
	if had < placeGap {
		id.place = placeGap
		data := liveGap{ContactCenter: n.ContactCenter, Interaction: n.Interaction, From: c.Gap.From, To: c.Gap.To}
		if err := s.send(id.String(), eventGap, data); err != nil {
			return err
		}
	}
	if had < placeState {
		id.place = placeState
		data := liveState{ContactCenter: n.ContactCenter, Interaction: n.Interaction, Sequence: n.Sequence, Revision: n.Revision}
		if n.State != nil {
			data.State = stateFor(s.scope, &index.Entry{State: n.State, CapabilitiesFor: n.CapabilitiesFor})
		} else {
			data = s.queried(data)
		}
		return s.send(id.String(), eventState, data)
	}
	return nil
}

// queried reads the state that a notice does not have.
func (s *stream) queried(data liveState) liveState {
	ctx, cancel := context.WithTimeout(s.ctx, stateWithin)
	defer cancel()
	own := s.scope.actor()
	n := client.Name{ContactCenter: data.ContactCenter, ID: data.Interaction}
	state, err := s.api.Index.Query(ctx, n, &contract.StateRequest{ID: own.ID, Role: own.Role})
	if err != nil {
		s.api.Log.DebugContext(s.ctx, "a stream of events has no state", "error", err)
		return data
	}
	data.State, data.Sequence, data.Revision = &state, state.Sequence, state.Revision
	return data
}
