package delivery_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

// mutual is a receiver that requires a client certificate, and the files of a call that has
// one.
type mutual struct {
	authority, clients    *hostiletest.Authority
	server                *httptest.Server
	requests, connections atomic.Int32
	shown                 atomic.Value // the serial number of the client certificate
	certificate, key, ca  string
}

func newMutual(t *testing.T, server hostiletest.Leaf) *mutual {
	m := &mutual{authority: hostiletest.NewAuthority(t), clients: hostiletest.NewAuthority(t)}
	m.server = httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m.requests.Add(1)
		m.shown.Store(r.TLS.PeerCertificates[0].SerialNumber.String())
	}))
	m.server.Config.ErrorLog = quiet()
	m.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			m.connections.Add(1)
		}
	}
	m.server.EnableHTTP2 = true
	m.server.TLS = &tls.Config{Certificates: []tls.Certificate{m.authority.Issue(t, server)},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: m.clients.Pool()}
	m.server.StartTLS()
	t.Cleanup(m.server.Close)
	dir := t.TempDir()
	m.certificate, m.key, m.ca = filepath.Join(dir, "crt"), filepath.Join(dir, "key"), filepath.Join(dir, "ca")
	m.show(t, m.clients.Issue(t, hostiletest.Leaf{Host: "segue"}))
	put(t, m.ca, m.authority.PEM())
	return m
}

// show makes the certificate that of the call.
func (m *mutual) show(t *testing.T, c tls.Certificate) {
	certificate, key := hostiletest.Files(t, c)
	put(t, m.certificate, certificate)
	put(t, m.key, key)
}

func put(t *testing.T, file string, content []byte) {
	require.NoError(t, os.WriteFile(file, content, 0o600))
}

func (m *mutual) policy() delivery.Policy {
	p := newPolicy()
	p.Auth.MTLS = &delivery.MTLSAuth{Certificate: delivery.SecretRef("file:" + m.certificate), Key: delivery.SecretRef("file:" + m.key)}
	p.TLS.CA = delivery.SecretRef("file:" + m.ca)
	return p
}

func TestClientCertificates(t *testing.T) {
	for name, tc := range map[string]struct {
		server  hostiletest.Leaf
		change  func(*testing.T, *mutual, *delivery.Policy)
		classes []string
		message string
	}{
		"right": {classes: []string{"ok"}},
		"certificates in the environment": {classes: []string{"ok"}, change: func(t *testing.T, m *mutual, p *delivery.Policy) {
			certificate, key := hostiletest.Files(t, m.clients.Issue(t, hostiletest.Leaf{}))
			t.Setenv("SEGUE_TEST_CRT", string(certificate))
			t.Setenv("SEGUE_TEST_KEY", string(key))
			p.Auth.MTLS = &delivery.MTLSAuth{Certificate: "env:SEGUE_TEST_CRT", Key: "env:SEGUE_TEST_KEY"}
		}},
		"another server name": {server: hostiletest.Leaf{Host: "crm.internal"}, classes: []string{"ok"},
			change: func(_ *testing.T, _ *mutual, p *delivery.Policy) { p.TLS.ServerName = "crm.internal" }},

		"server of another host": {server: hostiletest.Leaf{Host: "crm.internal"}, classes: []string{"tls"}, message: "certificate"},
		"expired server":         {server: hostiletest.Leaf{Expired: true}, classes: []string{"tls"}, message: "expired"},
		"server of another authority": {classes: []string{"tls"}, message: "unknown authority",
			change: func(t *testing.T, m *mutual, _ *delivery.Policy) { put(t, m.ca, m.clients.PEM()) }},
		"system's authorities": {classes: []string{"tls"}, message: "unknown authority",
			change: func(_ *testing.T, _ *mutual, p *delivery.Policy) { p.TLS.CA = "" }},

		// What a server says of the certificate comes after the handshake, and may be lost.
		"client of another authority": {classes: []string{"tls", "reset"}, message: "certificate",
			change: func(t *testing.T, m *mutual, _ *delivery.Policy) { m.show(t, m.authority.Issue(t, hostiletest.Leaf{})) }},
		"no client certificate": {classes: []string{"tls", "reset"},
			change: func(_ *testing.T, _ *mutual, p *delivery.Policy) { p.Auth.MTLS = nil }},

		"expired client": {classes: []string{"auth"}, message: "expired at",
			change: func(t *testing.T, m *mutual, _ *delivery.Policy) {
				m.show(t, m.clients.Issue(t, hostiletest.Leaf{Expired: true}))
			}},
		"no key": {classes: []string{"auth"}, message: "auth.mtls.key: secret file:",
			change: func(t *testing.T, m *mutual, _ *delivery.Policy) { require.NoError(t, os.Remove(m.key)) }},
		"no certificate": {classes: []string{"auth"}, message: "auth.mtls.certificate: secret file:",
			change: func(t *testing.T, m *mutual, _ *delivery.Policy) { require.NoError(t, os.Remove(m.certificate)) }},
		"broken key": {classes: []string{"auth"}, message: "not a matching pair in PEM",
			change: func(t *testing.T, m *mutual, _ *delivery.Policy) { put(t, m.key, []byte(canary)) }},
		"key of another": {classes: []string{"auth"}, message: "not a matching pair in PEM", change: func(t *testing.T, m *mutual, _ *delivery.Policy) {
			_, key := hostiletest.Files(t, m.clients.Issue(t, hostiletest.Leaf{}))
			put(t, m.key, key)
		}},
		"no authority": {classes: []string{"tls"}, message: "tls.ca: secret file:",
			change: func(t *testing.T, m *mutual, _ *delivery.Policy) { require.NoError(t, os.Remove(m.ca)) }},
		"broken authority": {classes: []string{"tls"}, message: "tls.ca contains no certificate",
			change: func(t *testing.T, m *mutual, _ *delivery.Policy) { put(t, m.ca, []byte(canary)) }},
		"endless authority": {classes: []string{"tls"}, message: "longer than",
			change: func(t *testing.T, m *mutual, _ *delivery.Policy) { put(t, m.ca, make([]byte, 2<<20)) }},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMutual(t, tc.server)
			policy := m.policy()
			if tc.change != nil {
				tc.change(t, m, &policy)
			}
			o := newSender(t).Send(context.Background(), policy, newRequest(m.server.URL), 1)
			assert.Contains(t, tc.classes, o.Class, o.Message)
			assert.Contains(t, o.Message, tc.message)
			assert.NotContains(t, o.Message, canary)
			if o.Class == "ok" {
				assert.EqualValues(t, 1, m.requests.Load())
				return
			}
			assert.Equal(t, contract.VerdictRetry, o.Verdict)
			assert.Zero(t, m.requests.Load())
			if tc.classes[0] == "auth" {
				assert.Zero(t, m.connections.Load(), "nothing is sent")
			}
		})
	}
}

func TestAClientCertificateRequiresTLS(t *testing.T) {
	var requests atomic.Int32
	plain := serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	m := newMutual(t, hostiletest.Leaf{})
	o := newSender(t).Send(context.Background(), m.policy(), newRequest(plain.URL), 1)
	assert.Equal(t, "auth", o.Class)
	assert.Contains(t, o.Message, "not https")
	trusting := newPolicy()
	trusting.TLS = m.policy().TLS
	o = newSender(t).Send(context.Background(), trusting, newRequest(plain.URL), 1)
	assert.Equal(t, "tls", o.Class)
	assert.Zero(t, requests.Load())
}

// A replaced certificate is used from the next attempt on, over a new connection; an unchanged
// one keeps its connection.
func TestARotatedClientCertificate(t *testing.T) {
	m := newMutual(t, hostiletest.Leaf{})
	sender := newSender(t)
	send := func(n int) any {
		o := sender.Send(context.Background(), m.policy(), numbered(m.server.URL, n), 1)
		require.Equal(t, "ok", o.Class, o.Message)
		return m.shown.Load()
	}
	first := send(1)
	assert.Equal(t, first, send(2))
	assert.EqualValues(t, 1, m.connections.Load())
	rotated := m.clients.Issue(t, hostiletest.Leaf{})
	m.show(t, rotated)
	assert.Equal(t, rotated.Leaf.SerialNumber.String(), send(3))
	assert.EqualValues(t, 2, m.connections.Load())
	assert.Equal(t, 1, sender.Identities(), "the old one is dropped")

	require.NoError(t, os.Remove(m.key))
	o := sender.Send(context.Background(), m.policy(), numbered(m.server.URL, 4), 1)
	assert.Equal(t, "auth", o.Class, "also while a connection is still open")
	assert.EqualValues(t, 3, m.requests.Load())
}

func TestConnectionsAreNotSharedBetweenIdentities(t *testing.T) {
	m := newMutual(t, hostiletest.Leaf{})
	other := newMutual(t, hostiletest.Leaf{})
	other.show(t, m.clients.Issue(t, hostiletest.Leaf{}))
	put(t, other.ca, m.authority.PEM())
	sender := newSender(t)
	seen := map[any]bool{}
	for n, p := range []delivery.Policy{m.policy(), other.policy(), m.policy(), other.policy()} {
		p.Call = fmt.Sprintf("crm-%d", n)
		o := sender.Send(context.Background(), p, numbered(m.server.URL, n), 1)
		require.Equal(t, "ok", o.Class, o.Message)
		seen[m.shown.Load()] = true
	}
	assert.Len(t, seen, 2)
	assert.EqualValues(t, 2, m.connections.Load(), "two calls of one identity share one")
	assert.Equal(t, 2, sender.Identities())
}

func TestTheNumberOfIdentitiesIsBounded(t *testing.T) {
	m := newMutual(t, hostiletest.Leaf{})
	sender := delivery.New(delivery.Options{}) // lets nothing through: the identity alone counts
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	for n := range 600 {
		p := m.policy()
		p.Call, p.TLS.ServerName = fmt.Sprintf("crm-%d", n), fmt.Sprintf("host-%d.internal", n)
		require.Equal(t, "blocked", sender.Send(context.Background(), p, numbered(m.server.URL, n), 1).Class)
	}
	assert.Equal(t, 512, sender.Identities())
}
