package cut_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"segue/e2e/cut"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = time.Minute
	// glance is how long a test looks whether something comes that must not.
	glance = 50 * time.Millisecond
)

// startEcho starts a server that sends back each line.
func startEcho(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn) // it ends with the connection
			})
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		running.Wait()
	})
	return listener.Addr().String()
}

type client struct {
	*testing.T
	conn  net.Conn
	lines *bufio.Reader
}

func connect(t *testing.T, p *cut.Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // most are broken
	return &client{T: t, conn: conn, lines: bufio.NewReader(conn)}
}

func (c *client) says(text string) {
	c.Helper()
	_, err := c.conn.Write([]byte(text + "\n"))
	require.NoError(c, err)
}

func (c *client) hears(text string) {
	c.Helper()
	require.NoError(c, c.conn.SetReadDeadline(time.Now().Add(patience)))
	line, err := c.lines.ReadString('\n')
	require.NoError(c, err)
	require.Equal(c, text, strings.TrimSpace(line))
}

func (c *client) hearsNothing() {
	c.Helper()
	require.NoError(c, c.conn.SetReadDeadline(time.Now().Add(glance)))
	_, err := c.lines.Peek(1)
	var timeout net.Error
	require.ErrorAs(c, err, &timeout)
	require.True(c, timeout.Timeout(), "the connection is open: %v", err)
}

// isCut returns what came before the connection broke.
func (c *client) isCut() (heard string) {
	c.Helper()
	require.NoError(c, c.conn.SetReadDeadline(time.Now().Add(patience)))
	text, err := io.ReadAll(c.lines)
	var timeout net.Error
	require.False(c, errors.As(err, &timeout) && timeout.Timeout(), "the connection is open")
	return string(text)
}

func TestCut(t *testing.T) {
	p := cut.Before(t, "http://"+startEcho(t)+"/path")
	first, second := connect(t, p), connect(t, p)
	for _, c := range []*client{first, second} {
		c.says("hello")
		c.hears("hello")
	}
	p.Cut()
	require.Empty(t, first.isCut()+second.isCut())
	third := connect(t, p)
	third.says("again")
	third.hears("again")
}

func TestAwayAndBack(t *testing.T) {
	p := cut.Before(t, startEcho(t))
	c := connect(t, p)
	c.says("hello")
	c.hears("hello")
	p.Away()
	c.isCut()
	connect(t, p).isCut()
	p.Back()
	c = connect(t, p)
	c.says("back")
	c.hears("back")
}

func TestCutAfter(t *testing.T) {
	p := cut.Before(t, startEcho(t))
	for limit := range 6 {
		p.CutAfter(func() int { return limit })
		c := connect(t, p)
		c.says("hello")
		require.Equal(t, "hello\n"[:limit], c.isCut())
	}
	for _, unlimited := range []func() int{func() int { return -1 }, nil} {
		p.CutAfter(unlimited)
		c := connect(t, p)
		c.says("all of it")
		c.hears("all of it")
	}
}

func TestDelay(t *testing.T) {
	p := cut.Before(t, startEcho(t))
	const by = 200 * time.Millisecond
	p.Delay(by)
	c := connect(t, p)
	var said [20]time.Time
	for n := range said {
		said[n] = time.Now()
		c.says(fmt.Sprint("line ", n))
		time.Sleep(time.Millisecond) // so that there are several pieces
	}
	for n, at := range said {
		c.hears(fmt.Sprint("line ", n))
		require.GreaterOrEqual(t, time.Since(at), by)
	}
}

func TestStallAndResume(t *testing.T) {
	p := cut.Before(t, startEcho(t))
	c := connect(t, p)
	c.says("before")
	c.hears("before")
	p.Stall()
	p.Stall()
	c.says("late")
	late := connect(t, p)
	late.says("hello")
	c.hearsNothing()
	late.hearsNothing()
	p.Resume()
	p.Resume()
	c.hears("late")
	late.hears("hello")

	p.Stall()
	c.says("lost")
	c.hearsNothing()
	p.Cut()
	require.Empty(t, c.isCut()+late.isCut())
}

// A writer is held back by a reader that does not read, as without a proxy.
func TestWhoDoesNotReadHoldsBackTheWriter(t *testing.T) {
	p := cut.Before(t, startEcho(t))
	c := connect(t, p)
	require.NoError(t, c.conn.SetWriteDeadline(time.Now().Add(3*time.Second)))
	large := make([]byte, 128<<20)
	_, err := c.conn.Write(large)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
}

func TestAServerThatDoesNotRun(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	connect(t, cut.Before(t, listener.Addr().String())).isCut()
}

func TestLead(t *testing.T) {
	p := cut.Before(t, "127.0.0.1:1") // no server
	connect(t, p).isCut()
	p.Lead("http://" + startEcho(t) + "/path")
	c := connect(t, p)
	c.says("hello")
	c.hears("hello")
}
