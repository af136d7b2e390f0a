package gws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strconv"
	"strings"
)

const notifications = "/api/v2/notifications"

// topics are all topics of an agent that carry something.
var topics = []string{"/v2/me", "/v2/me/interactions", "/v2/me/calls", "/v2/me/chats", "/v2/me/emails", "/v2/me/openmedia",
	"/v2/me/workbins", "/v2/me/channels", "/v2/me/devices"}

// session is a Bayeux client that long-polls and believes nothing: whatever is not as the protocol says is
// a fault.
type session struct {
	watched
	caller
	http     *http.Client
	id       string
	counter  int
	isAcked  bool
	batch    int
	messages []message
	faults   []error
	stop     context.CancelFunc
	ended    chan struct{}
}

// message is a message as it came.
type message struct {
	Channel string         `json:"channel"`
	Data    map[string]any `json:"data"`
	// The rest is what replies have.
	ID           string          `json:"id"`
	Successful   *bool           `json:"successful"`
	Error        string          `json:"error"`
	ClientID     string          `json:"clientId"`
	Advice       *advice         `json:"advice"`
	Ext          map[string]any  `json:"ext"`
	Subscription json.RawMessage `json:"subscription"`
	Version      string          `json:"version"`
	Types        []string        `json:"supportedConnectionTypes"`
}

type advice struct {
	Reconnect   string `json:"reconnect"`
	Interval    *int   `json:"interval"`
	Timeout     *int   `json:"timeout"`
	MaxInterval *int   `json:"maxInterval"`
}

func (m message) topic() string { return strings.TrimSuffix(m.Channel, "/") }

func (m message) isMeta() bool { return strings.HasPrefix(m.Channel, "/meta/") }

func (m message) isSuccessful() bool { return m.Successful != nil && *m.Successful }

// open begins a session: a handshake, a subscription to topics, and connects until close.
func open(c caller, isAcked bool, subscriptions ...string) (*session, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	s := &session{caller: c, isAcked: isAcked, http: &http.Client{Jar: jar, Transport: &http.Transport{}}, ended: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	if err := errors.Join(s.handshake(ctx), s.subscribe(ctx, subscriptions...)); err != nil {
		cancel()
		return nil, fmt.Errorf("session of %s: %w", c.name, err)
	}
	go s.connects(ctx)
	return s, nil
}

func (s *session) handshake(ctx context.Context) error {
	fields := map[string]any{"version": "1.0", "minimumVersion": "1.0", "supportedConnectionTypes": []string{"long-polling"},
		"advice": map[string]any{"timeout": 60000, "interval": 0}}
	if s.isAcked {
		fields["ext"] = map[string]any{"ack": true}
	}
	reply, err := s.ask(ctx, "/meta/handshake", fields)
	switch {
	case err != nil:
		return err
	case !reply.isSuccessful():
		return fmt.Errorf("handshake: %s", reply.Error)
	case reply.ClientID == "" || reply.Version != "1.0" || !slices.Equal(reply.Types, []string{"websocket", "long-polling"}):
		return fmt.Errorf("handshake is answered with %+v", reply)
	case reply.Advice == nil || reply.Advice.Reconnect != "retry" || reply.Advice.Interval == nil || reply.Advice.Timeout == nil:
		return fmt.Errorf("handshake is answered with the advice %+v", reply.Advice)
	case s.isAcked != (reply.Ext["ack"] == true):
		return fmt.Errorf("handshake is answered with ext %v", reply.Ext)
	}
	s.id = reply.ClientID
	return nil
}

func (s *session) subscribe(ctx context.Context, subscriptions ...string) error {
	reply, err := s.ask(ctx, "/meta/subscribe", map[string]any{"subscription": subscriptions})
	if err != nil {
		return err
	}
	echoed := []string{}
	if !reply.isSuccessful() || json.Unmarshal(reply.Subscription, &echoed) != nil || !slices.Equal(echoed, subscriptions) {
		return fmt.Errorf("subscribe to %v is answered with %+v", subscriptions, reply)
	}
	return nil
}

// connects holds one connect after the other.
func (s *session) connects(ctx context.Context) {
	defer close(s.ended)
	for {
		fields := map[string]any{"connectionType": "long-polling"}
		if s.isAcked {
			fields["ext"] = map[string]any{"ack": s.batch}
		}
		reply, err := s.ask(ctx, "/meta/connect", fields)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && !reply.isSuccessful():
			err = fmt.Errorf("connect: %s", reply.Error)
		}
		if err == nil && s.isAcked {
			err = s.acknowledge(reply)
		}
		if err != nil {
			s.fault(err)
			return
		}
	}
}

func (s *session) acknowledge(reply message) error {
	batch, ok := reply.Ext["ack"].(float64)
	if !ok || int(batch) < s.batch {
		return fmt.Errorf("connect after batch %d is answered with ext %v", s.batch, reply.Ext)
	}
	s.batch = int(batch)
	return nil
}

func (s *session) fault(err error) {
	s.update(func() { s.faults = append(s.faults, err) })
}

// ask sends one message, keeps what comes with the reply, and returns the reply.
func (s *session) ask(ctx context.Context, channel string, fields map[string]any) (message, error) {
	var id string
	s.update(func() {
		s.counter++
		id = strconv.Itoa(s.counter)
	})
	fields["channel"], fields["id"] = channel, id
	if s.id != "" {
		fields["clientId"] = s.id
	}
	text, err := json.Marshal([]any{fields})
	if err != nil {
		return message{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+notifications, bytes.NewReader(text))
	if err != nil {
		return message{}, err
	}
	r.Header.Set("Content-Type", "application/json;charset=UTF-8")
	s.sign(r)
	response, err := s.http.Do(r)
	if err != nil {
		return message{}, err
	}
	defer closed(response.Body)
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "application/json") {
		return message{}, fmt.Errorf("%s is answered with %d and %q", channel, response.StatusCode, kind)
	}
	var raw []json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&raw); err != nil {
		return message{}, fmt.Errorf("%s: %w", channel, err)
	}
	return s.receive(channel, id, raw)
}

// receive takes an answer apart: messages, and the reply last.
func (s *session) receive(channel, id string, raw []json.RawMessage) (message, error) {
	var reply *message
	for _, text := range raw {
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			return message{}, fmt.Errorf("%s: %w", text, err)
		}
		switch {
		case !m.isMeta():
			if err := s.checkMessage(m, text, channel); err != nil {
				s.fault(err)
			}
			s.update(func() { s.messages = append(s.messages, m) })
			if reply != nil && channel == "/meta/connect" {
				s.fault(fmt.Errorf("a message comes after the reply: %s", text))
			}
		case reply != nil, m.Channel != channel, m.ID != id, m.Successful == nil, *m.Successful == (m.Error != ""),
			s.id != "" && m.ClientID != s.id && *m.Successful:
			return m, fmt.Errorf("%s %s is answered with %s", channel, id, text)
		default:
			reply = &m
		}
	}
	if reply == nil {
		return message{}, fmt.Errorf("%s %s has no reply", channel, id)
	}
	return *reply, nil
}

// checkMessage checks the form of a message on a topic.
func (s *session) checkMessage(m message, text json.RawMessage, with string) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name := range fields {
		if name != "channel" && name != "data" && name != "id" {
			return fmt.Errorf("a message has the field %s: %s", name, text)
		}
	}
	switch {
	case m.Data == nil:
		return fmt.Errorf("a message has no data: %s", text)
	case s.isAcked && with != "/meta/connect":
		return fmt.Errorf("with ack, a message comes with the reply to %s", with)
	}
	return nil
}

// close ends the session, and returns what was wrong in it.
func (s *session) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.stop()
	<-s.ended
	reply, err := s.ask(ctx, "/meta/disconnect", map[string]any{})
	if err == nil && !reply.isSuccessful() {
		err = fmt.Errorf("disconnect: %s", reply.Error)
	}
	s.http.CloseIdleConnections()
	return errors.Join(append(s.faults, err)...)
}

// of returns the messages of an interaction after a revision, in order.
func (s *session) of(id string, revision int64) []notification {
	var found []notification
	for _, m := range s.messages {
		if n := read(m); n.id == id && n.revision > revision {
			found = append(found, n)
		}
	}
	return found
}

// await waits until there are as many messages of an interaction after a revision.
func (s *session) await(id string, revision int64, want int) error {
	if !s.until(func() bool { return len(s.of(id, revision)) >= want || len(s.faults) > 0 }) {
		return fmt.Errorf("%s has not received %d messages of %s after revision %d", s.name, want, id, revision)
	}
	return nil
}

// notification is a message about an interaction.
type notification struct {
	topic, message, kind, key, id string
	resource                      map[string]any
	reference                     any
	sequence, revision            int64
	fields                        map[string]any
}

// messageOf is the messageType of each key.
var messageOf = map[string]string{"call": "CallStateChangeMessage", "chat": "ChatStateChangeMessage", "email": "EmailStateChangeMessage",
	"openmedia": "OpenmediaStateChangeMessage", "interaction": "InteractionStateMessage"}

func read(m message) notification {
	n := notification{topic: m.topic(), fields: m.Data, reference: m.Data["referenceId"]}
	n.message, _ = m.Data["messageType"].(string)
	n.kind, _ = m.Data["notificationType"].(string)
	for key, kind := range messageOf {
		if n.message == kind {
			n.key = key
			n.resource, _ = m.Data[key].(map[string]any)
		}
	}
	n.id, _ = n.resource["id"].(string)
	sequence, _ := m.Data["sequence"].(float64)
	revision, _ := m.Data["revision"].(float64)
	n.sequence, n.revision = int64(sequence), int64(revision)
	return n
}
