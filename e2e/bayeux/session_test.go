package bayeux_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// session is a session as a client has it.
type session struct {
	caller
	id  string
	ack *int // the last batch, with the acknowledgment extension
}

// handshake opens a session.
func (c caller) handshake(t *testing.T) *session {
	t.Helper()
	return c.opened(t, fields{})
}

// handshakeWithAck opens a session with the acknowledgment extension.
func (c caller) handshakeWithAck(t *testing.T) *session {
	t.Helper()
	s := c.opened(t, fields{"ext": fields{"ack": true}})
	s.ack = new(int)
	return s
}

func (c caller) opened(t *testing.T, more fields) *session {
	t.Helper()
	replies := c.send(t, handshakeMessage(more))
	require.Len(t, replies, 1)
	require.True(t, replies[0].ok(), "%+v", replies[0])
	require.NotEmpty(t, replies[0].ClientID)
	return &session{caller: c, id: replies[0].ClientID}
}

func handshakeMessage(more fields) fields {
	message := fields{"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": []string{"long-polling", "websocket"}}
	for name, value := range more {
		message[name] = value
	}
	return message
}

// message returns a message of the session on a channel.
func (s *session) message(channel string, more fields) fields {
	message := fields{"channel": channel, "clientId": s.id}
	for name, value := range more {
		message[name] = value
	}
	return message
}

// connectMessage acknowledges what the client has received.
func (s *session) connectMessage(more fields) fields {
	message := s.message("/meta/connect", more)
	if message["connectionType"] == nil {
		message["connectionType"] = "long-polling"
	}
	if s.ack != nil && message["ext"] == nil {
		message["ext"] = fields{"ack": *s.ack}
	}
	return message
}

// subscribe subscribes to topics, and requires success.
func (s *session) subscribe(t *testing.T, topics ...string) {
	t.Helper()
	reply := only(t, s.send(t, s.message("/meta/subscribe", fields{"subscription": topics})))
	require.True(t, reply.ok(), "%+v", reply)
}

// connect returns what a connect brings: the messages and the reply.
func (s *session) connect(t *testing.T, more fields) ([]message, message) {
	t.Helper()
	return s.received(t, s.send(t, s.connectMessage(more)))
}

// poll is a connect that the server must not hold.
func (s *session) poll(t *testing.T) []message {
	t.Helper()
	messages, reply := s.connect(t, fields{"advice": fields{"timeout": 0}})
	require.True(t, reply.ok(), "%+v", reply)
	return messages
}

// received splits what a connect brought. The reply is the last, and its batch is acknowledged by the next connect.
func (s *session) received(t *testing.T, all []message) ([]message, message) {
	t.Helper()
	require.NotEmpty(t, all)
	messages, reply := all[:len(all)-1], all[len(all)-1]
	require.Equal(t, "/meta/connect", reply.Channel)
	s.acknowledge(t, reply)
	return messages, reply
}

func (s *session) acknowledge(t *testing.T, reply message) {
	t.Helper()
	if s.ack == nil || !reply.ok() {
		return
	}
	require.NotNil(t, reply.Ext, "%+v", reply)
	require.NoError(t, json.Unmarshal(reply.Ext.Ack, s.ack))
}

// held is a connect that waits.
type held struct {
	answers chan answer
	errors  chan error
	abort   context.CancelFunc
}

// hold sends a connect, and returns when the server holds it.
func (s *session) hold(t *testing.T, more fields) held {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	h := held{answers: make(chan answer, 1), errors: make(chan error, 1), abort: cancel}
	body := encoded(t, []fields{s.connectMessage(more)})
	go func() {
		a, err := s.post(ctx, "/cometd/connect", body)
		if err != nil {
			h.errors <- err
			return
		}
		h.answers <- a
	}()
	synctest.Wait()
	require.True(t, h.waits(), "the connect is not held")
	return h
}

// waits reports whether the connect is still held.
func (h held) waits() bool {
	synctest.Wait()
	return len(h.answers) == 0 && len(h.errors) == 0
}

// messages waits for the answer of a held connect.
func (h held) messages(t *testing.T) []message {
	t.Helper()
	select {
	case a := <-h.answers:
		require.Equal(t, http.StatusOK, a.status, a.body)
		return a.messages
	case err := <-h.errors:
		require.NoError(t, err)
		return nil
	}
}

// only returns the only message.
func only(t *testing.T, messages []message) message {
	t.Helper()
	require.Len(t, messages, 1)
	return messages[0]
}

// contents returns what messages carry, as "channel data".
func contents(messages []message) []string {
	texts := []string{}
	for _, m := range messages {
		texts = append(texts, m.Channel+" "+string(m.Data))
	}
	return texts
}

// numbers returns the numbers that messages carry.
func numbers(t *testing.T, messages []message) []int {
	t.Helper()
	all := []int{}
	for _, m := range messages {
		n, err := strconv.Atoi(string(m.Data))
		require.NoError(t, err, fmt.Sprintf("%+v", m))
		all = append(all, n)
	}
	return all
}
