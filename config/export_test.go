package config

import "time"

// PollEvery sets how often the file is checked without a notification of the system.
func (s *Store) PollEvery(d time.Duration) { s.pollEvery = d }

// Quiet is how long a file must be unchanged before it is read.
const Quiet = quiet
