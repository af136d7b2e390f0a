package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"segue/e2e/stack"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

const notifications = "/api/v2/notifications"

// message is one Bayeux message.
type message map[string]any

func (m message) text(name string) string {
	text, _ := m[name].(string)
	return text
}

// reconnect is what the message advises.
func (m message) reconnect() string {
	advice, _ := m["advice"].(map[string]any)
	text, _ := advice["reconnect"].(string)
	return text
}

// bayeux is a client of CometD, by long-polling. Every request has the same headers.
type bayeux struct {
	t       *testing.T
	url     string
	headers []string
	id      string
}

func newBayeux(t *testing.T, url string, headers ...string) *bayeux {
	return &bayeux{t: t, url: url, headers: headers}
}

// post sends messages as one request. It may be called by any goroutine if the test's context is not over.
func (b *bayeux) post(body string, more ...string) (answer, []message) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	headers := append([]string{"Content-Type", "application/json;charset=UTF-8"}, b.headers...)
	a, err := stack.Send(ctx, client, http.MethodPost, b.url+notifications, body, append(headers, more...)...)
	require.NoError(b.t, err)
	var messages []message
	if a.Status == http.StatusOK {
		require.NoError(b.t, json.Unmarshal(a.Raw, &messages), "%s", a.Raw)
	}
	return a, messages
}

// one sends a message, and returns its reply.
func (b *bayeux) one(m message, more ...string) message {
	b.t.Helper()
	body, err := json.Marshal([]message{m})
	require.NoError(b.t, err)
	a, messages := b.post(string(body), more...)
	require.Equal(b.t, http.StatusOK, a.Status, "%s", a.Raw)
	for _, reply := range messages {
		if reply["channel"] == m["channel"] && reply["successful"] != nil {
			return reply
		}
	}
	require.Fail(b.t, "no reply", "%s", a.Raw)
	return nil
}

func handshakeMessage() message {
	return message{"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": []string{"long-polling", "websocket"}}
}

// handshake opens a session, which must succeed.
func (b *bayeux) handshake(more ...string) *bayeux {
	b.t.Helper()
	reply := b.one(handshakeMessage(), more...)
	require.Equal(b.t, true, reply["successful"], "%v", reply)
	b.id = reply.text("clientId")
	require.NotEmpty(b.t, b.id)
	return b
}

func (b *bayeux) subscribe(topic string) message {
	b.t.Helper()
	return b.one(message{"channel": "/meta/subscribe", "clientId": b.id, "subscription": topic})
}

func (b *bayeux) subscribed(topics ...string) *bayeux {
	b.t.Helper()
	for _, topic := range topics {
		reply := b.subscribe(topic)
		require.Equal(b.t, true, reply["successful"], "%v", reply)
	}
	return b
}

// connect sends a connect, which is held, and returns all messages with its reply.
func (b *bayeux) connect(more ...string) []message {
	b.t.Helper()
	a, messages := b.post(`[{"channel":"/meta/connect","connectionType":"long-polling","clientId":"`+b.id+`"}]`, more...)
	require.Equal(b.t, http.StatusOK, a.Status, "%s", a.Raw)
	return messages
}

// now is connect, which is not held.
func (b *bayeux) now(more ...string) message {
	b.t.Helper()
	return b.one(message{"channel": "/meta/connect", "connectionType": "long-polling", "clientId": b.id, "advice": message{"timeout": 0}}, more...)
}

func (b *bayeux) disconnect() {
	b.t.Helper()
	require.Equal(b.t, true, b.one(message{"channel": "/meta/disconnect", "clientId": b.id})["successful"])
}

// socket is a client of CometD, by WebSocket.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
	id   string
}

// openSocket opens a WebSocket; the answer is that of a refused one.
func openSocket(t *testing.T, url string, headers ...string) (*socket, *http.Response) {
	t.Helper()
	given := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		given.Add(headers[i], headers[i+1])
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, url+notifications, &websocket.DialOptions{HTTPHeader: given, HTTPClient: client})
	if err != nil {
		require.NotNil(t, response, "%v", err)
		return nil, response
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{t: t, conn: conn}, response
}

func (s *socket) write(m message) {
	s.t.Helper()
	frame, err := json.Marshal([]message{m})
	require.NoError(s.t, err)
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	require.NoError(s.t, s.conn.Write(ctx, websocket.MessageText, frame))
}

// read returns the next frame; an error if the socket is closed.
func (s *socket) read(within time.Duration) ([]message, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), within)
	defer cancel()
	_, frame, err := s.conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	var messages []message
	return messages, json.Unmarshal(frame, &messages)
}

// one sends a message and returns its reply.
func (s *socket) one(m message) message {
	s.t.Helper()
	s.write(m)
	for {
		messages, err := s.read(patience)
		require.NoError(s.t, err)
		for _, reply := range messages {
			if reply["channel"] == m["channel"] && reply["successful"] != nil {
				return reply
			}
		}
	}
}

func (s *socket) handshake() *socket {
	s.t.Helper()
	reply := s.one(handshakeMessage())
	require.Equal(s.t, true, reply["successful"], "%v", reply)
	s.id = reply.text("clientId")
	return s
}

func (s *socket) connectMessage() message {
	return message{"channel": "/meta/connect", "connectionType": "websocket", "clientId": s.id}
}
