package config

import "time"

// LookEvery sets how often the file is checked without a notification of the system.
func (s *Store) LookEvery(d time.Duration) { s.lookEvery = d }

// Quiet is how long a file must be unchanged before it is read.
const Quiet = quiet
