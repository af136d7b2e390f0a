package delivery

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// maxIdentities bounds how many transports of their own calls have; the one not
// used for longest goes.
const maxIdentities = 512

// transports are the ways out of the process: one for all, and one for each TLS
// identity that calls are configured with. Connections are never shared between
// identities: a kept one speaks for the certificate it was opened with.
type transports struct {
	plain  *http.Transport
	dialer *dialer
	roots  *x509.CertPool // where a call names none

	mu    sync.Mutex
	held  map[fingerprint]*ownTransport
	calls map[string]fingerprint // what each call used last
}

// fingerprint is a hash of everything an identity consists of, as it was read.
type fingerprint [sha256.Size]byte

// ownTransport is the transport of one identity.
type ownTransport struct {
	*http.Transport
	client *x509.Certificate // nil: none is shown
	used   time.Time
}

func newTransports(dialer *dialer, roots *x509.CertPool) *transports {
	return &transports{plain: newTransport(dialer, &tls.Config{RootCAs: roots}), dialer: dialer, roots: roots,
		held: map[fingerprint]*ownTransport{}, calls: map[string]fingerprint{}}
}

// of is the transport that a call's requests go by, with the certificates as they
// are now. On an error nothing may be sent, and the class says whose fault it is.
func (t *transports) of(p Policy, scheme string) (http.RoundTripper, Class, error) {
	if p.Auth.MTLS == nil && p.TLS == (TLS{}) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.release(p.Call, fingerprint{})
		return t.plain, "", nil
	}
	if scheme != "https" {
		class := ClassTLS
		if p.Auth.MTLS != nil {
			class = ClassAuth
		}
		return nil, class, errors.New("the call has tls or auth.mtls, and its URL is not https; write https://")
	}
	material, class, err := readMaterial(p)
	if err != nil {
		return nil, class, err
	}
	return t.take(p.Call, material)
}

func (t *transports) take(call string, m material) (http.RoundTripper, Class, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	print := m.fingerprint()
	own, ok := t.held[print]
	if !ok {
		made, class, err := m.transport(t.dialer, t.roots)
		if err != nil {
			return nil, class, err
		}
		t.makeRoom()
		own = made
		t.held[print] = own
	}
	t.release(call, print)
	t.calls[call] = print
	own.used = time.Now()
	if err := isValidAt(own.client, own.used); err != nil {
		return nil, ClassAuth, fmt.Errorf("auth.mtls.certificate: %w; replace it", err)
	}
	return own.Transport, "", nil
}

// release forgets the identity that a call used before, unless it is still the
// same or another call uses it too. What is under way ends, and is not kept.
func (t *transports) release(call string, now fingerprint) {
	before, ok := t.calls[call]
	if !ok || before == now {
		return
	}
	delete(t.calls, call)
	for _, used := range t.calls {
		if used == before {
			return
		}
	}
	t.forget(before)
}

func (t *transports) forget(print fingerprint) {
	if own, ok := t.held[print]; ok {
		delete(t.held, print)
		own.CloseIdleConnections()
	}
}

func (t *transports) makeRoom() {
	if len(t.held) < maxIdentities {
		return
	}
	var oldest fingerprint
	var since time.Time
	for print, own := range t.held {
		if since.IsZero() || own.used.Before(since) {
			oldest, since = print, own.used
		}
	}
	t.forget(oldest)
}

func (t *transports) closeIdle() {
	t.plain.CloseIdleConnections()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, own := range t.held {
		own.CloseIdleConnections()
	}
}
