package delivery

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"segue/contract"
)

// What the tests of timing need without a network.

func NewHealth(limits Limits) *Health {
	h := newHealth("crm")
	h.configure(limits)
	return h
}

// Enter is one attempt at the gate; leave is nil when it was sent away.
func (h *Health) Enter(ctx context.Context) (leave func(Class), refused Class, in time.Duration) {
	p, refused, in := h.admit(ctx)
	if p == nil {
		return nil, refused, in
	}
	return func(c Class) { p.release(c) }, "", 0
}

func Sign(req *http.Request, id, body string, refs []SecretRef, now time.Time) error {
	s, err := newSigner(id, body, refs, &secrets{})
	if err == nil {
		s.sign(req, now)
	}
	return err
}

// Redact takes values out of text.
func Redact(values []string, text string) string {
	var used secrets
	for _, value := range values {
		used.add(value)
	}
	return used.redact(text)
}

var RetryAfter = retryAfter

// NewTokens makes a store of tokens behind which an endpoint answers, and asks it for one.
func NewTokens(answer func(*http.Request) (*http.Response, error), a OAuth2Auth) (get func() error) {
	t := newTokens()
	return func() error {
		g, err := newGrant(a, &secrets{})
		if err != nil {
			return err
		}
		g.transport = roundTripper(answer)
		_, _, err = t.get(context.Background(), g, "")
		return err
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// KindOf classifies an address; empty is an ordinary public one.
func KindOf(addr netip.Addr) string { return string(kindOf(addr)) }

// HaveAddresses makes these the addresses of this machine's interfaces, until the test ends.
func HaveAddresses(t interface{ Cleanup(func()) }, err error, own ...string) {
	interfaceAddrs = func() ([]net.Addr, error) {
		var list []net.Addr
		for _, text := range own {
			list = append(list, &net.IPNet{IP: net.ParseIP(text), Mask: net.CIDRMask(24, 32)})
		}
		return list, err
	}
	t.Cleanup(func() { interfaceAddrs = net.InterfaceAddrs })
}

// Identities is how many transports of their own the sender's calls have.
func (s *Sender) Identities() int {
	s.transports.mu.Lock()
	defer s.transports.mu.Unlock()
	return len(s.transports.held)
}

// Returned takes return values out of a response.
func Returned(wanted []Return, body string) (map[string]any, string) {
	return returned(Policy{Returns: wanted}, content{body, "application/json"}, nil)
}

// FaultOf is the code and the verdict of the SOAP fault in a response; false for none.
func FaultOf(body []byte, contentType string) (code string, verdict contract.Verdict, found bool) {
	f, err := isSOAP(string(body), contentType)
	if f == nil || err != nil {
		return "", "", false
	}
	return f.code, f.verdict(), true
}

// Simulate lets a function answer what the sender sends over plain HTTP, so that a
// test in virtual time needs no network.
func (s *Sender) Simulate(receiver func(*http.Request) (*http.Response, error)) {
	s.transports.plain.current.Load().RegisterProtocol("http", roundTripper(receiver))
}
