package embedded

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// firstLine is a writer that passes on the first line and drops the rest.
type firstLine struct {
	line     chan []byte
	partial  []byte
	complete bool
}

func newFirstLine() *firstLine { return &firstLine{line: make(chan []byte, 1)} }

func (f *firstLine) Write(p []byte) (int, error) {
	if f.complete {
		return len(p), nil
	}
	f.partial = append(f.partial, p...)
	if line, _, found := bytes.Cut(f.partial, []byte("\n")); found {
		f.complete = true
		f.line <- line
	}
	return len(p), nil
}

// tailSize is how much of the end of a log an error message may contain.
const tailSize = 2048

// tail is a writer that passes everything on and keeps the end of it.
type tail struct {
	to io.Writer

	mu   sync.Mutex
	last []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	t.last = append(t.last, p...)
	if excess := len(t.last) - tailSize; excess > 0 {
		t.last = append([]byte(nil), t.last[excess:]...)
	}
	t.mu.Unlock()
	// A log that cannot be written must not stop the server by a broken pipe.
	_, _ = t.to.Write(p)
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.last))
}
