package stack

import (
	"bytes"
	"sync"
)

// Log is text that goroutines write and tests read.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds text.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all text so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
