package bustest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"segue/bus"
	"segue/contract"
)

// Stream is a stream of notices, with pings. It is an index.Bus, and safe for concurrent use.
type Stream struct {
	mu       sync.Mutex
	epoch    int
	first    uint64
	messages []bus.Message // from first on
	ids      map[string]bool
	changed  chan struct{}
	isAway   bool
	dues     []func(contract.Due)
	readers  int
	// beginTakes is how long a reader takes to begin.
	beginTakes time.Duration
}

// New returns an empty stream. In a bubble of synctest it belongs to that bubble.
func New() *Stream {
	return &Stream{epoch: 1, first: 1, ids: map[string]bool{}, changed: make(chan struct{})}
}

// Publish adds a notice, if the stream has not had it.
func (s *Stream) Publish(n *contract.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprint(n.RunID, ".", n.Revision)
	if s.ids[id] {
		return
	}
	s.ids[id] = true
	s.add(n)
}

// Repeat adds a notice again, as after the time in which the stream knows its id.
func (s *Stream) Repeat(n *contract.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(n)
}

func (s *Stream) add(n *contract.Notice) {
	s.messages = append(s.messages, bus.Message{Sequence: s.first + uint64(len(s.messages)), At: time.Now(), Notice: n})
	s.announce()
}

func (s *Stream) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Due pings those who listen, for a notice.
func (s *Stream) Due(n *contract.Notice) {
	s.mu.Lock()
	handlers, isAway := slices.Clone(s.dues), s.isAway
	s.mu.Unlock()
	if isAway {
		return
	}
	for _, handle := range handlers {
		handle(contract.Due{ContactCenter: n.ContactCenter, Interaction: n.Interaction, RunID: n.RunID, Revision: n.Revision})
	}
}

// SetAway makes the bus unreachable, or reachable again.
func (s *Stream) SetAway(isAway bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isAway = isAway
	s.announce()
}

// SetBeginTakes makes readers take some time to begin.
func (s *Stream) SetBeginTakes(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beginTakes = d
}

// Remake loses all messages and their ids, as a restarted server without a disk.
func (s *Stream) Remake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	s.first, s.messages, s.ids = 1, nil, map[string]bool{}
	s.announce()
}

// Expire loses the messages before one.
func (s *Stream) Expire(before uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = slices.Clone(s.messages[before-s.first:])
	s.first = before
}

// Count returns the number of messages.
func (s *Stream) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages)
}

// Readers returns how often somebody began to read.
func (s *Stream) Readers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readers
}

// Connected reports whether the bus can be reached.
func (s *Stream) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.isAway
}

// First returns the position of the first message.
func (s *Stream) First(context.Context) (bus.Position, error) {
	return s.position(func() uint64 { return s.first })
}

// Last returns the position of the last message.
func (s *Stream) Last(context.Context) (bus.Position, error) {
	return s.position(func() uint64 { return s.first + uint64(len(s.messages)) - 1 })
}

func (s *Stream) position(sequence func() uint64) (bus.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isAway {
		return bus.Position{}, bus.ErrAway
	}
	return bus.Position{Epoch: s.name(), Sequence: sequence()}, nil
}

func (s *Stream) name() string { return fmt.Sprint("e", s.epoch) }

// Consume is that of bus.Conn. A reader waits while the bus is away.
func (s *Stream) Consume(ctx context.Context, after bus.Position, handle func(bus.Message), began ...func()) error {
	s.mu.Lock()
	s.readers++
	takes := s.beginTakes
	s.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, report := range began {
		report()
	}
	for next := after.Sequence + 1; ctx.Err() == nil; {
		message, changed, err := s.message(after.Epoch, next)
		switch {
		case err != nil:
			return err
		case message != nil:
			next++
			handle(*message)
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// message returns a message, or what is closed when there may be one.
func (s *Stream) message(epoch string, sequence uint64) (*bus.Message, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.name() != epoch || sequence < s.first:
		return nil, nil, fmt.Errorf("consume: %w", bus.ErrLost)
	case s.isAway || sequence-s.first >= uint64(len(s.messages)):
		return nil, s.changed, nil
	}
	return &s.messages[sequence-s.first], nil, nil
}

// Dues gives pings to handle until the context ends.
func (s *Stream) Dues(ctx context.Context, handle func(contract.Due)) error {
	s.mu.Lock()
	s.dues = append(s.dues, handle)
	s.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

// PublishNow is Publish for one who waits for the bus.
func (s *Stream) PublishNow(_ context.Context, n *contract.Notice) error {
	if !s.Connected() {
		return bus.ErrAway
	}
	s.Publish(n)
	return nil
}
