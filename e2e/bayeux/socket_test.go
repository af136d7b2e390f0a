package bayeux_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"segue/gateway/cometd"
)

// socket is a WebSocket of a client.
type socket struct{ conn *websocket.Conn }

// socket opens a WebSocket, which is broken when the test ends.
func (c caller) socket(t *testing.T) socket {
	t.Helper()
	transport := &http.Transport{DialContext: c.w.network.dial, DisableKeepAlives: true}
	conn, err := c.dialSocket(t.Context(), transport)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return socket{conn}
}

func (s socket) write(t *testing.T, frame string) {
	t.Helper()
	require.NoError(t, s.conn.Write(t.Context(), websocket.MessageText, []byte(frame)))
}

// read returns the messages of the next frame.
func (s socket) read(t *testing.T) []message {
	t.Helper()
	var messages []message
	require.NoError(t, json.Unmarshal([]byte(s.frame(t)), &messages))
	return messages
}

func (s socket) frame(t *testing.T) string {
	t.Helper()
	kind, frame, err := s.conn.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, websocket.MessageText, kind)
	return string(frame)
}

// send sends messages and returns what the next frame brings.
func (s socket) send(t *testing.T, messages ...fields) []message {
	t.Helper()
	s.write(t, encoded(t, messages))
	return s.read(t)
}

// handshake opens a session through the socket.
func (s socket) handshake(t *testing.T, c caller, ack bool) *session {
	t.Helper()
	reply := only(t, s.send(t, handshakeMessage(fields{"ext": fields{"ack": ack}})))
	require.True(t, reply.ok(), "%+v", reply)
	opened := &session{caller: c, id: reply.ClientID}
	if ack {
		opened.ack = new(int)
	}
	return opened
}

// connect sends a connect, and returns what comes up to its reply.
func (s socket) connect(t *testing.T, of *session, more fields) ([]message, message) {
	t.Helper()
	s.write(t, encoded(t, []fields{of.connectMessage(more)}))
	return s.reply(t, of)
}

// reply reads up to the reply to a connect.
func (s socket) reply(t *testing.T, of *session) ([]message, message) {
	t.Helper()
	var all []message
	for {
		for _, m := range s.read(t) {
			if m.Channel == "/meta/connect" {
				of.acknowledge(t, m)
				return all, m
			}
			all = append(all, m)
		}
	}
}

func TestASessionOnAWebSocket(t *testing.T) {
	for _, ack := range []bool{true, false} {
		t.Run("ack "+strconv.FormatBool(ack), func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				c := w.caller("anna")
				socket := c.socket(t)
				s := socket.handshake(t, c, ack)
				require.True(t, only(t, socket.send(t, s.message("/meta/subscribe", fields{"id": 1, "subscription": "/t/*"}))).ok())
				before := time.Now()
				messages, reply := socket.connect(t, s, fields{"id": "2"})
				require.Empty(t, messages)
				require.True(t, reply.ok())
				require.Equal(t, `"2"`, string(reply.ID))
				require.Equal(t, 30*time.Second, time.Since(before))

				var received []string
				socket.write(t, encoded(t, []fields{s.connectMessage(nil)}))
				synctest.Wait()
				for n := range 100 {
					w.publish("/t/a", strconv.Itoa(n))
				}
				for len(received) < 100 {
					for _, m := range socket.read(t) {
						if m.Data != nil {
							received = append(received, string(m.Data))
							continue
						}
						s.acknowledge(t, m)
						socket.write(t, encoded(t, []fields{s.connectMessage(nil)}))
					}
				}
				for n, data := range received {
					require.Equal(t, strconv.Itoa(n), data)
				}
				synctest.Wait()
				require.True(t, only(t, s.send(t, s.message("/meta/disconnect", nil))).ok(), "by HTTP")
			})
		})
	}
}

func TestFramesThatAreNotBayeux(t *testing.T) {
	for name, frame := range map[string]struct {
		kind websocket.MessageType
		text string
	}{
		"binary":            {websocket.MessageBinary, `[{"channel":"/meta/connect"}]`},
		"no JSON":           {websocket.MessageText, "hello"},
		"number":            {websocket.MessageText, "7"},
		"null":              {websocket.MessageText, "null"},
		"array of a number": {websocket.MessageText, "[7]"},
		"empty":             {websocket.MessageText, ""},
		"half":              {websocket.MessageText, `[{"channel":`},
		"invalid UTF-8":     {websocket.MessageText, "[{\"channel\":\"\xff\"}]"},
		"too deep":          {websocket.MessageText, `[{"channel":"/t/a","data":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}]`},
		"101 messages":      {websocket.MessageText, "[" + strings.Repeat(`{"channel":"/meta/connect"},`, 100) + `{"channel":"/meta/connect"}]`},
		"too large":         {websocket.MessageText, `[{"channel":"/t/a","data":"` + strings.Repeat("x", 65<<10) + `"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				c := w.caller("anna")
				s := c.handshakeWithAck(t)
				s.subscribe(t, "/t/a")
				socket := c.socket(t)
				go func() { _ = socket.conn.Write(t.Context(), frame.kind, []byte(frame.text)) }()
				_, _, err := socket.conn.Read(t.Context())
				require.Error(t, err, "the server closes the socket")
				require.Contains(t, []websocket.StatusCode{
					websocket.StatusUnsupportedData, websocket.StatusInvalidFramePayloadData, websocket.StatusPolicyViolation,
					websocket.StatusMessageTooBig, websocket.StatusProtocolError,
				}, websocket.CloseStatus(err), "%v", err)
				w.publish("/t/a", "1")
				require.Equal(t, []int{1}, numbers(t, s.poll(t)), "a socket that closes ends no session")
			})
		})
	}
}

func TestFramesThatClientsSend(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		socket := c.socket(t)
		for range 3 {
			socket.write(t, "[]")
			require.Equal(t, "[]", socket.frame(t), "a client's ping")
		}
		socket.write(t, encoded(t, handshakeMessage(nil)))
		require.True(t, only(t, socket.read(t)).ok(), "an object instead of an array")
		writer, err := socket.conn.Writer(t.Context(), websocket.MessageText)
		require.NoError(t, err)
		for _, piece := range strings.SplitAfter(encoded(t, []fields{handshakeMessage(nil)}), ",") {
			_, err := writer.Write([]byte(piece))
			require.NoError(t, err)
		}
		require.NoError(t, writer.Close())
		require.True(t, only(t, socket.read(t)).ok(), "a frame in pieces")
	})
}

// A `[]` is answered while a connect is held, and does not end it.
func TestAPingDoesNotEndAHeldConnect(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		socket := c.socket(t)
		s := socket.handshake(t, c, true)
		socket.write(t, encoded(t, []fields{s.connectMessage(fields{"id": "1"})}))
		for range 5 {
			time.Sleep(4 * time.Second)
			socket.write(t, "[]")
			require.Equal(t, "[]", socket.frame(t))
		}
		messages, reply := socket.reply(t, s)
		require.Empty(t, messages)
		require.Equal(t, `"1"`, string(reply.ID))
	})
}

// The server pings: a peer that is gone without closing its connection is noticed.
func TestAPeerThatDoesNotAnswerAPingIsDropped(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		socket := c.socket(t)
		s := socket.handshake(t, c, false)
		socket.write(t, encoded(t, []fields{s.connectMessage(nil)}))
		time.Sleep(5 * time.Minute) // nobody reads, so nobody answers
		synctest.Wait()
		require.Equal(t, cometd.EndExpired, w.end(s.id), "the connect of a dead socket does not keep a session")
		_, _, err := socket.conn.Read(t.Context())
		for err == nil { // what had been written before
			_, _, err = socket.conn.Read(t.Context())
		}
	})
}

// On a WebSocket the first connect gets a reply as if it had timed out.
func TestASecondConnectOnAWebSocketEndsTheFirst(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		socket := c.socket(t)
		s := socket.handshake(t, c, false)
		socket.write(t, encoded(t, []fields{s.connectMessage(fields{"id": "1"})}))
		synctest.Wait()
		socket.write(t, encoded(t, []fields{s.connectMessage(fields{"id": "2"})}))
		_, reply := socket.reply(t, s)
		require.Equal(t, `"1"`, string(reply.ID))
		require.True(t, reply.ok())
		_, reply = socket.reply(t, s)
		require.Equal(t, `"2"`, string(reply.ID))
	})
}

// A session moves from long-polling to a WebSocket and back, and nothing is lost or doubled.
func TestASessionChangesItsTransport(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		s := c.handshakeWithAck(t)
		s.subscribe(t, "/t/a")
		for n := range 10 {
			h := s.hold(t, nil)
			socket := c.socket(t)
			socket.write(t, encoded(t, []fields{s.connectMessage(fields{"connectionType": "websocket"})}))
			synctest.Wait()
			require.False(t, h.waits())
			a := <-h.answers
			require.Equal(t, http.StatusRequestTimeout, a.status)
			w.publish("/t/a", strconv.Itoa(n))
			messages, _ := socket.reply(t, s)
			require.Equal(t, []int{n}, numbers(t, messages))

			socket.write(t, encoded(t, []fields{s.connectMessage(fields{"connectionType": "websocket"})}))
			synctest.Wait()
			messages, reply := s.connect(t, fields{"advice": fields{"timeout": 0}})
			require.Empty(t, messages)
			require.True(t, reply.ok())
			require.NoError(t, socket.conn.CloseNow())
		}
	})
}

func TestTwoSessionsOnOneSocket(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		socket := c.socket(t)
		one, two := socket.handshake(t, c, true), socket.handshake(t, c, true)
		for _, s := range []*session{one, two} {
			topic := map[*session]string{one: "/t/a", two: "/t/b"}[s]
			require.True(t, only(t, socket.send(t, s.message("/meta/subscribe", fields{"subscription": topic}))).ok())
			socket.write(t, encoded(t, []fields{s.connectMessage(nil)}))
		}
		synctest.Wait()
		w.publish("/t/a", "1")
		messages, reply := socket.reply(t, one)
		require.Equal(t, []string{"/t/a 1"}, contents(messages))
		require.True(t, reply.ClientID == "" || reply.ClientID == one.id)
		w.publish("/t/b", "2")
		messages, reply = socket.reply(t, two)
		require.Equal(t, []string{"/t/b 2"}, contents(messages))
		require.True(t, reply.ClientID == "" || reply.ClientID == two.id)
	})
}

// The key of a WebSocket is that of its upgrade.
func TestASessionOfAnotherOnAWebSocket(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		anna := w.caller("anna").handshake(t)
		socket := w.caller("boris").socket(t)
		for _, channel := range []string{"/meta/connect", "/meta/subscribe", "/meta/unsubscribe", "/meta/disconnect"} {
			only(t, socket.send(t, anna.message(channel, fields{"subscription": "/t/a", "connectionType": "websocket"}))).unsuccessful(t, "402::session_unknown")
		}
		anna.subscribe(t, "/t/a")
		w.publish("/t/a", "1")
		require.Equal(t, []int{1}, numbers(t, anna.poll(t)))
	})
}

func TestACredentialThatEndsEndsAHeldConnectOnAWebSocket(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		socket := c.socket(t)
		s := socket.handshake(t, c, true)
		socket.write(t, encoded(t, []fields{s.connectMessage(nil)}))
		synctest.Wait()
		w.revokeKey("anna")
		_, reply := socket.reply(t, s)
		reply.unsuccessful(t, "402::session_unknown")
		require.Equal(t, "handshake", reply.Advice.Reconnect)
	})
}

func TestABrokenSocketEndsNoSession(t *testing.T) {
	for name, breakIt := range map[string]func(*websocket.Conn) error{
		"broken": (*websocket.Conn).CloseNow,
		"closed": func(c *websocket.Conn) error { return c.Close(websocket.StatusGoingAway, "") },
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				c := w.caller("anna")
				s := c.handshakeWithAck(t)
				s.subscribe(t, "/t/a")
				for n := range 10 {
					socket := c.socket(t)
					socket.write(t, encoded(t, []fields{s.connectMessage(fields{"connectionType": "websocket"})}))
					synctest.Wait()
					require.NoError(t, breakIt(socket.conn))
					synctest.Wait()
					w.publish("/t/a", strconv.Itoa(n))
					require.Equal(t, []int{n}, numbers(t, s.poll(t)))
				}
			})
		})
	}
}

func TestADisconnectOnAWebSocketRepliesToTheHeldConnect(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		socket := c.socket(t)
		s := socket.handshake(t, c, false)
		socket.write(t, encoded(t, []fields{s.connectMessage(nil)}))
		synctest.Wait()
		socket.write(t, encoded(t, []fields{s.message("/meta/disconnect", nil)}))
		channels := []string{}
		for len(channels) < 2 {
			for _, m := range socket.read(t) {
				channels = append(channels, m.Channel)
			}
		}
		require.ElementsMatch(t, []string{"/meta/connect", "/meta/disconnect"}, channels)
		require.Equal(t, cometd.EndDisconnect, w.end(s.id))
	})
}

// Each frame counts as a request of the peer. A frame above the limit is answered, and the socket stays.
func TestFramesAreLimited(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		socket := c.socket(t)
		s := socket.handshake(t, c, false)
		w.mu.Lock()
		before := w.frames
		w.throttled = true
		w.mu.Unlock()
		socket.write(t, encoded(t, []fields{s.message("/meta/subscribe", fields{"id": "1", "subscription": "/t/a"})}))
		_, frame, err := socket.conn.Read(t.Context())
		if err == nil {
			var replies []message
			require.NoError(t, json.Unmarshal(frame, &replies))
			require.False(t, only(t, replies).ok())
		}
		require.Greater(t, w.frames, before)
		w.mu.Lock()
		w.throttled = false
		w.mu.Unlock()
		w.publish("/t/a", "1")
		require.Empty(t, s.poll(t), "the frame above the limit had no effect")
	})
}

// A client that does not read blocks nobody, and its session ends when too much waits for it.
func TestASlowReaderBlocksNobody(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("slow")
		socket := c.socket(t)
		slow := socket.handshake(t, c, false)
		require.True(t, only(t, socket.send(t, slow.message("/meta/subscribe", fields{"subscription": "/t/a"}))).ok())
		socket.write(t, encoded(t, []fields{slow.connectMessage(nil)}))
		synctest.Wait()
		good := w.caller("good").handshake(t)
		good.subscribe(t, "/t/a")
		for n := range 3000 {
			w.publish("/t/a", strconv.Itoa(n))
			require.Equal(t, []int{n}, numbers(t, good.poll(t)))
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Contains(t, []cometd.End{cometd.EndOverrun, cometd.EndExpired}, w.end(slow.id))
	})
}

func TestAllSocketsCloseWhenTheServerCloses(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		sockets := make([]socket, 20)
		for i := range sockets {
			sockets[i] = c.socket(t)
			s := sockets[i].handshake(t, c, true)
			sockets[i].write(t, encoded(t, []fields{s.connectMessage(nil)}))
		}
		synctest.Wait()
		go w.server.Close()
		for _, s := range sockets {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			for {
				if _, _, err := s.conn.Read(ctx); err != nil {
					require.NotErrorIs(t, err, context.DeadlineExceeded)
					break
				}
			}
			cancel()
		}
		require.Zero(t, w.server.Sessions())
	})
}
