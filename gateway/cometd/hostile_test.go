package cometd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"segue/gateway/cometd"
)

// connects returns a body with many connects of one session.
func connects(id string, count int) string {
	one := strings.Trim(connectText(id, `,"ext":{"ack":1}`), "[]")
	return "[" + strings.TrimSuffix(strings.Repeat(one+",", count), ",") + "]"
}

func TestManyConnectsInOneBodyGetTheMessagesOnce(t *testing.T) {
	for _, ext := range []string{`{"ack":true}`, `{}`} {
		w := newWorld(t)
		id := w.open(ext, "/a")
		deliver(w.session(), 7)
		replies := w.post(connects(id, 100))
		if got := strings.Count(brief(replies), "7"); len(replies) != 101 || replies[0]["data"] == nil || got < 1 {
			t.Errorf("%s: %d messages, first %v", ext, len(replies), replies[0])
		}
		if s := w.upgrade(); strings.Contains(ext, "true") { // not acknowledged yet
			if again := s.ask(connects(id, 100)); len(again) != 101 || again[0]["data"] == nil {
				t.Errorf("%s: %d messages on a WebSocket", ext, len(again))
			}
		}
	}
}

// unread sends a connect on a connection of its own and reads nothing.
func (w *world) unread(body string) net.Conn {
	w.t.Helper()
	conn, err := w.dial()
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "POST /cometd HTTP/1.1\r\nHost: cometd.test\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// TestAClientThatReadsNothingGetsFewRepliesAtOnce: each reply has all that is not acknowledged, up to
// 4 MiB, and takes memory until it is written.
func TestAClientThatReadsNothingGetsFewRepliesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.open(`{"ack":true}`, "/a")
		deliver(w.session(), 7)
		first := w.unread(connectText(id, `,"ext":{"ack":1}`))
		second := w.unread(connectText(id, `,"ext":{"ack":1}`))
		defer second.Close()
		synctest.Wait()
		third := w.start(t.Context(), connectText(id, `,"ext":{"ack":1}`))
		synctest.Wait()
		select {
		case got := <-third:
			t.Fatalf("the third connect was answered: %s", got.body)
		default:
		}
		if got := w.post(connects(id, 2)); brief(got) != "connect connect" {
			t.Errorf("connects in a body: %v", got)
		}
		<-third // ended by those
		third = w.start(t.Context(), connectText(id, `,"ext":{"ack":1}`))
		synctest.Wait()
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		if got := <-third; brief(got.messages) != "7 ack=4" {
			t.Errorf("after a reply has failed: %s, %v", got.body, got.err)
		}
	})
}

func TestASessionHasFewWebSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		oldest := w.upgrade()
		id := oldest.open("", `"/a"`)
		for range 4 {
			w.upgrade().ask(subscribeText(id, `"/a"`))
		}
		began := time.Now()
		if _, _, err := oldest.conn.Read(t.Context()); err == nil || time.Since(began) > time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if got := w.post(subscribeText(id, `"/b"`)); brief(got) != "subscribe" {
			t.Errorf("the session: %v", got)
		}
	})
}

func TestAWebSocketWhoseSessionHasEndedIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.upgrade()
		id := c.open("", `"/a"`)
		disconnect := fmt.Sprintf(`[{"channel":"/meta/disconnect","clientId":%q}]`, id)
		c.ask(disconnect)
		time.Sleep(9 * time.Second)
		id = c.open("", `"/a"`) // in time
		time.Sleep(20 * time.Second)
		c.ask(`[{"channel":"/meta/disconnect","clientId":"` + id + `"}]`)
		began := time.Now()
		if _, _, err := c.conn.Read(t.Context()); err == nil || time.Since(began) > 11*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestAWebSocketIsARequestInProgressUntilItHasASession(t *testing.T) {
	var held atomic.Int64
	w := newWorld(t, func(_ *world, o *cometd.Options) {
		o.Held = func(context.Context) { held.Add(1) }
	})
	c := w.upgrade()
	c.ask(`[]`)
	if held.Load() != 0 {
		t.Error("it is held without a session")
	}
	c.ask(handshakeText(""))
	if held.Load() == 0 {
		t.Error("it is not held with a session")
	}
}

func TestFramesBeforeASessionAreCountedAndTooManyAreReadSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		met, inside := 0, 0
		w := newWorld(t, func(_ *world, o *cometd.Options) {
			o.Meet = func(r *http.Request) (func(), error) {
				if r.Header.Get("X-Key") != "stranger" {
					t.Error("it is another request")
				}
				if met++; met > 3 {
					return nil, errors.New("429::rate-limited")
				}
				inside++
				return func() { inside-- }, nil
			}
		})
		c := w.upgrade("X-Key", "stranger")
		for range 3 {
			c.ask(`[]`)
		}
		began := time.Now()
		for range 10 {
			if got := c.ask(handshakeText("")); brief(got) != "429::rate-limited" {
				t.Errorf("got %v", got)
			}
		}
		if took := time.Since(began); took < 900*time.Millisecond || met != 13 || inside != 0 {
			t.Errorf("10 frames too many took %s; %d were counted, %d are inside", took, met, inside)
		}
	})
}

func TestALongIDIsRefused(t *testing.T) {
	w := newWorld(t)
	for size, want := range map[int]int{200: http.StatusOK, 300: http.StatusBadRequest} {
		id, err := json.Marshal(strings.Repeat("x", size))
		if err != nil {
			t.Fatal(err)
		}
		if a := w.do(t.Context(), `[{"id":`+string(id)+`,"channel":"/meta/handshake","supportedConnectionTypes":["long-polling"]}]`); a.status != want {
			t.Errorf("%d bytes: %d %s", size, a.status, a.body)
		}
	}
}

// TestASessionThatNeverAcknowledgesEnds: each connect has all of it sent again.
func TestASessionThatNeverAcknowledgesEnds(t *testing.T) {
	w := newWorld(t)
	id := w.open(`{"ack":true}`, "/a")
	text := json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`)
	w.session().Deliver("/a", text)
	count := 0
	for w.server.Sessions() > 0 && count < 100 {
		w.post(connectText(id, `,"ext":{"ack":1}`))
		count++
	}
	if count < 60 || count > 70 {
		t.Errorf("it ended after %d connects, %v", count, w.ends())
	}
	if got := brief(w.post(connectText(id, ""))); got != "402::session_unknown" {
		t.Errorf("the next connect: %s", got)
	}
}

func TestAWebSocketWithTooManyPingsIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		patient, flooding := w.upgrade(), w.upgrade()
		patient.open("", `"/a"`)
		flooding.open("", `"/a"`)
		// The pipe of a test holds nothing, so that two pongs at once would block each other: these pings end
		// before the server sends its own, after 30 seconds.
		const enough = 140
		pings := func(c *wire, pause time.Duration) int {
			c.conn.CloseRead(t.Context()) // it reads the answers
			for n := range enough {
				if c.conn.Ping(t.Context()) != nil {
					return n
				}
				time.Sleep(pause)
			}
			return enough
		}
		if n := pings(flooding, 0); n != 50 {
			t.Errorf("%d pings at once were answered", n)
		}
		if n := pings(patient, time.Second/5); n != enough {
			t.Errorf("%d pings were answered, 5 a second", n)
		}
		if w.server.Sessions() != 2 {
			t.Error("the session of a WebSocket goes on without it")
		}
	})
}
