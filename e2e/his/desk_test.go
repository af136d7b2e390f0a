package his_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"segue/e2e/cut"
)

// desk is an agent's desktop whose connections are cut. Each has a proxy of its own, so that one that is silent does not
// silence the next. What happens when is drawn from the seed of the life that it plays.
type desk struct {
	*testing.T
	agent, channel string
	random         *rand.Rand
	line           *line
	// silent are the connections that nothing came from any more. What is under way in them arrives late.
	silent  []*line
	session string
	number  int
	picture
	// cuts counts what was done to connections.
	cuts map[string]int
}

// line is one connection.
type line struct {
	proxy  *cut.Proxy
	conn   *websocket.Conn
	socket *torn
	frames chan object
}

// torn is the socket of a desktop. It sends so many more bytes, and then none; a negative number is no limit.
type torn struct {
	net.Conn
	left atomic.Int64
}

var errTorn = errors.New("torn")

func (c *torn) Write(b []byte) (int, error) {
	left := c.left.Load()
	if left < 0 || left >= int64(len(b)) {
		return c.Conn.Write(b)
	}
	n, err := c.Conn.Write(b[:left])
	return n, errors.Join(err, errTorn)
}

func newDesk(t *testing.T, agent, group string, seed uint64) *desk {
	t.Helper()
	d := &desk{T: t, agent: agent, channel: group + "c-1", random: rand.New(rand.NewPCG(seed, uint64(len(agent)))), cuts: map[string]int{}}
	t.Cleanup(func() {
		for _, l := range append(d.silent, d.line) {
			l.hangUp()
		}
	})
	first, channel := telephone(t, agent, group)
	require.Equal(t, d.channel, channel)
	require.NoError(t, first.conn.CloseNow())
	d.connect()
	return d
}

// open opens a connection, which breaks after some bytes in one of three cases; nil if it broke already.
func (d *desk) open() *line {
	d.Helper()
	l := &line{proxy: cut.Before(d, url), frames: make(chan object, 1000)}
	if limit := d.random.IntN(3 * 9000); limit < 9000 {
		d.cuts["after some bytes"]++
		l.proxy.CutAfter(func() int { return limit })
	}
	dialer := &net.Dialer{}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		l.socket = &torn{Conn: conn}
		l.socket.left.Store(-1)
		return l.socket, nil
	}}
	ctx, cancel := context.WithTimeout(d.Context(), patience)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, l.proxy.URL()+"/his", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if answer != nil && answer.Body != nil {
		defer answer.Body.Close()
	}
	if err != nil {
		require.NoError(d, ctx.Err())
		return nil
	}
	conn.SetReadLimit(1 << 20)
	l.conn = conn
	go l.read()
	return l
}

// read reads frames until the connection ends.
func (l *line) read() {
	defer close(l.frames)
	for {
		_, text, err := l.conn.Read(context.Background())
		var frame object
		if err != nil || json.Unmarshal(text, &frame) != nil {
			return
		}
		l.frames <- frame
	}
}

// hangUp ends a connection.
func (l *line) hangUp() {
	if l == nil || l.conn == nil {
		return
	}
	l.proxy.Resume()
	_ = l.conn.CloseNow()
	for range l.frames {
		continue // until it has ended
	}
}

// connect opens a session, however often that takes, and requires that the desktop then sees the truth.
func (d *desk) connect() {
	d.Helper()
	for begun := time.Now(); !d.prepare(); time.Sleep(pollEvery) {
		require.Less(d, time.Since(begun), patience)
	}
	for _, l := range d.silent { // what they had under way comes now, and is of a session that is over
		l.proxy.Resume()
	}
	d.requireTruth()
}

// prepare opens a connection and a session. It reports whether the whole replay has come.
func (d *desk) prepare() bool {
	d.Helper()
	d.line.abandon(d)
	if d.line = d.open(); d.line == nil {
		return false
	}
	d.session, d.picture = "", newPicture()
	override := d.random.IntN(2) == 0
	answer := d.hello(override)
	if answer["result"] == "confirm" {
		require.False(d, override)
		answer = d.hello(true)
	}
	switch {
	case answer == nil:
		return false
	case answer["result"] != "success": // connections of which nobody has told the gateway yet count
		require.Equal(d, "OVERLOADED", at(answer, "failure", "code"), "%v", answer)
		return false
	}
	d.session, _ = at(answer, "data", "sessionId").(string)
	for !d.isReplayed {
		if !d.hear(patience) {
			return false
		}
	}
	return true
}

// abandon leaves a connection: one that is silent stays open for some time.
func (l *line) abandon(d *desk) {
	if l == nil {
		return
	}
	d.silent = append(d.silent, l)
	for len(d.silent) > 2 {
		d.silent[0].hangUp()
		d.silent = d.silent[1:]
	}
}

func (d *desk) hello(override bool) object {
	d.Helper()
	d.number++
	id := fmt.Sprint("r", d.number)
	d.send(id, "prepareSession", "", fmt.Sprintf(`{"agent":{"id":%q,"password":"any"},"override":%v}`, d.agent, override))
	answer, _ := d.answer(id, patience)
	return answer
}

// send sends a request; whether it arrives is open.
func (d *desk) send(id, command, target, data string) {
	if d.session != "" {
		target = strings.TrimSuffix(d.session+"."+target, ".")
	}
	frame := fmt.Sprintf(`{"command":%q,"target":%q,"requestId":%q,"data":%s}`, command, target, id, data)
	_ = d.line.conn.Write(d.Context(), websocket.MessageText, []byte(frame)) // it may be cut
}

// answer returns the answer to a request, nil for none. isLost: the connection has ended.
func (d *desk) answer(id string, within time.Duration) (answer object, isLost bool) {
	d.Helper()
	for until := time.Now().Add(within); ; {
		select {
		case frame, isOpen := <-d.line.frames:
			switch {
			case !isOpen:
				return nil, true
			case frame["messageType"] == "objectEvent":
				d.learn(d.session, frame)
			case frame["requestId"] == id:
				return frame, false
			}
		case <-time.After(time.Until(until)):
			return nil, false
		}
	}
}

// hear learns from the next event. It reports false if none came, or the connection has ended.
func (d *desk) hear(within time.Duration) bool {
	d.Helper()
	select {
	case frame, isOpen := <-d.line.frames:
		if isOpen && frame["messageType"] == "objectEvent" {
			d.learn(d.session, frame)
		}
		return isOpen
	case <-time.After(within):
		require.Fail(d, "no event came", "%v", d.states)
	}
	return false
}
