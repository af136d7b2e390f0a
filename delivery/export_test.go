package delivery

import (
	"context"
	"net/http"
	"time"
)

// What the tests of timing need without a network.

func NewHealth(limits Limits) *Health {
	h := newHealth("crm")
	h.configure(limits)
	return h
}

// Enter is one attempt at the gate; leave is nil when it was sent away.
func (h *Health) Enter(ctx context.Context) (leave func(Class), refused Class, in time.Duration) {
	p, refused, in := h.enter(ctx)
	if p == nil {
		return nil, refused, in
	}
	return func(c Class) { p.leave(c) }, "", 0
}

func Sign(req *http.Request, id, body string, refs []SecretRef, now time.Time) error {
	return sign(req, id, body, refs, now, &secrets{})
}

var RetryAfter = retryAfter

// NewTokens makes a store of tokens behind which an endpoint answers, and asks it for one.
func NewTokens(answer func(*http.Request) (*http.Response, error), a OAuth2Auth) (get func() error) {
	t := newTokens(roundTripper(answer))
	return func() error {
		g, err := newGrant(a, &secrets{})
		if err != nil {
			return err
		}
		_, _, err = t.get(context.Background(), g, "")
		return err
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Identities is how many transports of their own the sender's calls have.
func (s *Sender) Identities() int {
	s.transports.mu.Lock()
	defer s.transports.mu.Unlock()
	return len(s.transports.held)
}

// Simulate lets a function answer what the sender sends over plain HTTP, so that a
// test in virtual time needs no network.
func (s *Sender) Simulate(receiver func(*http.Request) (*http.Response, error)) {
	s.transports.plain.RegisterProtocol("http", roundTripper(receiver))
}
