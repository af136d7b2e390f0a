package desktop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// object is JSON.
type object = map[string]any

// seat is a client that knows the protocol alone.
type seat struct {
	t       testing.TB
	conn    *websocket.Conn
	session string
	waiting []object
	number  int
}

const within = time.Minute

func (w *world) connect() *seat {
	w.t.Helper()
	return w.upgrade("", nil)
}

// upgrade opens a WebSocket with a query and headers.
func (w *world) upgrade(query string, header http.Header) *seat {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, w.url+query, &websocket.DialOptions{HTTPHeader: header})
	require.NoError(w.t, err)
	if answer.Body != nil {
		defer func() { _ = answer.Body.Close() }()
	}
	conn.SetReadLimit(1 << 20)
	w.t.Cleanup(func() { _ = conn.CloseNow() })
	return &seat{t: w.t, conn: conn}
}

// agent opens a session and reads its replay.
func (w *world) agent(name string) (*seat, []string) {
	w.t.Helper()
	c := w.connect()
	answer := c.ask("prepareSession", "", `{"agent":{"id":"`+name+`","password":"right"}}`)
	require.Equal(w.t, "success", answer["result"], answer)
	c.session, _ = at(answer, "data", "sessionId").(string)
	return c, c.until("session.initialized")
}

// telephone opens a session with a Telephony channel, c-1.
func (w *world) telephone(name string) *seat {
	w.t.Helper()
	c, _ := w.agent(name)
	c.succeeds("session.request.addchannel", "", `{"channel":{"endpoint":"x1","type":"Telephony"}}`)
	require.Equal(w.t, []string{"channel.initialized c-1", "state INACTIVE c-1", "channel.externaldispositions.updated c-1"}, c.events(3))
	return c
}

// send writes a frame.
func (c *seat) send(frame string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	require.NoError(c.t, c.conn.Write(ctx, websocket.MessageText, []byte(frame)))
}

// read returns the next frame.
func (c *seat) read() object {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	_, frame, err := c.conn.Read(ctx)
	require.NoError(c.t, err)
	var read object
	require.NoError(c.t, json.Unmarshal(frame, &read), "%s", frame)
	return read
}

// ask sends a request on an object of the session, and returns the answer. Events before it are kept.
func (c *seat) ask(command, target, data string) object {
	c.t.Helper()
	c.number++
	if c.session != "" {
		target = strings.TrimSuffix(c.session+"."+target, ".")
	}
	c.send(fmt.Sprintf(`{"messageType":"resourceRequest","command":%q,"target":%q,"requestId":%d,"data":%s}`, command, target, c.number, data))
	for {
		read := c.read()
		if read["messageType"] == "objectEvent" {
			c.waiting = append(c.waiting, read)
			continue
		}
		require.Equal(c.t, "resourceResponse", read["messageType"], read)
		require.Equal(c.t, command, read["command"])
		require.Equal(c.t, target, read["target"])
		require.EqualValues(c.t, c.number, read["requestId"])
		return read
	}
}

func (c *seat) succeeds(command, target, data string) object {
	c.t.Helper()
	answer := c.ask(command, target, data)
	require.Equal(c.t, "success", answer["result"], answer)
	return answer
}

func (c *seat) fails(code, command, target, data string) object {
	c.t.Helper()
	answer := c.ask(command, target, data)
	require.Equal(c.t, "failure", answer["result"], answer)
	require.Equal(c.t, code, at(answer, "failure", "code"), answer)
	require.NotEmpty(c.t, at(answer, "failure", "message"))
	require.Equal(c.t, command, at(answer, "original", "command"))
	return answer
}

// event returns the next event.
func (c *seat) event() object {
	c.t.Helper()
	if len(c.waiting) > 0 {
		first := c.waiting[0]
		c.waiting = c.waiting[1:]
		return first
	}
	read := c.read()
	require.Equal(c.t, "objectEvent", read["messageType"], read)
	for _, key := range []string{"target", "name", "data", "sequence", "revision"} {
		require.Contains(c.t, read, key)
	}
	return read
}

// events returns the next events as "name target" or "state STATE target", without the session.
func (c *seat) events(n int) []string {
	c.t.Helper()
	var all []string
	for range n {
		all = append(all, c.short(c.event()))
	}
	return all
}

func (c *seat) until(name string) []string {
	c.t.Helper()
	var all []string
	for {
		e := c.event()
		all = append(all, c.short(e))
		if e["name"] == name {
			return all
		}
	}
}

func (c *seat) short(e object) string {
	c.t.Helper()
	target, _ := e["target"].(string)
	rest, isOwn := strings.CutPrefix(target, c.session)
	require.True(c.t, isOwn, e)
	name := fmt.Sprint(e["name"])
	if name == "state.updated" {
		name = fmt.Sprint("state ", at(e, "data", "state"))
	}
	return strings.TrimSpace(name + " " + strings.TrimPrefix(rest, "."))
}

// closed waits until the server closes the WebSocket, and returns the code.
func (c *seat) closed() websocket.StatusCode {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for {
		if _, _, err := c.conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// at returns what is at a path; nil if there is nothing.
func at(o any, path ...string) any {
	for _, key := range path {
		m, _ := o.(object)
		o = m[key]
	}
	return o
}
