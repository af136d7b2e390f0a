package delivery

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"segue/contract"
)

// What tests need of the package's internals.

func NewHealth(limits Limits) *Health {
	h := newHealth("crm")
	h.configure(limits)
	return h
}

// Enter asks for a permit; leave, which ends the attempt, is nil if the attempt is delayed.
func (h *Health) Enter(ctx context.Context) (leave func(Class), refused Class, in time.Duration) {
	p, refused, in := h.admit(ctx)
	if p == nil {
		return nil, refused, in
	}
	return func(c Class) { p.release(c) }, "", 0
}

// Report returns the state of the receiver, and the p95 of the last attempts in milliseconds.
func (h *Health) Report() (contract.ReceiverState, int64) {
	report := h.report()
	return report.State, report.P95
}

func Sign(req *http.Request, id, body string, refs []SecretRef, now time.Time) error {
	s, err := newSigner(id, body, refs, &secrets{})
	if err == nil {
		s.sign(req, now)
	}
	return err
}

// AskProxy asks a proxy over a connection, and returns the class of its failure in the attempt of a context.
func AskProxy(ctx context.Context, conn net.Conn) Class {
	class, _ := classOfError(ctx, (&proxy{}).open(conn, netip.MustParseAddrPort("192.0.2.1:443")), time.Second)
	return class
}

// Redact redacts values from text.
func Redact(values []string, text string) string {
	var used secrets
	for _, value := range values {
		used.add(value)
	}
	return used.redact(text)
}

var RetryAfter = retryAfter

// NewTokens returns a function that gets a token from a cache whose endpoint is answer.
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

// KindOf returns the kind of an address; empty is an ordinary public one.
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

// Identities returns how many transports the sender has for TLS identities.
func (s *Sender) Identities() int {
	s.transports.mu.Lock()
	defer s.transports.mu.Unlock()
	return len(s.transports.own)
}

// Returned returns the configured values of a response.
func Returned(wanted []Return, body string) (map[string]any, string) {
	return returned(Policy{Returns: wanted}, content{body, "application/json"}, nil)
}

// FaultOf returns the code and the verdict of the SOAP fault in a response; false for none.
func FaultOf(body []byte, contentType string) (code string, verdict contract.Verdict, found bool) {
	f, err := isSOAP(string(body), contentType)
	if f == nil || err != nil {
		return "", "", false
	}
	return f.code, f.verdict(), true
}

// Simulate lets a function respond to the sender's requests over plain HTTP, so that a test
// in virtual time needs no network.
func (s *Sender) Simulate(receiver func(*http.Request) (*http.Response, error)) {
	s.transports.plain.current.Load().RegisterProtocol("http", roundTripper(receiver))
}
