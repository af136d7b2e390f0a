package visitor_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"segue/bus"
	"segue/contract"
)

// stream is a bus in memory, as lost notices and restarts cannot be tested with a network.
type stream struct {
	mu       sync.Mutex
	epoch    int
	messages []bus.Message
	ids      map[string]bool
	changed  chan struct{}
}

func newStream() *stream {
	return &stream{epoch: 1, ids: map[string]bool{}, changed: make(chan struct{})}
}

func (s *stream) publish(n *contract.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprint(n.ContactCenter, n.Interaction, n.RunID, ".", n.Revision)
	if s.ids[id] {
		return
	}
	s.ids[id] = true
	s.messages = append(s.messages, bus.Message{Sequence: uint64(len(s.messages) + 1), At: time.Now(), Notice: n})
	s.announce()
}

func (s *stream) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// remake loses all messages, as a restarted server without a disk.
func (s *stream) remake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	s.messages, s.ids = nil, map[string]bool{}
	s.announce()
}

func (s *stream) name() string { return fmt.Sprint("epoch-", s.epoch) }

func (s *stream) Connected() bool { return true }

func (s *stream) First(context.Context) (bus.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bus.Position{Epoch: s.name(), Sequence: 1}, nil
}

func (s *stream) Last(context.Context) (bus.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bus.Position{Epoch: s.name(), Sequence: uint64(len(s.messages))}, nil
}

func (s *stream) Consume(ctx context.Context, after bus.Position, handle func(bus.Message), began ...func()) error {
	for _, report := range began {
		report()
	}
	for next := after.Sequence; ctx.Err() == nil; {
		s.mu.Lock()
		changed, isLost := s.changed, s.name() != after.Epoch
		var messages []bus.Message
		if !isLost && next < uint64(len(s.messages)) {
			messages = s.messages[next : next+1]
		}
		s.mu.Unlock()
		if isLost {
			return fmt.Errorf("consume: %w", bus.ErrLost)
		}
		if len(messages) > 0 {
			next++
			handle(messages[0])
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

func (s *stream) Dues(ctx context.Context, _ func(contract.Due)) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s *stream) PublishNow(_ context.Context, n *contract.Notice) error {
	s.publish(n)
	return nil
}
