package delivery

import (
	"bytes"
	"fmt"
	"io"
)

// Quiet is a writer for the process's standard logger, which net/http writes to
// by itself and lets nobody turn off: an answer that nobody asked for, and up to
// 4 KB of it. A receiver may repeat there what it was sent, credentials included,
// so the line goes on without its words.
func Quiet(w io.Writer) io.Writer { return quiet{w} }

type quiet struct{ io.Writer }

// Write takes one line, as the standard logger gives it.
func (q quiet) Write(line []byte) (int, error) {
	kept, _, found := bytes.Cut(line, []byte(" starting with "))
	if !found || !bytes.Contains(kept, []byte("Unsolicited response")) {
		return q.Writer.Write(line)
	}
	if _, err := fmt.Fprintf(q.Writer, "%s\n", kept); err != nil {
		return 0, err
	}
	return len(line), nil
}
