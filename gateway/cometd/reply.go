package cometd

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// reply is the answer to a message, as a JSON object that is not closed yet.
type reply struct {
	text []byte
	// connect is the session whose messages go before the reply.
	connect *Session
}

// usualReply is what a reply to a connect needs, in bytes.
const usualReply = 160

// replyTo starts a reply with what it repeats of the message, as that came.
func replyTo(m *incoming) *reply {
	r := &reply{text: append(make([]byte, 0, usualReply), '{')}
	if id, ok := m.fields["id"]; ok {
		r.raw("id", id)
	}
	if m.channel != "" {
		r.raw("channel", m.fields["channel"])
	}
	if m.clientID != "" && m.channel != metaHandshake {
		r.raw("clientId", m.fields["clientId"])
	}
	return r
}

func (r *reply) raw(name string, value []byte) {
	if len(r.text) > 1 {
		r.text = append(r.text, ',')
	}
	r.text = append(r.text, '"')
	r.text = append(r.text, name...)
	r.text = append(r.text, '"', ':')
	r.text = append(r.text, value...)
}

func (r *reply) succeed() *reply {
	r.raw("successful", []byte("true"))
	return r
}

func (r *reply) fail(text string) *reply {
	r.raw("successful", []byte("false"))
	r.raw("error", quote(text))
	return r
}

// advise adds what the client is to do next: a handshake, another connect, or nothing more.
func (r *reply) advise(reconnect string, interval time.Duration) *reply {
	if reconnect == adviceNone {
		r.raw("advice", []byte(`{"reconnect":"none"}`))
		return r
	}
	r.raw("advice", []byte(`{"reconnect":"`+reconnect+`","interval":`+milliseconds(interval)+`}`))
	return r
}

// The values of advice.reconnect.
const (
	adviceRetry     = "retry"
	adviceHandshake = "handshake"
	adviceNone      = "none"
)

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// quote returns a JSON text.
func quote(text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // never for a string
	}
	return quoted
}

// appendMessage appends a message that is delivered.
func appendMessage(frame []byte, m *message) []byte {
	frame = append(frame, `{"channel":`...)
	frame = append(frame, quote(m.channel)...)
	frame = append(frame, `,"data":`...)
	frame = append(frame, m.data...)
	return append(frame, '}')
}

// frame is an array of replies and messages.
type frame struct {
	text []byte
	// written are the sessions that have messages in it.
	written []*Session
}

// encode returns the array of replies and of the messages that go with them: before the reply to a
// connect, and behind all replies those of carriers, which have no acknowledgment. What a session has
// goes with the first of its connects alone: a hundred of them are not a hundred times as long.
func encode(replies []*reply, carriers []*Session) *frame {
	size := 2
	for _, r := range replies {
		size += len(r.text) + replyOverhead
	}
	f := &frame{text: append(make([]byte, 0, size), '[')}
	var batches map[*Session]int64
	if len(replies) > 1 {
		batches = map[*Session]int64{}
	}
	for _, r := range replies {
		if r.connect != nil {
			batch, isKnown := batches[r.connect]
			if !isKnown {
				var messages []message
				messages, batch = r.connect.takeForConnect()
				f.carry(r.connect, messages)
				if len(replies) > 1 {
					batches[r.connect] = batch
				}
			}
			if batch > 0 {
				r.raw("ext", []byte(`{"ack":`+strconv.FormatInt(batch, 10)+`}`))
			}
		}
		f.separate()
		f.text = append(append(f.text, r.text...), '}')
	}
	for _, s := range carriers {
		f.carry(s, s.take())
	}
	f.text = append(f.text, ']')
	return f
}

func (f *frame) separate() {
	if len(f.text) > 1 {
		f.text = append(f.text, ',')
	}
}

// replyOverhead is what a reply gets beside its text at most: the end, a comma and the number of its batch.
const replyOverhead = 40

func (f *frame) carry(s *Session, messages []message) {
	size := cap(f.text) - len(f.text) // for the replies
	for i := range messages {
		size += messages[i].size()
	}
	f.text = slices.Grow(f.text, size)
	for i := range messages {
		f.separate()
		f.text = appendMessage(f.text, &messages[i])
	}
	if len(messages) > 0 {
		f.written = append(f.written, s)
	}
}

// done tells the sessions whether the frame was written. It is called for each frame.
func (f *frame) done(err error) {
	for _, s := range f.written {
		s.wrote(err == nil)
	}
}
