package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"segue/bus"
	"segue/client"
	"segue/contract"
	"segue/gateway/index"
)

const (
	// keepAlive is how often a quiet stream sends a comment.
	keepAlive = 15 * time.Second
	// reconnectAfter is how long clients wait before they reconnect, in milliseconds.
	reconnectAfter = "2000"
	// writeWithin is how long a client may take to accept an event.
	writeWithin = 30 * time.Second
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

var errStopping = errors.New("the gateway stops")

// stream is one client that reads events. It belongs to one goroutine.
type stream struct {
	api      *api
	scope    scope
	wanted   *interest
	hasState bool
	ctx      context.Context
	w        http.ResponseWriter
	control  *http.ResponseController
	reader   *index.Reader
	// resumed is the last event that the client had, in the middle of a notice. inNotice is set until
	// the reader has passed that notice.
	resumed  eventID
	inNotice bool
	known    known
	// forget is when known is no longer needed.
	forget time.Time
	// hasMoved is set once the reader has had a change: its position was good.
	hasMoved bool
	unsent   bool
	failure  error
}

// run sends events until the client, the credential or the process ends, or the client does not
// accept them. It returns which it was.
func (s *stream) run(last string) error {
	end := s.api.Index.End() // whatever happens after the headers comes after this
	s.open()
	reason, err := s.begin(last, end)
	for {
		switch {
		case errors.Is(err, index.ErrResync):
			if err = s.resync(reason); err != nil {
				continue
			}
		case err != nil:
			return err
		}
		if err = s.follow(); s.hasMoved {
			reason = reasonOverrun
		}
	}
}

// open sends the headers.
func (s *stream) open() {
	header := s.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies would hold events back
	s.w.WriteHeader(http.StatusOK)
	s.write([]byte("retry: " + reconnectAfter + frameEnd))
	s.flush()
}

// begin sets the reader after the last event of the client, or at the end. It returns index.ErrResync
// and the reason if that is not possible.
func (s *stream) begin(last string, end bus.Position) (reason string, err error) {
	if last == "" {
		if s.reader, err = s.api.Index.ReadFrom(s.ctx, end); err != nil {
			return reasonOverrun, err
		}
		s.mark(end)
		return reasonOverrun, s.failure
	}
	id, ok := parseID(last)
	if !ok || id.life != lifeOf(end.Epoch) {
		return reasonForeign, index.ErrResync
	}
	at := bus.Position{Epoch: end.Epoch, Sequence: id.sequence}
	if id.place == placeEnd {
		s.reader, err = s.api.Index.ReadFrom(s.ctx, at)
	} else {
		s.resumed, s.inNotice = id, true
		s.reader, err = s.api.Index.ReadAt(s.ctx, at)
	}
	if id.sequence > end.Sequence {
		return reasonForeign, err
	}
	return reasonExpired, err
}

// follow sends changes as they come.
func (s *stream) follow() error {
	beat := time.Now().Add(keepAlive)
	for {
		waiting, cancel := context.WithDeadline(s.ctx, beat)
		change, err := s.reader.Next(waiting, s.wants)
		cancel()
		switch {
		case err == nil:
			err = s.show(change)
			s.settle()
		case s.ctx.Err() != nil:
			return context.Cause(s.ctx)
		case errors.Is(err, context.DeadlineExceeded):
			err = nil
		}
		if now := time.Now(); err == nil && !now.Before(beat) {
			s.keepAlive()
			beat = now.Add(keepAlive)
		}
		if err != nil {
			return err
		}
		if s.failure != nil {
			return s.failure
		}
	}
}

// keepAlive sends a comment, and the place up to which the client has everything: with narrow filters,
// the id of its last event becomes too old.
func (s *stream) keepAlive() {
	s.write([]byte(": the stream is open\n"))
	if s.inNotice {
		s.write([]byte("\n"))
		s.flush()
		return
	}
	s.mark(s.reader.Position())
}

// mark sends an id without data: a place from which a client goes on.
func (s *stream) mark(at bus.Position) {
	s.write([]byte("id: " + endOf(at).String() + frameEnd))
	s.flush()
}

// wants reports whether the stream shows anything of a change. It sends what waits if the reader is
// about to wait.
func (s *stream) wants(c *index.Change) bool {
	s.hasMoved = true
	if s.inNotice && c.At.Sequence != s.resumed.sequence {
		s.inNotice = false
	}
	wanted := s.wanted.change(c) && !s.isKnown(c.Notice)
	if !wanted {
		s.settle()
	}
	return wanted
}

// settle sends what is written, unless more is about to be written.
func (s *stream) settle() {
	if s.unsent && s.reader.Buffered() == 0 {
		s.flush()
	}
}

// isKnown reports whether the states of the last resync have a change already.
func (s *stream) isKnown(n *contract.Notice) bool {
	if s.known == nil {
		return false
	}
	if time.Now().After(s.forget) {
		s.known = nil
		return false
	}
	return s.known.has(n)
}

// show sends the events of a change that the client does not have.
func (s *stream) show(c *index.Change) error {
	id := eventID{life: lifeOf(c.At.Epoch), sequence: c.At.Sequence}
	had := -1
	if s.inNotice && c.At.Sequence == s.resumed.sequence {
		had = s.resumed.place
	}
	s.inNotice = false
	n := c.Notice
	if c.Gap != nil {
		if err := s.showGap(c, id, had); err != nil {
			return err
		}
		if c.Gap.To >= n.Revision || !s.wanted.notice(n) {
			return nil // the notice itself is lost, or is nothing for this client
		}
	}
	shared := s.api.encodings.of(c)
	frames, err := shared.moments(c)
	if err != nil {
		return err
	}
	for _, f := range frames {
		if f.place <= had || !s.wanted.moment(f.when) {
			continue
		}
		if err := s.showMoment(f, n, shared); err != nil {
			return err
		}
	}
	return s.failure
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

// showMoment sends one event of a notice.
func (s *stream) showMoment(f frame, n *contract.Notice, shared *encoded) error {
	if !s.hasState || n.State == nil {
		s.write(f.bytes)
		return nil
	}
	var state []byte
	var err error
	if !s.scope.isUnlimited() {
		state, err = json.Marshal(stateFor(s.scope, &index.Entry{State: n.State, CapabilitiesFor: n.CapabilitiesFor}))
	} else {
		state, err = shared.stateOf(n)
	}
	if err != nil {
		return err
	}
	s.write(bytes.TrimSuffix(f.bytes, []byte(openEnd)))
	s.write([]byte(`,"state":`))
	s.write(state)
	s.write([]byte(openEnd))
	return nil
}

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

func (s *stream) send(id, name string, data any) error {
	frame, err := frameOf(id, name, data)
	if err != nil {
		return err
	}
	s.write(frame)
	return s.failure
}

// write writes a part of an event. After a failure it does nothing.
func (s *stream) write(part []byte) {
	if s.failure != nil {
		return
	}
	s.hurry()
	_, s.failure = s.w.Write(part)
	s.unsent = true
	if s.failure == nil && s.ctx.Err() != nil {
		s.failure = context.Cause(s.ctx)
	}
}

// flush sends what is written.
func (s *stream) flush() {
	if s.failure != nil {
		return
	}
	s.hurry()
	s.failure = s.control.Flush()
	s.unsent = false
	// HTTP/2 would end an answer whose deadline passes while there is nothing to write.
	_ = s.control.SetWriteDeadline(time.Time{})
}

// hurry bounds how long the client may take.
func (s *stream) hurry() {
	_ = s.control.SetWriteDeadline(time.Now().Add(writeWithin)) // a writer of a test has none
}
