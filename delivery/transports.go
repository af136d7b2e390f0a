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

// maxIdentities bounds how many transports for TLS identities are kept; the least recently
// used one is evicted.
const maxIdentities = 512

// transports are the transports of the process: one for all calls without a TLS identity,
// and one for each TLS identity that is configured. Identities never share a connection: a
// kept one is authenticated by the certificate with which it was opened.
type transports struct {
	plain  *renewable
	dialer *dialer
	roots  *x509.CertPool // for a call without tls.ca

	mu       sync.Mutex
	own      map[fingerprint]*ownTransport
	users    map[string]fingerprint // the identity that each call, or each call's grant, used last
	replaced []*http.Transport      // those that may still have requests in flight, the newest last
}

// maxReplaced bounds how many replaced transports have their idle connections closed. Those
// before them close their connections by themselves when idleFor has passed.
const maxReplaced = 16

// fingerprint is a hash of all the material of an identity.
type fingerprint [sha256.Size]byte

// ownTransport is the transport of one identity.
type ownTransport struct {
	*renewable
	client *x509.Certificate // nil: no client certificate
	used   time.Time
}

func newTransports(dialer *dialer, roots *x509.CertPool) *transports {
	plain := newRenewable(func() *http.Transport { return newTransport(dialer, &tls.Config{RootCAs: roots}) })
	return &transports{plain: plain, dialer: dialer, roots: roots,
		own: map[fingerprint]*ownTransport{}, users: map[string]fingerprint{}}
}

// forCall returns the transport for a call's requests, with the certificates as they are
// now. On an error nothing may be sent, and the class says whose fault it is.
func (t *transports) forCall(p Policy, scheme string) (http.RoundTripper, Class, error) {
	return t.forUser(p.Call, p.TLS, p.Auth.MTLS, scheme)
}

// forGrant returns the transport for a call's token requests.
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
	key := m.fingerprint()
	own, ok := t.own[key]
	if !ok {
		made, class, err := m.transport(t.dialer, t.roots)
		if err != nil {
			return nil, class, err
		}
		t.evictOldest()
		own = made
		t.own[key] = own
	}
	t.release(user, key)
	t.users[user] = key
	own.used = time.Now()
	if err := isValidAt(own.client, own.used); err != nil {
		return nil, ClassAuth, fmt.Errorf("auth.mtls.certificate: %w; replace it", err)
	}
	return own.renewable, "", nil
}

// release drops the identity that the user had before, unless it is the same as now or
// another user has it too. Requests in flight end normally; their connections are not kept.
func (t *transports) release(user string, current fingerprint) {
	before, ok := t.users[user]
	if !ok || before == current {
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

func (t *transports) forget(key fingerprint) {
	if own, ok := t.own[key]; ok {
		delete(t.own, key)
		own.closeIdle()
	}
}

func (t *transports) evictOldest() {
	if len(t.own) < maxIdentities {
		return
	}
	var oldest fingerprint
	var since time.Time
	for key, own := range t.own {
		if since.IsZero() || own.used.Before(since) {
			oldest, since = key, own.used
		}
	}
	t.forget(oldest)
}

// renew makes every request that starts afterwards open a new connection.
func (t *transports) renew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replaced = append(t.replaced, t.plain.renew())
	for _, own := range t.own {
		t.replaced = append(t.replaced, own.renew())
	}
	t.replaced = slices.Clone(t.replaced[max(0, len(t.replaced)-maxReplaced):])
}

func (t *transports) closeIdle() {
	t.plain.closeIdle()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, own := range t.own {
		own.closeIdle()
	}
	for _, replaced := range t.replaced {
		replaced.CloseIdleConnections()
	}
}
