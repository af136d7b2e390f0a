package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"segue/gateway/auth"
	"segue/gateway/cometd"
	"segue/gateway/gws"
	"segue/gateway/gws/notify"
	"segue/gateway/limits"
	"segue/gateway/problem"
	"segue/gateway/stopping"
)

// notifications serves CometD for GWS: it determines for package cometd who a client is and what it may
// use, and has package notify fill the sessions.
type notifications struct {
	auth      *auth.Auth
	limits    *limits.Limits
	notifier  *notify.Notifier
	publicURL func() string
	log       *slog.Logger
	server    *cometd.Server
	// waiting is the number of held connects and WebSockets.
	waiting atomic.Int64
	peers   peers
}

func newNotifications(f *faces, notifier *notify.Notifier, publicURL func() string, log *slog.Logger) *notifications {
	n := &notifications{auth: f.auth, limits: f.limits, notifier: notifier, publicURL: publicURL, log: log}
	n.server = cometd.New(cometd.Options{
		Identify: n.identify, Open: n.open, Grants: notifier.Grants, Subscribed: notifier.Subscribed, Closed: n.closed,
		// limits.Stream bounds the sessions: one that it has let through must not be refused again.
		MaxSessions: 2 * limits.Streams,
		Enter:       n.enter, Meet: n.meet, Held: n.hold, Stopping: stopping.Done, Cookie: f.auth.Cookie,
		Refuse: func(w http.ResponseWriter, r *http.Request, status int, detail string) {
			gws.Refuse(w, r, problem.OfStatus(status, detail))
		},
	})
	return n
}

// request is what the callbacks of a server know of the request that they are called for.
type request struct {
	answer http.ResponseWriter
	isHeld atomic.Bool
}

type requestKey struct{}

// ServeHTTP serves a request with its caller in the context, or without.
func (n *notifications) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &request{answer: w}
	defer func() {
		if q.isHeld.Load() {
			n.waiting.Add(-1)
		}
	}()
	n.server.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, q)))
}

// hold notes that a request waits for messages.
func (n *notifications) hold(ctx context.Context) {
	limits.Hold(ctx)
	if q, ok := ctx.Value(requestKey{}).(*request); ok && !q.isHeld.Swap(true) {
		n.waiting.Add(1)
	}
}

// strangersRate is how many requests a second an address may send without a credential. Sessions that
// a token in the handshake opened are among them.
const strangersRate = 200

// counted returns the caller as whose a request counts: a stranger is all of an address.
func counted(r *http.Request) *auth.Caller {
	if caller := auth.From(r.Context()); caller != nil {
		return caller
	}
	return &auth.Caller{Name: "address:" + limits.NetworkOf(auth.RemoteOf(r)).String(), Rate: strangersRate}
}

// identify returns the key of who sends a request, and lets the sessions of a renewed credential go on.
func (n *notifications) identify(r *http.Request) string {
	caller := auth.From(r.Context())
	if caller == nil {
		return ""
	}
	center, err := auth.ContactCenter(r)
	if err != nil {
		return ""
	}
	key := keyOf(caller, center)
	n.peers.renew(key, caller)
	return key
}

// keyOf identifies a caller in a contact center. No name of a credential contains a zero byte.
func keyOf(caller *auth.Caller, center string) string { return caller.Name + "\x00" + center }

// open decides about a handshake.
func (n *notifications) open(h *cometd.Handshake) (*cometd.Peer, error) {
	caller, err := n.callerOf(h)
	if err != nil {
		return nil, denied(err)
	}
	if h.Request.Method != http.MethodPost && h.Token != "" { // the frame counts as one of whoever opened the WebSocket
		held, refused := n.limits.Enter(h.Request.Context(), caller)
		if refused != nil {
			return nil, denied(refused)
		}
		limits.Hold(held)
	}
	center, err := auth.ContactCenter(h.Request.WithContext(auth.With(h.Request.Context(), caller)))
	if err != nil {
		return nil, denied(err)
	}
	n.notifier.AwaitStart(h.Request.Context())
	p := &peer{caller: caller}
	if h.Token == "" {
		p.key = keyOf(caller, center)
	}
	stream, err := n.limits.Stream(caller)
	if err != nil {
		return nil, &cometd.DeniedError{Code: http.StatusTooManyRequests, Text: "too_many_sessions", RetryAfter: sessionsRetry}
	}
	watched, renew, unwatch := n.auth.WatchRenewed(context.Background(), caller.ForStream())
	p.renew = renew
	n.peers.add(p)
	p.release = func() {
		n.peers.remove(p)
		unwatch()
		stream()
	}
	if watched.Err() != nil { // a token in the leeway of its exp
		p.release()
		return nil, denied(problem.New(problem.Unauthenticated, ""))
	}
	if h.Token != "" {
		n.openSession(h, caller)
	}
	return &cometd.Peer{
		Key: p.key, Context: context.WithValue(watched, peerKey{}, p),
		Value: notify.User{ContactCenter: center, Agent: caller.Agent, Base: n.base(h.Request)},
	}, nil
}

// sessionsRetry is when a client that has too many sessions may try again.
const sessionsRetry = 10 * time.Second

// callerOf returns whose session a handshake opens: a credential in the message precedes those of the request.
func (n *notifications) callerOf(h *cometd.Handshake) (*auth.Caller, error) {
	if h.Token != "" {
		return n.auth.Token(h.Request, h.Token)
	}
	if caller := auth.From(h.Request.Context()); caller != nil {
		return caller, nil
	}
	return nil, problem.New(problem.Unauthenticated, "")
}

// openSession sets the cookie of a session that a message has opened. A WebSocket has its headers already,
// and a page of another site must not have a person go on as the user whose token it has.
func (n *notifications) openSession(h *cometd.Handshake, caller *auth.Caller) {
	q, ok := h.Request.Context().Value(requestKey{}).(*request)
	if !ok || h.Request.Method != http.MethodPost || !n.auth.IsFriendly(h.Request) {
		return
	}
	if err := n.auth.Open(q.answer, h.Request, caller, auth.GWSCookie); err != nil {
		n.log.Warn("A session cannot be opened", "caller", caller.Name, "error", err)
	}
}

// denied returns why a handshake is denied, as Bayeux has it. What is not listed is 403::handshake_denied,
// and the client stops.
func denied(err error) error {
	var p *problem.Problem
	if !errors.As(err, &p) {
		return err
	}
	switch p.Status {
	case http.StatusBadRequest, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return &cometd.DeniedError{Code: p.Status, Text: p.Type, RetryAfter: p.RetryAfter}
	}
	return err
}

// base returns the start of absolute URIs for a session.
func (n *notifications) base(r *http.Request) string { return gws.BaseOf(n.publicURL(), r) }

// closed forgets a session.
func (n *notifications) closed(s *cometd.Session, why cometd.End) {
	n.notifier.Closed(s, why)
	peerOf(s.Peer()).release()
}

// enter counts a frame of a WebSocket as a request of the session's caller.
func (n *notifications) enter(of *cometd.Peer) (leave func(), err error) {
	return n.count(of.Context, peerOf(of).caller)
}

// meet counts a frame of a WebSocket that has had no session.
func (n *notifications) meet(r *http.Request) (leave func(), err error) {
	return n.count(r.Context(), counted(r))
}

func (n *notifications) count(ctx context.Context, caller *auth.Caller) (leave func(), err error) {
	held, refused := n.limits.Enter(ctx, caller)
	if refused != nil {
		return nil, fmt.Errorf("%d::%s", refused.Status, refused.Type) // as Bayeux has it
	}
	return func() { limits.Hold(held) }, nil
}

// close ends all sessions.
func (n *notifications) close() { n.server.Close() }
