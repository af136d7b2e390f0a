package cometd_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"segue/gateway/cometd"
)

func TestTooMuchForASessionEndsIt(t *testing.T) {
	for _, c := range []struct {
		name        string
		size, fits  int
		ext, answer string
	}{
		{"messages", 1, 1000, `{}`, "402::session_unknown"},
		{"messages with acknowledgment", 1, 1000, `{"ack":true}`, "402::session_unknown"},
		{"bytes", 1 << 20, 3, `{}`, "402::session_unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				id := w.open(c.ext, "/a")
				text := json.RawMessage(`"` + strings.Repeat("x", c.size) + `"`)
				for range c.fits {
					w.session().Deliver("/a", text)
				}
				synctest.Wait()
				if w.server.Sessions() != 1 {
					t.Fatalf("it ended too early: %v", w.ends())
				}
				w.session().Deliver("/a", text)
				synctest.Wait()
				if w.server.Sessions() != 0 || w.ends()[cometd.EndOverrun] != 1 {
					t.Errorf("%d sessions, ends %v", w.server.Sessions(), w.ends())
				}
				w.session().Deliver("/a", text) // a session that has ended takes nothing
				if got := brief(w.post(connectText(id, ""))); got != c.answer {
					t.Errorf("the next connect: %s", got)
				}
			})
		})
	}
}

func TestTooMuchForAllEndsTheLargest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.open("", "/a")
		small := w.session()
		deliver(small, 1)
		text := json.RawMessage(`"` + strings.Repeat("x", 4_000_000) + `"`)
		for range 16 {
			w.open("", "/a")
			w.session().Deliver("/a", text)
		}
		synctest.Wait()
		if len(w.ends()) != 0 {
			t.Fatalf("one ended too early: %v", w.ends())
		}
		w.open("", "/a")
		w.session().Deliver("/a", text)
		synctest.Wait()
		if w.server.Sessions() != 17 || w.ends()[cometd.EndOverrun] != 1 || !small.Wants("/a") {
			t.Errorf("%d sessions, ends %v", w.server.Sessions(), w.ends())
		}
	})
}

func TestWhatEndsOrIsDeliveredCountsNoMore(t *testing.T) {
	text := json.RawMessage(`"` + strings.Repeat("x", 4_000_000) + `"`)
	for _, c := range []struct {
		name, ext string
		bodies    []string
	}{
		{"disconnect", `{}`, []string{`{"channel":"/meta/disconnect","clientId":"ID"}`}},
		{"unsubscribe", `{"ack":true}`, []string{`{"channel":"/meta/unsubscribe","subscription":"/a","clientId":"ID"}`}},
		{"written", `{}`, []string{connectText("ID", "")}},
		{"acknowledged", `{"ack":true}`, []string{connectText("ID", ""), connectText("ID", `,"ext":{"ack":2},"advice":{"timeout":0}`)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			for range 18 { // 17 are too much for all sessions
				id := w.open(c.ext, "/a")
				w.session().Deliver("/a", text)
				for _, body := range c.bodies {
					w.send(strings.ReplaceAll(body, "ID", id))
				}
			}
			if w.ends()[cometd.EndOverrun] != 0 {
				t.Errorf("ends %v", w.ends())
			}
		})
	}
}

// send posts a body whose answer does not matter.
func (w *world) send(body string) {
	w.t.Helper()
	response, err := w.client.Post("http://cometd.test/", "application/json", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err = io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		w.t.Fatal(response.Status, err)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	w := newWorld(t, func(_ *world, o *cometd.Options) { o.MaxSessions = 2 })
	one := w.handshake("")
	w.handshake("")
	reply := w.post(handshakeText(""))[0]
	if got := fmt.Sprint(reply["error"], reply["advice"]); got != "429::too_many_sessionsmap[interval:10000 reconnect:handshake]" {
		t.Errorf("got %s", got)
	}
	w.post(fmt.Sprintf(`{"channel":"/meta/disconnect","clientId":%q}`, one))
	w.handshake("")
}

func TestSubscriptionsAreBounded(t *testing.T) {
	w := newWorld(t)
	id := w.open("", "/first")
	var list []string
	for i := range 100 {
		list = append(list, fmt.Sprintf("/%d", i))
	}
	all, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if got := brief(w.post(subscribeText(id, string(all)))); got != "403::subscribe_denied" {
		t.Errorf("101 subscriptions: %s", got)
	}
	if w.session().Wants("/0") {
		t.Error("some of them count")
	}
	w.post(strings.Replace(subscribeText(id, `"/first"`), "subscribe", "unsubscribe", 1))
	if got := brief(w.post(subscribeText(id, string(all)))); got != "subscribe" {
		t.Errorf("100 subscriptions: %s", got)
	}
}

func TestAClientThatReadsNoRepliesIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.upgrade()
		id := c.open("", `"/a"`)
		for range 200 {
			if c.conn.Write(t.Context(), 1, []byte(wsConnect(id, ""))) != nil {
				return // closed
			}
			synctest.Wait()
		}
		time.Sleep(time.Second)
		t.Error("200 connects, and none of their replies is read: the WebSocket is open")
	})
}

func TestUpgradesThatAreNone(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name   string
		method string
		header http.Header
		want   int
	}{
		{"an old version", "GET", http.Header{"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"WebSocket"}, "Sec-Websocket-Version": {"8"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}, 426},
		{"no key", "GET", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}}, 400},
		{"another protocol", "GET", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"h2c"}}, 405},
		{"another method", "PUT", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}}, 405},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, "http://cometd.test/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = c.header
		response, err := w.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, response.StatusCode, c.want)
		}
	}
}
