package cometd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Peer is whom a session belongs to.
type Peer struct {
	// Key identifies the peer: a message from a request with another key does not reach the session.
	// It is empty if the handshake itself had the credential (ext.authentication): then whoever knows
	// the session's id uses it.
	Key string
	// Context ends when the peer's credential no longer counts. The session ends with it.
	Context context.Context
	// Value is the application's own.
	Value any
}

// Handshake is what an application sees of a handshake.
type Handshake struct {
	Request *http.Request
	// Token is ext.authentication.token; empty if there is none. Ext is the whole extension field.
	Token string
	Ext   json.RawMessage
	// Browser is the cookie BAYEUX_BROWSER of the request: a former session of the same browser had it
	// too. It is no secret and proves nothing.
	Browser string
}

// DeniedError is why a handshake or a subscription is denied. Text is without spaces: "handshake_denied".
type DeniedError struct {
	Code int
	Text string
	// RetryAfter makes the client handshake again after it; 0 makes the client stop. Subscriptions have none.
	RetryAfter time.Duration
}

func (e *DeniedError) Error() string { return e.Text }

// Options are the application's side of a server.
type Options struct {
	// Identify returns the key of the peer that sends a request, empty for nobody. It is called once for
	// a POST and once for a WebSocket.
	Identify func(r *http.Request) string
	// Open decides about a handshake. An error that is no *DeniedError denies it with 403::handshake_denied.
	Open func(h *Handshake) (*Peer, error)
	// Grants reports whether a session may have a subscription, which may be a wildcard. It comes without
	// a slash at its end.
	Grants func(s *Session, subscription string) bool
	// GrantsWith replaces Grants for an application whose clients show in the message itself what they may
	// subscribe to: it gets the message's ext, too. An error that is no *DeniedError denies the subscription with
	// 403::subscribe_denied. nil is Grants.
	GrantsWith func(s *Session, subscription string, ext json.RawMessage) error
	// Subscribed is called after the reply to a successful subscribe is queued, with what is new of it,
	// without slashes at the end. What it delivers goes with or after that reply.
	Subscribed func(s *Session, subscriptions []string)
	// Closed is called once when a session has ended.
	Closed func(s *Session, why End)
	// Enter counts each frame of a WebSocket as a request of the peer; leave is called when it is
	// answered. The error text goes to the client. Meet does so for frames before the first session of
	// a WebSocket, by the request that opened it. nil for no limit.
	Enter func(p *Peer) (leave func(), err error)
	Meet  func(r *http.Request) (leave func(), err error)
	// Held is called with the context of a request before it waits, and with that of a WebSocket when it
	// has a session: it is no longer a request in progress. It may be called more than once.
	Held func(ctx context.Context)
	// Stopping returns a channel that is closed when the process is about to stop, for a request.
	Stopping func(ctx context.Context) <-chan struct{}
	// Cookie makes the cookie BAYEUX_BROWSER.
	Cookie func(r *http.Request, name, value string) *http.Cookie
	// Refuse answers a request that is no Bayeux at all, with an HTTP status and a text for people.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, detail string)

	// Timeout is how long a connect is held at most; 0 is 30 s. MaxInterval is how long a session lives
	// without a connect; 0 is 60 s. Ping is how often a WebSocket is pinged; 0 is every 30 s.
	Timeout, MaxInterval, Ping time.Duration
	// MaxSessions bounds the sessions; 0 is 20,000.
	MaxSessions int
}

// End is how a session ended.
type End string

// How sessions end.
const (
	EndDisconnect End = "disconnect" // by /meta/disconnect
	EndExpired    End = "expired"    // no connect in time
	EndOverrun    End = "overrun"    // too much waits for it
	EndCredential End = "credential" // the peer's context ended
	EndClosed     End = "closed"     // the server was closed
)

func (o Options) withDefaults() Options {
	if o.Identify == nil {
		o.Identify = func(*http.Request) string { return "" }
	}
	if o.Open == nil {
		o.Open = func(*Handshake) (*Peer, error) { return &Peer{Context: context.Background()}, nil }
	}
	if o.Grants == nil {
		o.Grants = func(*Session, string) bool { return false }
	}
	if o.GrantsWith == nil {
		grants := o.Grants
		o.GrantsWith = func(s *Session, subscription string, _ json.RawMessage) error {
			if !grants(s, subscription) {
				return errSubscribeDenied
			}
			return nil
		}
	}
	if o.Subscribed == nil {
		o.Subscribed = func(*Session, []string) {}
	}
	if o.Closed == nil {
		o.Closed = func(*Session, End) {}
	}
	if o.Enter == nil {
		o.Enter = func(*Peer) (func(), error) { return func() {}, nil }
	}
	if o.Meet == nil {
		o.Meet = func(*http.Request) (func(), error) { return func() {}, nil }
	}
	if o.Held == nil {
		o.Held = func(context.Context) {}
	}
	if o.Cookie == nil {
		o.Cookie = cookie
	}
	if o.Refuse == nil {
		o.Refuse = func(w http.ResponseWriter, _ *http.Request, status int, detail string) { http.Error(w, detail, status) }
	}
	for value, standard := range map[*time.Duration]time.Duration{&o.Timeout: defaultTimeout, &o.MaxInterval: defaultMaxInterval, &o.Ping: defaultPing} {
		if *value <= 0 {
			*value = standard
		}
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = defaultSessions
	}
	return o
}

// cookie makes a cookie of the session of a browser.
func cookie(r *http.Request, name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode}
}

// advice returns what clients are advised of, to connect after an interval.
func (o *Options) advice(interval time.Duration) []byte {
	return fmt.Appendf(nil, `{"reconnect":"retry","interval":%d,"timeout":%d,"maxInterval":%d}`,
		interval.Milliseconds(), o.Timeout.Milliseconds(), o.MaxInterval.Milliseconds())
}
