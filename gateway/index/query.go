package index

import (
	"context"
	"sync"
	"time"

	"segue/client"
	"segue/contract"
)

// Query asks the interaction itself for its state, with the capabilities of an actor. One query of
// an interaction is in flight at a time. Callers that ask for the same meanwhile share the next one,
// which sees what was done before they asked. It returns the errors of client.Client.
func (x *Index) Query(ctx context.Context, n client.Name, actor *contract.StateRequest) (contract.State, error) {
	return x.queries.get(ctx, n, actor)
}

// sharedTimeout bounds a shared query, which ends with none of its callers.
const sharedTimeout = 10 * time.Second

// shared lets callers share queries.
type shared struct {
	ask func(ctx context.Context, n client.Name, actor *contract.StateRequest) (contract.State, error)

	mu    sync.Mutex
	lines map[client.Name]*line
}

// line is the queries of one interaction that wait for the one in flight, in order.
type line struct{ next []*flight }

// flight is one query for all who asked for the same before it began.
type flight struct {
	actor contract.StateRequest // zero for none
	state contract.State
	err   error
	done  chan struct{}
}

func (s *shared) get(ctx context.Context, n client.Name, actor *contract.StateRequest) (contract.State, error) {
	f := s.join(n, actor)
	select {
	case <-f.done:
		return f.state, f.err
	case <-ctx.Done():
		return contract.State{}, ctx.Err()
	}
}

func (s *shared) join(n client.Name, actor *contract.StateRequest) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &flight{done: make(chan struct{})}
	if actor != nil {
		f.actor = *actor
	}
	if s.lines == nil {
		s.lines = map[client.Name]*line{}
	}
	l := s.lines[n]
	if l == nil {
		l = &line{next: []*flight{f}}
		s.lines[n] = l
		go s.run(n, l)
		return f
	}
	for _, waiting := range l.next {
		if waiting.actor == f.actor {
			return waiting
		}
	}
	l.next = append(l.next, f)
	return f
}

// run answers one query after the other until none waits.
func (s *shared) run(n client.Name, l *line) {
	for {
		s.mu.Lock()
		if len(l.next) == 0 {
			delete(s.lines, n)
			s.mu.Unlock()
			return
		}
		f := l.next[0]
		l.next = l.next[1:]
		s.mu.Unlock()
		s.answer(n, f)
	}
}

func (s *shared) answer(n client.Name, f *flight) {
	defer close(f.done)
	ctx, cancel := context.WithTimeout(context.Background(), sharedTimeout)
	defer cancel()
	var actor *contract.StateRequest
	if f.actor != (contract.StateRequest{}) {
		actor = &f.actor
	}
	f.state, f.err = s.ask(ctx, n, actor)
}
