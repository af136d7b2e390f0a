package cometd

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The channels of the protocol.
const (
	metaHandshake   = "/meta/handshake"
	metaConnect     = "/meta/connect"
	metaSubscribe   = "/meta/subscribe"
	metaUnsubscribe = "/meta/unsubscribe"
	metaDisconnect  = "/meta/disconnect"
)

// exchange answers the messages of one POST or one frame.
type exchange struct {
	server  *Server
	request *http.Request
	key     string
	// browser is the cookie that the client has.
	browser string
	// socket is where the messages came from; nil for a POST.
	socket  *socket
	isAlone bool // there is one message
	replies []*reply
	// sessions are those of the messages. They are paused.
	sessions []*Session
	// held is the connect for which the answer waits.
	held *held
	// opened is a session that a handshake made.
	opened *Session
}

// run answers messages in order.
func (x *exchange) run(messages []incoming) {
	x.isAlone = len(messages) == 1
	for i := range messages {
		x.answer(&messages[i])
	}
}

// end lets messages go to the sessions again.
func (x *exchange) end() {
	for _, s := range x.sessions {
		s.resume()
	}
	x.sessions = nil
}

// carriers are the sessions whose messages go with the replies.
func (x *exchange) carriers() []*Session {
	var carriers []*Session
	for _, s := range x.sessions {
		if !s.acks {
			carriers = append(carriers, s)
		}
	}
	return carriers
}

func (x *exchange) reply(r *reply) { x.replies = append(x.replies, r) }

func (x *exchange) answer(m *incoming) {
	switch m.channel {
	case "":
		x.reply(replyTo(m).fail("400::channel_missing"))
		return
	case metaHandshake:
		x.reply(x.handshake(m))
		return
	}
	s := x.server.session(m.clientID, x.key)
	if s == nil {
		x.reply(sessionUnknown(replyTo(m)))
		return
	}
	if x.socket != nil {
		x.socket.use(s)
	}
	if m.channel == metaConnect && x.isAlone {
		x.connect(s, m)
		return
	}
	x.pause(s)
	switch {
	case m.channel == metaConnect:
		x.connect(s, m)
	case m.channel == metaSubscribe:
		x.subscribe(s, m)
	case m.channel == metaUnsubscribe:
		x.unsubscribe(s, m)
	case m.channel == metaDisconnect:
		s.end(EndDisconnect)
		x.reply(replyTo(m).succeed())
	case strings.HasPrefix(m.channel, "/meta/"):
		x.reply(replyTo(m).fail("404::unknown_channel"))
	default:
		x.reply(replyTo(m).fail("403::publish_denied"))
	}
}

func (x *exchange) pause(s *Session) {
	if !slices.Contains(x.sessions, s) {
		s.pause()
		x.sessions = append(x.sessions, s)
	}
}

func sessionUnknown(r *reply) *reply {
	return r.fail("402::session_unknown").advise(adviceHandshake, 0)
}

// connect answers a connect, or holds it.
func (x *exchange) connect(s *Session, m *incoming) {
	if kind := m.text("connectionType"); len(m.fields["connectionType"]) > 0 && !slices.Contains(connectionTypes, kind) {
		x.reply(replyTo(m).fail("400::unsupported_connection_type"))
		return
	}
	h := &held{session: s, started: replyTo(m), connect: x.server.options.parseConnect(m), socket: x.socket}
	switch isHeld, ok := s.hold(h, x.isAlone); {
	case !ok:
		x.reply(sessionUnknown(replyTo(m)))
	case isHeld:
		x.held = h
	default:
		x.reply(h.reply(overReady))
	}
}

const subscribeDenied = "403::subscribe_denied"

var errSubscribeDenied = errors.New("the subscription is denied")

// deniedBy returns the error of a reply to a subscription that the application has denied.
func deniedBy(err error) string {
	if denied, is := errors.AsType[*DeniedError](err); is {
		return strconv.Itoa(denied.Code) + "::" + denied.Text
	}
	return subscribeDenied
}

func (x *exchange) subscribe(s *Session, m *incoming) {
	r := replyTo(m)
	if raw, ok := m.fields["subscription"]; ok {
		r.raw("subscription", raw)
	}
	wishes, ok := wishesOf(m)
	for _, w := range wishes {
		if err := x.server.options.GrantsWith(s, w.subscription, m.fields["ext"]); err != nil {
			x.reply(r.fail(deniedBy(err)))
			return
		}
	}
	var isNew []string
	if ok {
		isNew, ok = s.subscribe(wishes)
	}
	if !ok {
		x.reply(r.fail(subscribeDenied))
		return
	}
	x.reply(r.succeed())
	if len(isNew) > 0 {
		x.server.options.Subscribed(s, isNew)
	}
}

// unsubscribe succeeds also for what the session is not subscribed to: a client may send it again.
func (x *exchange) unsubscribe(s *Session, m *incoming) {
	r := replyTo(m)
	if raw, ok := m.fields["subscription"]; ok {
		r.raw("subscription", raw)
	}
	wishes, ok := wishesOf(m)
	if !ok {
		x.reply(r.fail(subscribeDenied))
		return
	}
	s.unsubscribe(wishes)
	x.reply(r.succeed())
}

// wishesOf reads the subscriptions of a message. It reports false if one is none.
func wishesOf(m *incoming) ([]wish, bool) {
	texts := m.texts("subscription")
	if len(texts) == 0 || len(texts) > maxSubscriptions {
		return nil, false
	}
	wishes := make([]wish, len(texts))
	for i, text := range texts {
		subscription, f, ok := parseSubscription(text)
		if !ok {
			return nil, false
		}
		wishes[i] = wish{subscription: subscription, form: f}
	}
	return wishes, true
}
