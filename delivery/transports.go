package delivery

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
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
	plain  *renewable
	dialer *dialer
	roots  *x509.CertPool // where a call names none

	mu       sync.Mutex
	held     map[fingerprint]*ownTransport
	users    map[string]fingerprint // what each call, and each call's grant, used last
	replaced []*http.Transport      // replaced ones that may still have requests, the newest last
}

// maxReplaced bounds how many replaced transports are looked after. Those before them close
// their connections by themselves once they are idle.
const maxReplaced = 16

// fingerprint is a hash of everything an identity consists of, as it was read.
type fingerprint [sha256.Size]byte

// ownTransport is the transport of one identity.
type ownTransport struct {
	*renewable
	client *x509.Certificate // nil: none is shown
	used   time.Time
}

func newTransports(dialer *dialer, roots *x509.CertPool) *transports {
	plain := newRenewable(func() *http.Transport { return newTransport(dialer, &tls.Config{RootCAs: roots}) })
	return &transports{plain: plain, dialer: dialer, roots: roots,
		held: map[fingerprint]*ownTransport{}, users: map[string]fingerprint{}}
}

// forCall is the transport that a call's requests go by, with the certificates as
// they are now. On an error nothing may be sent, and the class says whose fault it is.
func (t *transports) forCall(p Policy, scheme string) (http.RoundTripper, Class, error) {
	return t.forUser(p.Call, p.TLS, p.Auth.MTLS, scheme)
}

// forGrant is the transport that a call's tokens come by.
func (t *transports) forGrant(p Policy, scheme string) (http.RoundTripper, error) {
	transport, _, err := t.forUser(p.Call+" oauth2", p.Auth.OAuth2.TLS, nil, scheme)
	if err != nil {
		return nil, fmt.Errorf("oauth2.%w", err)
	}
	return transport, nil
}

func (t *transports) forUser(user string, trust TLS, client *MTLSAuth, scheme string) (http.RoundTripper, Class, error) {
	switch {
	case client == nil && trust == TLS{}:
		t.mu.Lock()
		defer t.mu.Unlock()
		t.release(user, fingerprint{})
		return t.plain, "", nil
	case scheme != "https" && client != nil:
		return nil, ClassAuth, errors.New("auth.mtls: the URL is not https; write https://")
	case scheme != "https":
		return nil, ClassTLS, errors.New("tls: the URL is not https; write https://")
	}
	material, class, err := readMaterial(trust, client)
	if err != nil {
		return nil, class, err
	}
	return t.forMaterial(user, material)
}

func (t *transports) forMaterial(user string, m material) (http.RoundTripper, Class, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	print := m.fingerprint()
	own, ok := t.held[print]
	if !ok {
		made, class, err := m.transport(t.dialer, t.roots)
		if err != nil {
			return nil, class, err
		}
		t.evictOldest()
		own = made
		t.held[print] = own
	}
	t.release(user, print)
	t.users[user] = print
	own.used = time.Now()
	if err := isValidAt(own.client, own.used); err != nil {
		return nil, ClassAuth, fmt.Errorf("auth.mtls.certificate: %w; replace it", err)
	}
	return own.renewable, "", nil
}

// release forgets the identity that was used before, unless it is still the same or
// somebody else uses it too. What is under way ends, and is not kept.
func (t *transports) release(user string, now fingerprint) {
	before, ok := t.users[user]
	if !ok || before == now {
		return
	}
	delete(t.users, user)
	for _, used := range t.users {
		if used == before {
			return
		}
	}
	t.forget(before)
}

func (t *transports) forget(print fingerprint) {
	if own, ok := t.held[print]; ok {
		delete(t.held, print)
		own.closeIdle()
	}
}

func (t *transports) evictOldest() {
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

// renew makes every request that starts from now on open a new connection.
func (t *transports) renew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replaced = append(t.replaced, t.plain.renew())
	for _, own := range t.held {
		t.replaced = append(t.replaced, own.renew())
	}
	t.replaced = slices.Clone(t.replaced[max(0, len(t.replaced)-maxReplaced):])
}

func (t *transports) closeIdle() {
	t.plain.closeIdle()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, own := range t.held {
		own.closeIdle()
	}
	for _, past := range t.replaced {
		past.CloseIdleConnections()
	}
}
