package desktop_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/desktop"
	"segue/gateway/limits"
	"segue/gateway/problem"
)

const tick = 5 * time.Millisecond

func TestEachFailureHasItsCode(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	c.succeeds("session.addchannel", "", `{"channel":{"endpoint":"x2","type":"Chat"}}`)
	c.events(3)
	w.start("i1", "inbound", `offer {"agent":"ann"}`)
	c.events(11)
	w.start("i2", "chat", `offer {"agent":"ann"}`)
	c.events(7)
	w.start("i3", "inbound", `offer {"agent":"bob"}`)
	for _, row := range []struct{ code, command, target, data string }{
		{"UNKNOWN_COMMAND", "interaction.fly", "c-1.i1", `{}`},
		{"UNKNOWN_COMMAND", "interaction.request.request.accept", "c-1.i1", `{}`},
		{"INVALID_REQUEST", "interaction.accept", "", `{}`},
		{"INVALID_REQUEST", "interaction.accept", "c-1", `{}`},
		{"INVALID_REQUEST", "interaction.accept", "c-1.i1.p", `{}`},
		{"INVALID_REQUEST", "conversation.answer", "c-1.i1", `{}`},
		{"INVALID_REQUEST", "interaction.accept", "c-1..p", `{}`},
		{"INVALID_REQUEST", "interaction.accept", "c-1.%zz", `{}`},
		{"NOT_FOUND", "interaction.accept", "c-2.i1", `{}`},
		{"NOT_FOUND", "interaction.accept", "g-1.c-1.i1", `{}`},
		{"NOT_FOUND", "interaction.accept", "c-1.i3", `{}`},
		{"NOT_FOUND", "interaction.accept", "c-1.none", `{}`},
		{"NOT_FOUND", "conversation.answer", "c-1.i1.k-1", `{}`},
		{"NOT_FOUND", "conversation.answer", "c-2.i2.p", `{}`},
		{"NOT_FOUND", "conversation.answer", "c-1.i1.p.x", `{}`},
		{"NOT_FOUND", "channel.dial", "c-9", `{"destination":"+1"}`},
		{"INVALID_REQUEST", "channel.dial", "c-1", `{}`},
		{"INVALID_REQUEST", "channel.dial", "c-1", `{"destination":7}`},
		{"INVALID_REQUEST", "channel.dial", "c-1", `{"destination":"+1","extensions":"x"}`},
		{"INVALID_REQUEST", "channel.dial", "c-1", `[]`},
		{"ILLEGAL_STATE", "channel.dial", "c-2", `{"destination":"+1"}`},
		{"INVALID_REQUEST", "session.addchannel", "", `{}`},
		{"INVALID_REQUEST", "session.addchannel", "", `{"channel":{"type":"Fax"}}`},
		{"INVALID_REQUEST", "session.addchannelgroup", "", `{"channelgroup":{"name":"g"},"channels":[{}]}`},
		{"INVALID_REQUEST", "interaction.setdisposition", "c-1.i1", `{}`},
		{"INVALID_REQUEST", "interaction.setdisposition", "c-1.i1", `{"interactionDispositionId":"d9"}`},
		{"INVALID_REQUEST", "interaction.consultdial", "c-1.i1", `{}`},
		{"INVALID_REQUEST", "interaction.incontact.signal", "c-1.i1", `{"p1":{}}`},
		{"ILLEGAL_STATE", "interaction.consultdial", "c-1.i1", `{"destination":"+1"}`},
		{"ILLEGAL_STATE", "interaction.consulttransfer", "c-1.i1", `{}`},
		{"ILLEGAL_STATE", "interaction.consultconference", "c-2.i2", `{}`},
		{"ILLEGAL_STATE", "conversation.hold", "c-1.i1.p", `{}`},
	} {
		c.fails(row.code, row.command, row.target, row.data)
	}
	w.mu.Lock()
	w.fails = client.ErrNoWorker
	w.mu.Unlock()
	c.fails("UNAVAILABLE", "interaction.accept", "c-1.i1", `{}`)
	w.mu.Lock()
	w.fails = errors.New("secret")
	w.mu.Unlock()
	require.NotContains(t, c.fails("INTERNAL", "interaction.accept", "c-1.i1", `{}`)["failure"], "secret")
	w.mu.Lock()
	w.fails = nil
	w.mu.Unlock()
	c.succeeds("interaction.accept", "c-1.i1", `{}`)
}

func TestWhatIsNoRequestIsACoreError(t *testing.T) {
	w := newWorld(t)
	c := w.telephone("ann")
	for frame, code := range map[string]string{
		``: "MALFORMED", `{`: "MALFORMED", `[]`: "MALFORMED", `"x"`: "MALFORMED", `{}`: "MALFORMED", `{"command":7}`: "MALFORMED", `{"command":""}`: "MALFORMED",
		`{"command":"bind","command":"bind"}`: "MALFORMED", "\xff": "MALFORMED", strings.Repeat(" ", desktop.MaxFrame) + `{}`: "TOO_LARGE",
		`{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`: "MALFORMED",
	} {
		c.send(frame)
		read := c.read()
		require.Equal(t, "coreError", read["messageType"], "%.40q", frame)
		require.Equal(t, code, at(read, "error", "code"), "%.40q", frame)
		require.NotEmpty(t, at(read, "error", "message"))
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	require.NoError(t, c.conn.Write(ctx, websocket.MessageBinary, []byte(`{}`)))
	require.Equal(t, "coreError", c.read()["messageType"])
	c.succeeds("bind", "", `{"x":1}`)
}

func TestBareRequestsAreAnsweredBare(t *testing.T) {
	w := newWorld(t)
	c := w.connect()
	c.send(`{"command":"getServices","data":{"a":1}}`)
	require.Equal(t, object{"command": "getServices", "result": "success", "data": object{"a": 1.0}}, c.read())
	c.send(`{"command":"interaction.accept","target":"s.c-1.i1","requestId":"r"}`)
	read := c.read()
	require.Equal(t, "r", read["requestId"])
	require.NotContains(t, read, "messageType")
	require.Equal(t, "NOT_AUTHENTICATED", at(read, "failure", "code"))
	for given, code := range map[string]string{
		`{}`: "INVALID_REQUEST", `{"agent":"ann"}`: "INVALID_REQUEST", `{"agent":{"id":7}}`: "INVALID_REQUEST", `{"agent":{}}`: "INVALID_REQUEST",
		`{"agent":{"id":"ann","password":"wrong"}}`: "NOT_AUTHENTICATED", `{"agent":{"id":"ann","password":"right"},"override":"x"}`: "INVALID_REQUEST",
		`{"agent":{"id":"paris/ann","password":"right"}}`: "NOT_PERMITTED", `{"agent":{"id":"a b/ann","password":"right"}}`: "INVALID_REQUEST",
	} {
		c.fails(code, "prepareSession", "", given)
	}
}

func TestARateIsAFailure(t *testing.T) {
	refuses := false
	w := newWorld(t, func(o *desktop.Options) {
		o.Enter = func(ctx context.Context, _ *auth.Caller) (context.Context, *problem.Problem) {
			if refuses {
				return nil, problem.New(problem.RateLimited, "")
			}
			return ctx, nil
		}
	})
	c := w.telephone("ann")
	refuses = true
	c.fails("OVERLOADED", "interaction.accept", "c-1.i1", `{}`)
	c.send(`{`)
	require.Equal(t, "coreError", c.read()["messageType"])
}

func TestTheEndOfASession(t *testing.T) {
	t.Run("its credential ends", func(t *testing.T) {
		w := newWorld(t)
		c := w.telephone("ann")
		w.mu.Lock()
		w.expire[0]()
		w.mu.Unlock()
		require.Equal(t, websocket.StatusPolicyViolation, c.closed())
	})
	t.Run("the server stops", func(t *testing.T) {
		w := newWorld(t)
		c := w.telephone("ann")
		go w.server.Close()
		require.Equal(t, websocket.StatusGoingAway, c.closed())
	})
	t.Run("none is opened", func(t *testing.T) {
		w := newWorld(t, func(o *desktop.Options) { o.Prepare = 40 * time.Millisecond })
		require.Equal(t, websocket.StatusPolicyViolation, w.connect().closed())
	})
	t.Run("the socket breaks, and the channels stay", func(t *testing.T) {
		w := newWorld(t)
		c := w.telephone("ann")
		require.NoError(t, c.conn.CloseNow())
		require.Eventually(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.streams == 0 }, within, tick)
		w.start("i1", "inbound", `offer {"agent":"ann"}`)
		again, replay := w.agent("ann")
		require.Len(t, replay, 3+11+1)
		again.succeeds("session.addchannel", "", `{"channel":{"endpoint":"x1","type":"Telephony"}}`)
		require.Equal(t, []string{"channel.initialized c-1", "state ACTIVE c-1"}, again.events(2), "the channel of before")
	})
	t.Run("the agent has very much", func(t *testing.T) {
		w := newWorld(t)
		for n := range 300 {
			w.start(fmt.Sprint("i", n), "chat", `offer {"agent":"ann"}`)
		}
		_, replay := w.agent("ann")
		require.Len(t, replay, 3+1+300*6+1)
	})
	t.Run("the client does not read", func(t *testing.T) {
		// Neither a ping nor a slow write may end the session first.
		w := newWorld(t, func(o *desktop.Options) { o.Ping, o.Write = time.Hour, time.Hour })
		c := w.telephone("ann")
		w.start("i1", "inbound", `offer {"agent":"ann"}`)
		w.do("i1", `update_user_data {"user_data":{"k":"`+strings.Repeat("a", 60_000)+`"}}`)
		for n := range 800 { // each event has all user data: far beyond what the kernel buffers
			w.do("i1", fmt.Sprintf(`update_user_data {"user_data":{"n":%d}}`, n))
		}
		require.EqualValues(t, 4002, c.closed())
	})
}

func TestAWebSocketWithTooManyPingsIsClosed(t *testing.T) {
	c := newWorld(t).connect()
	c.conn.CloseRead(t.Context()) // it reads the answers
	answered, began := 0, time.Now()
	for c.conn.Ping(t.Context()) == nil {
		answered++
		require.LessOrEqual(t, float64(answered), 51+10*time.Since(began).Seconds(), "50 at once, and 10 a second")
	}
	require.GreaterOrEqual(t, answered, 50)
}

// TestReplacedSocketsThatDoNotCloseKeepNobodyOut: the limit of sessions counts the one that the agent has.
func TestReplacedSocketsThatDoNotCloseKeepNobodyOut(t *testing.T) {
	bounds := limits.New(limits.Options{})
	w := newWorld(t, func(o *desktop.Options) {
		o.Stream = func(c *auth.Caller) (func(), error) {
			limited := *c
			limited.Rate = 200 // only callers with a rate have limits
			return bounds.Stream(&limited)
		}
	})
	var clients []*seat
	for range 3 * limits.StreamsOfUser { // none of them reads that it is to close
		c := w.connect()
		answer := c.ask("prepareSession", "", `{"agent":{"id":"ann","password":"right"},"override":true}`)
		require.Equal(t, "success", answer["result"], answer)
		clients = append(clients, c)
	}
	require.Equal(t, 1, bounds.Open())
	require.EqualValues(t, 4001, clients[len(clients)-2].closed(), "of the last but one")
	last := clients[len(clients)-1]
	require.NoError(t, last.conn.CloseNow())
	require.Eventually(t, func() bool { return bounds.Open() == 0 }, within, tick)
}
