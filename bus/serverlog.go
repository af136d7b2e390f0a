package bus

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// serverLog gives the lines of an embedded server to slog: notices at debug, what needs attention at
// warn. Fatal does not end the process; Embed returns its text.
type serverLog struct {
	log   *slog.Logger
	mu    sync.Mutex
	cause string
}

func (l *serverLog) fatal() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

func (l *serverLog) Noticef(format string, v ...any) {
	l.log.Debug("Embedded bus: " + fmt.Sprintf(format, v...))
}

func (l *serverLog) Warnf(format string, v ...any) {
	if strings.HasPrefix(format, "Plaintext passwords detected") {
		return // about a password in a file; those of an embedded server are made at its start, or references
	}
	l.log.Warn("Embedded bus: " + fmt.Sprintf(format, v...))
}

func (l *serverLog) Errorf(format string, v ...any) { l.Warnf(format, v...) }

func (l *serverLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	l.cause = fmt.Sprintf(format, v...)
	l.mu.Unlock()
	l.log.Error("Embedded bus: " + fmt.Sprintf(format, v...))
}

func (l *serverLog) Debugf(string, ...any) {}

func (l *serverLog) Tracef(string, ...any) {}
