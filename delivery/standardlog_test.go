package delivery_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
)

// locked is a buffer for several writers.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// net/http logs a receiver's unsolicited response: the log line must not contain its bytes.
func TestAnUnsolicitedResponseIsNotLogged(t *testing.T) {
	var written locked
	log.SetOutput(delivery.RedactStandardLog(&written))
	t.Cleanup(func() { log.SetOutput(io.Discard) })
	server := serveRaw(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX: "+canary+"\r\n\r\n")
	})
	o := newSender(t).Send(context.Background(), newPolicy(), newRequest(server), 1)
	require.Equal(t, "ok", o.Class, o.Message)
	require.Eventually(t, func() bool { return written.String() != "" }, time.Minute, time.Millisecond)
	log.Print("another line starting with words")
	assert.Regexp(t, `^\S+ \S+ Unsolicited response received on idle HTTP channel\n.*another line starting with words\n$`, written.String())
	assert.NotContains(t, written.String(), canary)
}
