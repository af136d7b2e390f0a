package desktop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/commands"
	"segue/gateway/desktop"
	"segue/gateway/parts"
)

// holding holds the outcome of each command: it is applied, and its answer waits.
type holding struct {
	*world
	applied, release chan struct{}
}

func (h *holding) Send(ctx context.Context, n client.Name, name string, payload json.RawMessage) (commands.Answer, error) {
	answer, err := h.world.Send(ctx, n, name, payload)
	select {
	case h.applied <- struct{}{}:
	default:
	}
	<-h.release
	return answer, err
}

// signals returns the signals that the interaction has had, by their first parameter.
func (w *world) signals() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for _, change := range w.stream {
		for _, e := range change.Notice.Events {
			if e.Moment == "script_signal" {
				all = append(all, fmt.Sprint(e.Fields["p1"]))
			}
		}
	}
	return all
}

func (c *seat) signal(id, p1 string) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"command":"interaction.request.incontact.signal","target":"%s.c-1.i1","requestId":%s,"data":{"p1":%q,"p2":"x"}}`, c.session, id, p1))
}

// answered reads until the answer to a request that signals.
func (c *seat) answered() object {
	c.t.Helper()
	for {
		if read := c.read(); read["messageType"] != "objectEvent" {
			require.Equal(c.t, "success", read["result"], read)
			return read
		}
	}
}

// back opens a session again, in place of the one that was cut off, and reads its replay.
func (w *world) back(name string) *seat {
	w.t.Helper()
	c := w.connect()
	answer := c.ask("prepareSession", "", `{"agent":{"id":"`+name+`","password":"right"},"override":true}`)
	require.Equal(w.t, "success", answer["result"], answer)
	c.session, _ = at(answer, "data", "sessionId").(string)
	c.until("session.initialized")
	return c
}

// TestARequestWhoseAnswerWasLostIsRepeatedOnce: the client has lost its WebSocket before the answer, and sends the request
// again in its next session. A client that numbers its requests from 1 again sends new ones.
func TestARequestWhoseAnswerWasLostIsRepeatedOnce(t *testing.T) {
	held := &holding{applied: make(chan struct{}, 1), release: make(chan struct{})}
	w := newWorld(t, func(o *desktop.Options) {
		held.world, o.Sender, o.Deadline = o.Sender.(*world), held, time.Second
	})
	c := w.telephone("ann")
	w.start("i1", "inbound", `offer {"agent":"ann"}`, `accept {"agent":"ann"}`)
	c.events(13)
	c.signal("7", "one")
	<-held.applied
	require.NoError(t, c.conn.CloseNow())
	c = w.back("ann") // while the first request still waits, for longer than the session does
	close(held.release)

	c.send(fmt.Sprintf(`{"command":"interaction.incontact.signal","target":"%s.c-1.i1","requestId":7,"data":{"p2":"x","p1":"one"}}`, c.session))
	c.answered()
	require.Equal(t, []string{"one"}, w.signals(), "the other spelling and order of the same request")
	c.signal("7", "one")
	c.answered()
	require.Equal(t, []string{"one"}, w.signals(), "again")
	c.signal("8", "one")
	c.answered()
	c.signal("9", "two")
	c.answered()
	require.Equal(t, []string{"one", "one", "two"}, w.signals())

	require.Eventually(t, func() bool {
		c.succeeds("bind", "", `{}`) // the client reads, and so answers pings
		return w.server.Unconfirmed(cc, "ann") == 0
	}, within, tick)
	require.NoError(t, c.conn.CloseNow())
	c = w.back("ann")
	c.signal("9", "two")
	c.answered()
	require.Equal(t, []string{"one", "one", "two", "two"}, w.signals(), "the client knew the answer to the other one")
}

// TestAUUIDIsOneRequestInAllSessions: a client that sends one need not have been in the same replica.
func TestAUUIDIsOneRequestInAllSessions(t *testing.T) {
	const id = `"6F9619FF-8B86-D011-B42D-00CF4FC964FF"`
	w := newWorld(t)
	c := w.telephone("ann")
	w.start("i1", "inbound", `offer {"agent":"ann"}`, `accept {"agent":"ann"}`)
	c.events(13)
	c.signal(id, "one")
	c.answered()
	c.succeeds("session.request.logout", "", `{}`)
	c = w.back("ann")
	c.send(fmt.Sprintf(`{"command":"interaction.incontact.signal","target":"%s.c-1.i1","requestId":%s,"data":{"p1":"one"}}`, c.session, strings.ToLower(id)))
	c.answered()
	require.Equal(t, []string{"one"}, w.signals())
	c.signal(`"6F9619FF-8B86-D011-B42D-00CF4FC964FE"`, "one")
	c.answered()
	require.Equal(t, []string{"one", "one"}, w.signals())
}

// TestAHoldAfterARetrieveIsNoRepeat: the client has lost its WebSocket before the answer to a hold, and has seen in the
// replay that the call is held. What it does after that is meant, also with ids that it has used before.
func TestAHoldAfterARetrieveIsNoRepeat(t *testing.T) {
	for name, retrieve := range map[string]string{"a number": `"requestId":1,`, "a UUID": `"requestId":"6F9619FF-8B86-D011-B42D-00CF4FC964FF",`, "no id": ""} {
		t.Run(name, func(t *testing.T) {
			held := &holding{applied: make(chan struct{}, 1), release: make(chan struct{})}
			w := newWorld(t, func(o *desktop.Options) {
				held.world, o.Sender = o.Sender.(*world), held
			})
			c := w.telephone("ann")
			w.start("i1", "inbound", `offer {"agent":"ann"}`, `accept {"agent":"ann"}`)
			c.events(13)
			give := func(id, command string) {
				c.send(fmt.Sprintf(`{"command":"conversation.%s","target":"%s.c-1.i1.p",%s"data":{}}`, command, c.session, id))
			}
			give(`"requestId":2,`, "hold")
			<-held.applied
			close(held.release)
			require.NoError(t, c.conn.CloseNow())
			c = w.back("ann")
			give(retrieve, "retrieve")
			c.answered()
			give(`"requestId":2,`, "hold")
			c.answered()
			w.mu.Lock()
			defer w.mu.Unlock()
			last := w.stream[len(w.stream)-1].Notice
			require.Equal(t, "hold", last.Command)
			require.True(t, parts.Of(last.State, "ann").Held)
		})
	}
}

func TestWhichRequestsAreRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := desktop.NewRepeats()
		for n := range 3 {
			require.Equal(t, fmt.Sprint("his-s1-", n), first.EventID("s1", fmt.Sprint(n), "signal", n+1))
		}
		first.Reached(1)
		second := first.Next()
		require.Empty(t, first.EventID("s1", "9", "signal", 4), "nobody would know that it was sent again")
		require.Equal(t, "his-s2-0", second.EventID("s2", "0", "signal", 1), "its answer was known")
		require.Equal(t, "his-s2-1", second.EventID("s2", "1", "hold", 2), "another request")
		require.Equal(t, "his-s2-1", second.EventID("s2", "1", "signal", 3), "the id was used in this session")

		require.Equal(t, "his-s3-2", second.Next().EventID("s3", "2", "signal", 1), "the client has gone on")

		first = desktop.NewRepeats()
		first.EventID("s1", "2", "signal", 1)
		second = first.Next()
		require.Equal(t, "his-s2-1", second.EventID("s2", "1", "elsewhere: hold", 1), "to another interaction")
		third := second.Next()
		require.Equal(t, "his-s1-2", third.EventID("s3", "2", "signal", 1), "of the session before the last, which was short")
		require.Equal(t, "his-s1-2", third.EventID("s3", "2", "hold", 2), "a repeat has the id")
		fourth := third.Next()
		require.Equal(t, "his-s1-2", fourth.EventID("s4", "2", "signal", 1), "the repeat of the repeat")

		late := fourth.Next()
		time.Sleep(2 * time.Minute)
		require.Equal(t, "his-s5-2", late.EventID("s5", "2", "signal", 1), "too late for a repeat")

		many := desktop.NewRepeats()
		for n := range 5000 {
			many.EventID("s", fmt.Sprint(n), "signal", n+1)
		}
		require.Equal(t, 1000, many.Len())
	})
}
