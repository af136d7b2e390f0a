package index_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"segue/bus"
	"segue/contract"
)

// stream is a bus in memory. It is needed because rules about lost and late notices cannot be tested
// with a network.
type stream struct {
	mu        sync.Mutex
	epoch     string
	first     uint64
	messages  []bus.Message // from first on
	ids       map[string]bool
	changed   chan struct{}
	away      bool
	dues      []func(contract.Due)
	published int
	reads     int
	// beginTakes is how long a reader takes to begin.
	beginTakes time.Duration
}

func newStream() *stream {
	return &stream{epoch: "e1", first: 1, ids: map[string]bool{}, changed: make(chan struct{})}
}

func (s *stream) publish(n *contract.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprint(n.RunID, ".", n.Revision)
	if s.ids[id] {
		return
	}
	s.ids[id] = true
	s.add(n)
}

// repeat publishes a notice again, as after the time in which the stream knows its id.
func (s *stream) repeat(n *contract.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(n)
}

func (s *stream) add(n *contract.Notice) {
	s.messages = append(s.messages, bus.Message{Sequence: s.first + uint64(len(s.messages)), At: time.Now(), Notice: n})
	s.announce()
}

func (s *stream) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stream) due(n *contract.Notice) {
	s.mu.Lock()
	handlers := append([]func(contract.Due){}, s.dues...)
	away := s.away
	s.mu.Unlock()
	if away {
		return
	}
	for _, handle := range handlers {
		handle(contract.Due{ContactCenter: n.ContactCenter, Interaction: n.Interaction, RunID: n.RunID, Revision: n.Revision})
	}
}

func (s *stream) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
	s.announce()
}

// remake loses all messages, as a restarted server without a disk.
func (s *stream) remake(epoch string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch, s.first, s.messages = epoch, 1, nil
	s.announce()
}

// expire loses the messages before one.
func (s *stream) expire(before uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append([]bus.Message(nil), s.messages[before-s.first:]...)
	s.first = before
}

func (s *stream) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.away
}

func (s *stream) First(context.Context) (bus.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return bus.Position{}, bus.ErrAway
	}
	return bus.Position{Epoch: s.epoch, Sequence: s.first}, nil
}

func (s *stream) Last(context.Context) (bus.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return bus.Position{}, bus.ErrAway
	}
	return bus.Position{Epoch: s.epoch, Sequence: s.first + uint64(len(s.messages)) - 1}, nil
}

func (s *stream) Consume(ctx context.Context, after bus.Position, handle func(bus.Message), began ...func()) error {
	next := after.Sequence + 1
	s.mu.Lock()
	s.reads++
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
	for ctx.Err() == nil {
		s.mu.Lock()
		changed, away := s.changed, s.away
		var message *bus.Message
		switch {
		case s.epoch != after.Epoch || next < s.first:
			s.mu.Unlock()
			return fmt.Errorf("consume: %w", bus.ErrLost)
		case !away && next-s.first < uint64(len(s.messages)):
			m := s.messages[next-s.first]
			message = &m
		}
		s.mu.Unlock()
		if message != nil {
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

func (s *stream) Dues(ctx context.Context, handle func(contract.Due)) error {
	s.mu.Lock()
	s.dues = append(s.dues, handle)
	s.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func (s *stream) PublishNow(_ context.Context, n *contract.Notice) error {
	s.mu.Lock()
	away := s.away
	s.published++
	s.mu.Unlock()
	if away {
		return bus.ErrAway
	}
	s.publish(n)
	return nil
}

// count is the number of messages, and readers how often somebody began to read.
func (s *stream) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.messages)
}

func (s *stream) readers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}
