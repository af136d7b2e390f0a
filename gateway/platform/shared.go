package platform

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"segue/client"
)

const (
	// sharedFor is how long equal lists share an answer: servers allow ten lists a second.
	sharedFor = time.Second
	// maxShared bounds the kept answers.
	maxShared = 256
)

// page is one page of a stored list.
type page struct {
	rows []client.Listed
	next []byte
	at   time.Time
}

// shared gives equal lists one answer for a second. Its zero value is ready.
type shared struct {
	flight singleflight.Group
	mu     sync.Mutex
	pages  map[string]page
}

// get returns the kept answer of a list, or asks for it once for all callers that wait. A caller whose
// context ends leaves the others waiting.
func (s *shared) get(ctx context.Context, list string, ask func(context.Context) (page, error)) (page, error) {
	if kept, ok := s.kept(list); ok {
		return kept, nil
	}
	asked := s.flight.DoChan(list, func() (any, error) {
		// The answer is for all who wait, so it does not end with the first one's request.
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), DefaultDeadline)
		defer cancel()
		answer, err := ask(asking)
		if err == nil {
			answer.at = time.Now()
			s.keep(list, answer)
		}
		return answer, err
	})
	select {
	case <-ctx.Done():
		return page{}, ctx.Err()
	case answer := <-asked:
		found, _ := answer.Val.(page)
		return found, answer.Err
	}
}

func (s *shared) kept(list string) (page, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.pages[list]
	return kept, ok && time.Since(kept.at) < sharedFor
}

// keep keeps an answer, and drops those that are too old.
func (s *shared) keep(list string, answer page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages == nil {
		s.pages = map[string]page{}
	}
	for other, kept := range s.pages {
		if time.Since(kept.at) >= sharedFor || len(s.pages) >= maxShared {
			delete(s.pages, other)
		}
	}
	s.pages[list] = answer
}
