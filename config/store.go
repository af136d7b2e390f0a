package config

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Store holds the set in force. Readers take Current once for each piece of work,
// so that one event is dispatched with one configuration.
type Store struct {
	current atomic.Pointer[Set]
	reload  sync.Mutex
	load    func() (*Set, error)
}

// Open loads a file into a new store that can reload it.
func Open(path string, options ...Option) (*Store, error) {
	s := &Store{load: func() (*Set, error) { return Load(path, options...) }}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// NewStore holds a set that was made elsewhere; it cannot reload.
func NewStore(set *Set) *Store {
	s := &Store{}
	s.current.Store(set)
	return s
}

// Current is the set in force.
func (s *Store) Current() *Set { return s.current.Load() }

// Replace puts another set in force.
func (s *Store) Replace(set *Set) { s.current.Store(set) }

// Reload reads the configuration again and puts it in force at once and whole. A
// bad one changes nothing; the error says what is wrong with it.
func (s *Store) Reload() error {
	if s.load == nil {
		return errors.New("config: this configuration was not read from a file, so it cannot be reloaded")
	}
	s.reload.Lock()
	defer s.reload.Unlock()
	set, err := s.load()
	if err != nil {
		return err
	}
	s.current.Store(set)
	return nil
}
