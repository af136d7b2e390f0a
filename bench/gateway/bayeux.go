package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	notificationsPath = "/api/v2/notifications"
	// reconnectsAtMost is how often in a row a client of CometD connects again after its connection broke.
	reconnectsAtMost = 5
	reconnectPause   = 100 * time.Millisecond
	frameLimit       = 8 << 20
)

// topics are those that an agent of calls subscribes to: each notification of a call comes on both.
var topics = []string{"/v2/me/calls", "/v2/me/interactions"}

// carrier sends a Bayeux message of a client and returns the answer, both as JSON arrays.
type carrier interface {
	send(ctx context.Context, message []byte) ([]byte, error)
	// renew makes a new connection after send has failed.
	renew(ctx context.Context) error
}

// desktop is a client of CometD that acknowledges messages.
type desktop struct {
	carrier
	listeners *listeners
	number    int
	id        string
	ack       int64
	// latest has the latest revision by topic, type of notification and interaction, and by topic and interaction.
	latest map[string]int64
}

// bayeux is a message from the server: a reply, or a notification with data.
type bayeux struct {
	Channel    string
	ClientID   string
	Successful bool
	Error      string
	Ext        struct{ Ack json.RawMessage }
	Data       *struct {
		NotificationType  string
		Revision          int64
		Call, Interaction struct{ ID string }
	}
}

// openCometD opens a session with its subscriptions and returns what reads its messages.
func (l *listeners) openCometD(ctx context.Context, in listening, n int) (read func(context.Context), err error) {
	d := &desktop{listeners: l, number: n, latest: map[string]int64{}}
	agent := agentOf(n / in.Sharing)
	if in.Transport == byPolling {
		d.carrier = &polling{client: &l.client, url: in.URL + notificationsPath, agent: agent, cookies: map[string]*http.Cookie{}}
	} else {
		d.carrier = &socket{url: in.URL + notificationsPath, agent: agent}
	}
	if err := d.renew(ctx); err != nil {
		return nil, err
	}
	opened, err := d.ask(ctx, fmt.Appendf(nil,
		`[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":[%q],"ext":{"ack":true}}]`, in.Transport))
	if err != nil {
		return nil, err
	}
	d.id = opened.ClientID
	subscription, err := json.Marshal(topics)
	if err != nil {
		return nil, err
	}
	if _, err := d.ask(ctx, fmt.Appendf(nil, `[{"channel":"/meta/subscribe","clientId":%q,"subscription":%s}]`, d.id, subscription)); err != nil {
		return nil, err
	}
	return func(ctx context.Context) { d.read(ctx, in.Transport) }, nil
}

// ask sends a message, notes the notifications of its answer, and returns its reply.
func (d *desktop) ask(ctx context.Context, message []byte) (reply bayeux, err error) {
	answer, err := d.send(ctx, message)
	if err != nil {
		return reply, err
	}
	at := time.Now()
	var all []bayeux
	if err := json.Unmarshal(answer, &all); err != nil {
		return reply, fmt.Errorf("void: the answer is %q: %w", answer, err)
	}
	for _, one := range all {
		if one.Data != nil {
			d.note(one, at)
			continue
		}
		reply = one
	}
	if !reply.Successful {
		return reply, refusedError{fmt.Errorf("void: %s is answered with %s", reply.Channel, reply.Error)}
	}
	return reply, nil
}

// refusedError is an answer after which a client would not go on.
type refusedError struct{ error }

// read connects again and again, until the context ends.
func (d *desktop) read(ctx context.Context, transport string) {
	failures := 0
	for {
		reply, err := d.ask(ctx, fmt.Appendf(nil,
			`[{"channel":"/meta/connect","clientId":%q,"connectionType":%q,"ext":{"ack":%d}}]`, d.id, transport, d.ack))
		if err == nil {
			failures = 0
			err = json.Unmarshal(reply.Ext.Ack, &d.ack)
		}
		if ctx.Err() != nil {
			return
		}
		var refused refusedError
		if failures++; errors.As(err, &refused) || err != nil && failures > reconnectsAtMost {
			d.listeners.void(err)
			return
		}
		if err != nil {
			d.listeners.reconnected()
			if err := pause(ctx, reconnectPause); err != nil {
				return
			}
			if err := d.renew(ctx); err != nil && ctx.Err() == nil {
				d.listeners.void(fmt.Errorf("void: a client cannot connect again: %w", err))
				return
			}
		}
	}
}

// note notes a notification. None may come again, nor may an older one of an interaction come after a later one.
func (d *desktop) note(one bayeux, at time.Time) {
	id := one.Data.Interaction.ID + one.Data.Call.ID
	subject := one.Channel + " " + id
	kind := subject + " " + one.Data.NotificationType
	if one.Data.Revision <= d.latest[kind] || one.Data.Revision < d.latest[subject] {
		d.listeners.void(fmt.Errorf("void: %s came with revision %d after %d", kind, one.Data.Revision, max(d.latest[kind], d.latest[subject])))
	}
	d.listeners.noteAt(d.number, change{Interaction: id, Revision: one.Data.Revision}, d.latest[subject] != one.Data.Revision, at)
	d.latest[kind], d.latest[subject] = one.Data.Revision, one.Data.Revision
}

// polling sends by POST.
type polling struct {
	client     *http.Client
	url, agent string
	// cookies are those that the server has set, by name, as a browser sends them.
	cookies map[string]*http.Cookie
}

func (p *polling) renew(context.Context) error { return nil } // each POST has a connection that is open

func (p *polling) send(ctx context.Context, message []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(message))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth(contactCenter+"/"+p.agent, "any")
	request.Header.Set("Content-Type", "application/json")
	for _, cookie := range p.cookies {
		request.AddCookie(cookie)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	for _, cookie := range response.Cookies() {
		p.cookies[cookie.Name] = cookie
	}
	if response.StatusCode != http.StatusOK {
		return nil, refusedError{fmt.Errorf("void: POST %s is answered with %s: %s", p.url, response.Status, answer)}
	}
	return answer, nil
}

// socket sends by WebSocket. With acknowledgment, each frame of the server is the answer to one of the client.
type socket struct {
	url, agent string
	conn       *websocket.Conn
}

func (s *socket) renew(ctx context.Context) error {
	if s.conn != nil {
		_ = s.conn.CloseNow() // it has failed
	}
	header := http.Header{}
	request := http.Request{Header: header}
	request.SetBasicAuth(contactCenter+"/"+s.agent, "any")
	conn, response, err := websocket.Dial(ctx, strings.Replace(s.url, "http", "ws", 1), &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		if response != nil {
			err = fmt.Errorf("%w: %s", err, response.Status)
		}
		return err
	}
	conn.SetReadLimit(frameLimit)
	s.conn = conn
	return nil
}

func (s *socket) send(ctx context.Context, message []byte) ([]byte, error) {
	if err := s.conn.Write(ctx, websocket.MessageText, message); err != nil {
		return nil, err
	}
	_, answer, err := s.conn.Read(ctx)
	return answer, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
