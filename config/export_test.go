package config

import "time"

// LookEvery lets a test not wait for the system to tell of a change.
func (s *Store) LookEvery(d time.Duration) { s.lookEvery = d }

// Quiet is how long a file must have been left alone.
const Quiet = quiet
