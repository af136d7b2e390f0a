package cometd

import (
	"context"
	"encoding/json"
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

// DeniedError is why a handshake is denied. Text is without spaces: "handshake_denied".
type DeniedError struct {
	Code int
	Text string
	// RetryAfter makes the client handshake again after it; 0 makes the client stop.
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
	// Grants reports whether a session may have a subscription, which may be a wildcard.
	Grants func(s *Session, subscription string) bool
	// Subscribed is called after the reply to a successful subscribe is queued, with what is new of it.
	Subscribed func(s *Session, subscriptions []string)
	// Closed is called once when a session has ended.
	Closed func(s *Session, why End)
	// Enter counts each frame of a WebSocket as a request of the peer; leave is called when it is
	// answered. The error text goes to the client. nil for no limit.
	Enter func(p *Peer) (leave func(), err error)
	// Held is called with the context of a request before it waits: it is no longer a request in progress.
	Held func(ctx context.Context)
	// Stopping returns a channel that is closed when the process is about to stop, for a request.
	Stopping func(ctx context.Context) <-chan struct{}
	// Cookie makes the cookie BAYEUX_BROWSER.
	Cookie func(r *http.Request, name, value string) *http.Cookie
	// Refuse answers a request that is no Bayeux at all, with an HTTP status and a text for people.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, detail string)
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

// Server serves Bayeux. It is safe for concurrent use.
type Server struct{ options Options }

// New returns a server.
func New(o Options) *Server { return &Server{options: o} }

// ServeHTTP answers a POST with messages, and opens a WebSocket.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.options.Refuse(w, r, http.StatusNotImplemented, "")
}

// Sessions returns how many sessions there are.
func (s *Server) Sessions() int { return 0 }

// Close ends all sessions and waits for what they started.
func (s *Server) Close() {}

// Session is one client. It is safe for concurrent use.
type Session struct{ peer *Peer }

// ID is the clientId, a secret between the client and the server.
func (s *Session) ID() string { return "" }

// Peer is whom the session belongs to.
func (s *Session) Peer() *Peer { return s.peer }

// Handshake is the handshake that opened the session, without its Token.
func (s *Session) Handshake() *Handshake { return nil }

// Wants reports whether any subscription of the session matches a channel.
func (s *Session) Wants(channel string) bool { return false }

// Deliver queues a message, if any subscription matches its channel; once, however many do. Messages
// arrive in the order of the calls. data is JSON and is not copied: it must not change.
func (s *Session) Deliver(channel string, data json.RawMessage) {}
