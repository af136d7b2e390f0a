package cometd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"segue/gateway/cometd"
)

// wire is a client's WebSocket.
type wire struct {
	t    *testing.T
	conn *websocket.Conn
}

func (w *world) upgrade(header ...string) *wire {
	w.t.Helper()
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	conn, response, err := websocket.Dial(w.t.Context(), "ws://cometd.test/cometd", &websocket.DialOptions{HTTPClient: w.client, HTTPHeader: h})
	if err != nil {
		w.t.Fatal(err)
	}
	if response.Header.Get("Set-Cookie") == "" {
		w.t.Error("the upgrade sets no cookie")
	}
	w.t.Cleanup(func() { _ = conn.CloseNow() })
	return &wire{t: w.t, conn: conn}
}

func (c *wire) send(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *wire) read() string {
	c.t.Helper()
	_, frame, err := c.conn.Read(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return string(frame)
}

func (c *wire) messages() []object {
	c.t.Helper()
	var messages []object
	if err := json.Unmarshal([]byte(c.read()), &messages); err != nil {
		c.t.Fatal(err)
	}
	return messages
}

func (c *wire) ask(text string) []object {
	c.t.Helper()
	c.send(text)
	return c.messages()
}

// open opens a session with a subscription, whose first connect is over.
func (c *wire) open(ext, subscription string) string {
	c.t.Helper()
	id, _ := c.ask(handshakeText(ext))[0]["clientId"].(string)
	if got := brief(c.ask(subscribeText(id, subscription))); got != "subscribe" {
		c.t.Fatalf("subscribe: %s", got)
	}
	if got := brief(c.ask(wsConnect(id, ""))); got != "connect" && got != "ack=1" {
		c.t.Fatalf("first connect: %s", got)
	}
	return id
}

func wsConnect(id, more string) string {
	return strings.Replace(connectText(id, more), "long-polling", "websocket", 1)
}

func TestAWebSocketPushesWhileAConnectIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.upgrade()
		id := c.open("", `"/a"`)
		deliver(w.session(), 1)
		synctest.Wait() // nothing is pushed: no connect is held
		if got := brief(c.ask(wsConnect(id, ""))); got != "1 connect" {
			t.Errorf("the second connect: %s", got)
		}
		c.send(wsConnect(id, ""))
		synctest.Wait()
		deliver(w.session(), 2)
		if got := brief(c.messages()); got != "2" {
			t.Errorf("pushed: %s", got)
		}
		deliver(w.session(), 3, 4)
		got := brief(c.messages())
		if got == "3" {
			got += " " + brief(c.messages())
		}
		if got != "3 4" {
			t.Errorf("pushed: %s", got)
		}
		began := time.Now()
		if got := brief(c.messages()); got != "connect" || time.Since(began) != 30*time.Second {
			t.Errorf("the connect: %s after %s", got, time.Since(began))
		}
	})
}

func TestAWebSocketWithAcknowledgmentEndsTheConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.upgrade()
		id := c.open(`{"ack":true}`, `"/a"`)
		c.send(wsConnect(id, `,"ext":{"ack":1}`))
		synctest.Wait()
		deliver(w.session(), 1)
		if got := brief(c.messages()); got != "1 ack=2" {
			t.Errorf("got %s", got)
		}
		if got := brief(c.ask(wsConnect(id, `,"ext":{"ack":1}`))); got != "1 ack=3" {
			t.Errorf("an older acknowledgment: %s", got)
		}
	})
}

func TestASecondConnectOnAWebSocketEndsTheFirstAsIfItTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.upgrade()
		id := c.open("", `"/a"`)
		c.send(strings.Replace(wsConnect(id, ""), `"c"`, `"first"`, 1))
		synctest.Wait()
		c.send(strings.Replace(wsConnect(id, ""), `"c"`, `"second"`, 1))
		first := c.messages()
		if len(first) != 1 || first[0]["id"] != "first" || first[0]["successful"] != true {
			t.Errorf("the first: %v", first)
		}
		began := time.Now()
		if second := c.messages(); second[0]["id"] != "second" || time.Since(began) != 30*time.Second {
			t.Errorf("the second after %s: %v", time.Since(began), second)
		}
	})
}

func TestAConnectOnAnotherTransportEndsTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.upgrade()
		id := c.open("", `"/a"`)
		c.send(wsConnect(id, ""))
		synctest.Wait()
		held := w.start(t.Context(), connectText(id, ""))
		if got := brief(c.messages()); got != "connect" {
			t.Errorf("on the WebSocket: %s", got)
		}
		synctest.Wait()
		c.send(wsConnect(id, ""))
		if a := <-held; a.status != 408 {
			t.Errorf("by HTTP: %+v", a)
		}
		deliver(w.session(), 1)
		if got := brief(c.messages()); got != "1" {
			t.Errorf("pushed: %s", got)
		}
	})
}

func TestASocketThatBreaksEndsNoSession(t *testing.T) {
	for ext, want := range map[string]string{`{}`: "1 connect", `{"ack":true}`: "1 ack=2"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			c := w.upgrade()
			id := c.open(ext, `"/a"`)
			c.send(wsConnect(id, ""))
			synctest.Wait()
			if err := c.conn.CloseNow(); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			deliver(w.session(), 1)
			time.Sleep(59 * time.Second)
			if got := brief(w.post(connectText(id, ""))); got != want {
				t.Errorf("by HTTP: %s, want %s", got, want)
			}
			if got := brief(w.upgrade().ask(wsConnect(id, `,"advice":{"timeout":0},"ext":{"ack":9}`))); got != "connect" && got != "ack=3" {
				t.Errorf("on another WebSocket: %s", got)
			}
			time.Sleep(61 * time.Second)
			synctest.Wait()
			if w.server.Sessions() != 0 {
				t.Error("the session does not expire")
			}
		})
	}
}

func TestFramesOfAWebSocket(t *testing.T) {
	w := newWorld(t)
	c := w.upgrade()
	for _, frame := range []string{`[]`, ` [ ] `} {
		c.send(frame)
		if got := c.read(); got != `[]` {
			t.Errorf("%s is answered %s", frame, got)
		}
	}
	if got := brief(c.ask(`{"channel":"/a"}`)); got != "402::session_unknown" {
		t.Errorf("an object: %s", got)
	}
	one, two := c.open("", `"/a"`), c.open("", `"/a"`)
	first, second := strings.Trim(wsConnect(one, ""), "[]"), strings.Trim(wsConnect(two, ""), "[]")
	if got := brief(c.ask("[" + first + "," + second + "]")); got != "connect connect" {
		t.Errorf("two sessions: %s", got)
	}
}

func TestFramesThatEndAWebSocket(t *testing.T) {
	for _, c := range []struct {
		name, frame string
		kind        websocket.MessageType
		want        websocket.StatusCode
	}{
		{"no JSON", `[{`, websocket.MessageText, websocket.StatusPolicyViolation},
		{"empty", ``, websocket.MessageText, websocket.StatusPolicyViolation},
		{"binary", `[]`, websocket.MessageBinary, websocket.StatusUnsupportedData},
		{"large", `["` + strings.Repeat("x", 64<<10) + `"]`, websocket.MessageText, websocket.StatusMessageTooBig},
	} {
		t.Run(c.name, func(t *testing.T) {
			wire := newWorld(t).upgrade()
			if err := wire.conn.Write(t.Context(), c.kind, []byte(c.frame)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := wire.conn.Read(t.Context()); websocket.CloseStatus(err) != c.want {
				t.Errorf("got %v, want %d", err, c.want)
			}
		})
	}
}

func TestASilentWebSocketIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.upgrade()
		id := c.open("", `"/a"`)
		c.send(wsConnect(id, ""))
		synctest.Wait() // the client reads no more: it answers no ping
		time.Sleep(41*time.Second + 59*time.Second)
		synctest.Wait()
		if w.server.Sessions() != 0 && w.ends()[cometd.EndExpired] != 1 {
			time.Sleep(2 * time.Second)
			synctest.Wait()
		}
		if w.ends()[cometd.EndExpired] != 1 {
			t.Errorf("%d sessions, ends %v", w.server.Sessions(), w.ends())
		}
	})
}

func TestAWebSocketWithoutASessionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newWorld(t).upgrade()
		began := time.Now()
		if _, _, err := c.conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation || time.Since(began) > 2*time.Minute {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

func TestFramesAreCounted(t *testing.T) {
	entered, inside := 0, 0
	w := newWorld(t, func(_ *world, o *cometd.Options) {
		o.Enter = func(p *cometd.Peer) (func(), error) {
			if entered++; entered > 3 {
				return nil, errors.New("429::too_many_requests")
			}
			inside++
			return func() { inside-- }, nil
		}
	})
	c := w.upgrade()
	id := c.open("", `"/a"`)
	c.ask(`[]`)
	got := fmt.Sprint(c.ask(wsConnect(id, "")))
	if want := "[map[advice:map[interval:1000 reconnect:retry] channel:/meta/connect clientId:" + id + " error:429::too_many_requests id:c successful:false]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if entered != 4 || inside != 0 {
		t.Errorf("%d frames, %d inside", entered, inside)
	}
}

func TestSessionsOfACredentialEndWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		credential, revoke := context.WithCancel(t.Context())
		w := newWorld(t, func(_ *world, o *cometd.Options) {
			o.Open = func(*cometd.Handshake) (*cometd.Peer, error) { return &cometd.Peer{Context: credential}, nil }
		})
		c := w.upgrade()
		onSocket := c.open("", `"/a"`)
		c.send(wsConnect(onSocket, ""))
		held := w.start(t.Context(), connectText(w.open("", "/a"), ""))
		synctest.Wait()
		revoke()
		a := <-held
		for _, messages := range [][]object{a.messages, c.messages()} {
			if got := fmt.Sprint(messages[0]["error"], messages[0]["advice"]); got != "402::session_unknownmap[interval:0 reconnect:handshake]" {
				t.Errorf("got %s", got)
			}
		}
		if _, _, err := c.conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("the WebSocket: %v", err)
		}
		synctest.Wait()
		if w.server.Sessions() != 0 || w.ends()[cometd.EndCredential] != 2 {
			t.Errorf("%d sessions, ends %v", w.server.Sessions(), w.ends())
		}
	})
}

func TestStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		w := newWorld(t, func(_ *world, o *cometd.Options) {
			o.Stopping = func(context.Context) <-chan struct{} { return stop }
		})
		id := w.open("")
		held := w.start(t.Context(), connectText(id, ""))
		c := w.upgrade()
		c.send(wsConnect(c.open("", `"/a"`), ""))
		synctest.Wait()
		close(stop)
		began := time.Now()
		if a := <-held; brief(a.messages) != "connect" {
			t.Errorf("by HTTP: %+v", a)
		}
		if got := brief(w.post(connectText(id, ""))); got != "connect" {
			t.Errorf("a later connect: %s", got)
		}
		if _, _, err := c.conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("the WebSocket: %v", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %s", took)
		}
	})
}

func TestCloseEndsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		held := w.start(t.Context(), connectText(w.open(""), ""))
		silent, c := w.upgrade(), w.upgrade()
		c.send(wsConnect(c.open("", `"/a"`), ""))
		silent.send(handshakeText(""))
		synctest.Wait()
		closed := make(chan struct{})
		go func() { w.server.Close(); close(closed) }()
		if a := <-held; brief(a.messages) != "402::session_unknown" {
			t.Errorf("by HTTP: %+v", a)
		}
		if got := brief(c.messages()); got != "402::session_unknown" {
			t.Errorf("on the WebSocket: %s", got)
		}
		if _, _, err := c.conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("the WebSocket: %v", err)
		}
		<-closed
		if w.server.Sessions() != 0 || w.ends()[cometd.EndClosed] != 3 {
			t.Errorf("%d sessions, ends %v", w.server.Sessions(), w.ends())
		}
		if a := w.do(t.Context(), handshakeText("")); a.status != http.StatusServiceUnavailable {
			t.Errorf("after Close: %+v", a)
		}
	})
}

func TestASlowReaderOfAWebSocketDoesNotBlockDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.upgrade()
		id := c.open("", `"/a"`)
		c.send(wsConnect(id, ""))
		synctest.Wait()
		text := json.RawMessage(`"` + strings.Repeat("x", 64<<10) + `"`)
		for range 100 {
			w.session().Deliver("/a", text)
		}
		synctest.Wait()
		if w.ends()[cometd.EndOverrun] != 1 || w.server.Sessions() != 0 {
			t.Errorf("%d sessions, ends %v", w.server.Sessions(), w.ends())
		}
	})
}

func TestAClientThatDoesNotAgreeToTheEndIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.upgrade()
		c.send(`[{`)
		synctest.Wait() // the client does not read
		began := time.Now()
		w.server.Close()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("Close took %s", took)
		}
	})
}
