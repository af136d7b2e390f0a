package config

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Store holds the set in force. Readers take Current once for each piece of work,
// so that one event is dispatched with one configuration.
type Store struct {
	current atomic.Pointer[Set]
	path    string
	options []Option
	// lookEvery is how often the file is looked at without being told of a change.
	lookEvery time.Duration

	mu    sync.Mutex  // one reload at a time
	state os.FileInfo // of the file that was read last, nil when there was none
	fixed bool
}

// Open loads a file into a new store that can reload it.
func Open(path string, options ...Option) (*Store, error) {
	s := &Store{path: path, options: options, lookEvery: lookEvery}
	set, state, err := load(path, options)
	if err != nil {
		return nil, err
	}
	s.state = state
	s.current.Store(set)
	return s, nil
}

// NewStore holds a set that was made elsewhere; it cannot reload.
func NewStore(set *Set) *Store {
	s := &Store{fixed: true}
	s.current.Store(set)
	return s
}

// Current is the set in force.
func (s *Store) Current() *Set { return s.current.Load() }

// Reload reads the configuration again, lets prepare get ready for it, and puts it
// in force at once and whole. A bad one, or one that prepare refuses, changes
// nothing; the error says what is wrong with it. One that says the same as the
// set in force is not put in its place. It returns the set that is in force then.
func (s *Store) Reload(prepare func(next *Set) error) (*Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.Current()
	if s.fixed {
		return current, errors.New("config: this configuration was not read from a file, so it cannot be reloaded")
	}
	next, state, err := load(s.path, s.options)
	s.state = state
	switch {
	case err != nil:
		return current, err
	case next.equals(current):
		return current, nil
	case next.blank && !current.blank:
		// More likely somebody is about to write it than that nothing is to be sent any more.
		return current, Errors{{File: s.path, Problem: "is empty, and the configuration in force is not", Remedy: "to run without calls, write calls: []"}}
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
