package config

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Store holds the current set. Readers call Current once for each piece of work, so that
// one event is dispatched with one configuration.
type Store struct {
	current atomic.Pointer[Set]
	path    string
	options []Option
	// pollEvery is how often the file is checked without a notification of the system.
	pollEvery time.Duration

	mu    sync.Mutex  // one reload at a time
	state os.FileInfo // of the file that was last read, nil if there was none
	fixed bool
}

// Open loads a file into a new store that can reload it.
func Open(path string, options ...Option) (*Store, error) {
	s := &Store{path: path, options: options, pollEvery: pollEvery}
	set, state, err := load(path, options)
	if err != nil {
		return nil, err
	}
	s.state = state
	s.current.Store(set)
	return s, nil
}

// NewStore returns a store with a given set. It cannot reload.
func NewStore(set *Set) *Store {
	s := &Store{fixed: true}
	s.current.Store(set)
	return s
}

// Current returns the current set.
func (s *Store) Current() *Set { return s.current.Load() }

// Reload reads the configuration again, calls prepare with it, and makes it the current
// one, all at once. An invalid configuration, or one for which prepare returns an error,
// changes nothing, and Reload returns that error. A configuration with the same content
// does not replace the current one. Reload returns the current set.
func (s *Store) Reload(prepare func(next *Set) error) (*Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.Current()
	if s.fixed {
		return current, errors.New("config: this configuration was not read from a file and cannot be reloaded")
	}
	next, state, err := load(s.path, s.options)
	s.state = state
	switch {
	case err != nil:
		return current, err
	case next.equals(current):
		return current, nil
	case next.blank && !current.blank:
		// More likely the file is being written than that nothing is to be sent any longer.
		return current, Errors{{File: s.path, Problem: "is empty, and the current configuration is not", Remedy: "to run without calls, write calls: []"}}
	}
	if err := prepare(next); err != nil {
		return current, err
	}
	s.current.Store(next)
	return next, nil
}

func (s *Store) lastState() os.FileInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}
