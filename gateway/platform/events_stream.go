package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"segue/bus"
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
	agents   agentFeed
}

// run sends events until the client, the credential or the process ends, or the client does not
// accept them. It returns which it was.
func (s *stream) run(last string) error {
	defer s.watchAgents()()
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
		s.agents.wakes(cancel)
		change, err := s.reader.Next(waiting, s.wants)
		cancel()
		if failure := s.showAgents(); failure != nil {
			return failure
		}
		switch {
		case err == nil:
			err = s.show(change)
			s.settle()
		case s.ctx.Err() != nil:
			return context.Cause(s.ctx)
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
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
