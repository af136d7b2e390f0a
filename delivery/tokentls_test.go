package delivery_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
	"segue/delivery/hostiletest"
)

// secured gives the token endpoint a certificate, and the policy the new URL.
func (i *issuer) secured(t *testing.T, c tls.Certificate) delivery.Policy {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(i.serve))
	server.Config.ErrorLog = quiet()
	server.TLS = &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	p := i.policy()
	p.Auth.OAuth2.TokenURL = server.URL
	return p
}

// The token URL has authorities and a server name of its own; those of the call do not apply
// to it.
func TestATokenURLOfAPrivateAuthority(t *testing.T) {
	ours, others := hostiletest.NewAuthority(t), hostiletest.NewAuthority(t)
	dir := t.TempDir()
	our, other, broken := filepath.Join(dir, "our.pem"), filepath.Join(dir, "other.pem"), filepath.Join(dir, "broken.pem")
	put(t, our, ours.PEM())
	put(t, other, others.PEM())
	put(t, broken, []byte(canary))
	ref := func(file string) delivery.SecretRef { return delivery.SecretRef("file:" + file) }
	for name, tc := range map[string]struct {
		server  hostiletest.Leaf
		trust   delivery.TLS
		own     delivery.TLS // of the call
		message string       // of a failure
	}{
		"right":                       {trust: delivery.TLS{CA: ref(our)}},
		"server name":                 {server: hostiletest.Leaf{Host: "id.internal"}, trust: delivery.TLS{CA: ref(our), ServerName: "id.internal"}},
		"without":                     {message: "unknown authority"},
		"another authority":           {trust: delivery.TLS{CA: ref(other)}, message: "unknown authority"},
		"another server name":         {trust: delivery.TLS{CA: ref(our), ServerName: "id.internal"}, message: "another host"},
		"certificate of another host": {server: hostiletest.Leaf{Host: "id.internal"}, trust: delivery.TLS{CA: ref(our)}, message: "another host"},
		"expired":                     {server: hostiletest.Leaf{Expired: true}, trust: delivery.TLS{CA: ref(our)}, message: "expired"},
		"the call's does not count":   {own: delivery.TLS{CA: ref(our)}, message: "unknown authority"},
		"no file":                     {trust: delivery.TLS{CA: ref(filepath.Join(dir, "none"))}, message: "oauth2.tls.ca: secret file:"},
		"broken file":                 {trust: delivery.TLS{CA: ref(broken)}, message: "oauth2.tls.ca contains no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			receiver := i.receiver(t)
			policy := i.secured(t, ours.Issue(t, tc.server))
			policy.Auth.OAuth2.TLS, policy.TLS = tc.trust, tc.own
			url := receiver.URL
			if tc.own != (delivery.TLS{}) {
				url = hostiletest.ServeTLS(t, ours.Issue(t, hostiletest.Leaf{}), hostiletest.OK).URL
			}
			o := newSender(t).Send(context.Background(), policy, newRequest(url), 1)
			assert.NotContains(t, o.Message, canary)
			if tc.message == "" {
				assert.Equal(t, "ok", o.Class, o.Message)
				assert.EqualValues(t, 1, i.requests.Load())
				return
			}
			assert.Equal(t, "auth", o.Class)
			assert.Contains(t, o.Message, tc.message)
			assert.Zero(t, i.requests.Load(), "the client's secret is not sent")
			assert.Empty(t, receiver.seen)
		})
	}
}

// Two calls with one grant share its token only if they trust the same server for it: the call
// that trusts the wrong server gets none, and the other is not affected.
func TestCallsWithOtherTrustDoNotShareAToken(t *testing.T) {
	authority := hostiletest.NewAuthority(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	put(t, ca, authority.PEM())
	i := newIssuer(t)
	r, sender := i.receiver(t), newSender(t)
	right := i.secured(t, authority.Issue(t, hostiletest.Leaf{}))
	wrong := right
	grant := *right.Auth.OAuth2
	wrong.Call, wrong.Auth.OAuth2 = "billing", &grant
	right.Auth.OAuth2.TLS.CA = delivery.SecretRef("file:" + ca)
	for n := range 3 {
		assert.Equal(t, "auth", sender.Send(context.Background(), wrong, numbered(r.URL, 2*n), 1).Class)
		assert.Equal(t, "ok", sender.Send(context.Background(), right, numbered(r.URL, 2*n+1), 1).Class)
	}
	assert.EqualValues(t, 1, i.requests.Load())
	assert.Equal(t, 1, sender.Identities())

	// The authority's file is replaced, and the token expires.
	renewed := hostiletest.NewAuthority(t)
	put(t, ca, renewed.PEM())
	i.revoke()
	o := sender.Send(context.Background(), right, numbered(r.URL, 100), 1)
	assert.Equal(t, "auth", o.Class, "the server's certificate is not of the new authority")
	require.NoError(t, os.Remove(ca))
	o = sender.Send(context.Background(), right, numbered(r.URL, 101), 1)
	assert.Contains(t, o.Message, "oauth2.tls.ca: secret file:")
}

func TestATokenURLWithTLSSettingsIsHTTPS(t *testing.T) {
	i := newIssuer(t)
	policy := i.policy()
	policy.Auth.OAuth2.TLS.ServerName = "id.internal"
	o := newSender(t).Send(context.Background(), policy, newRequest(i.receiver(t).URL), 1)
	assert.Equal(t, "auth", o.Class)
	assert.Equal(t, "oauth2.tls: the URL is not https; write https://", o.Message)
	assert.Zero(t, i.requests.Load())
}
