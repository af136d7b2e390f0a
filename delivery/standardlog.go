package delivery

import (
	"bytes"
	"fmt"
	"io"
)

// RedactStandardLog returns a writer for the process's standard logger that removes the
// bytes of receivers from its lines. net/http logs an unsolicited response there, up to
// 4 KB of it, and has no setting to turn that off; a receiver may repeat in it what it was
// sent, credentials included.
func RedactStandardLog(w io.Writer) io.Writer { return standardLog{w} }

type standardLog struct{ io.Writer }

// Write takes one line, as the standard logger writes it.
func (l standardLog) Write(line []byte) (int, error) {
	rest, _, found := bytes.Cut(line, []byte(" starting with "))
	if !found || !bytes.Contains(rest, []byte("Unsolicited response")) {
		return l.Writer.Write(line)
	}
	if _, err := fmt.Fprintf(l.Writer, "%s\n", rest); err != nil {
		return 0, err
	}
	return len(line), nil
}
