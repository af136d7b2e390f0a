package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"segue/config"
)

// Bounds of requests to issuers, and how soon an issuer that did not answer is asked again.
const (
	issuerTimeout  = 10 * time.Second
	maxDocument    = 1 << 20
	firstDiscovery = time.Second
	lastDiscovery  = 30 * time.Second
)

// signatures are the algorithms that a configuration may name: all use a public key. With HS256 the
// public key itself would be the secret, and none is no signature.
var signatures = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// issuer is a configured issuer of JSON Web Tokens.
type issuer struct {
	config     config.Issuer
	algorithms []jose.SignatureAlgorithm
	client     *http.Client
	// verifier is nil until the issuer has answered.
	verifier atomic.Pointer[oidc.IDTokenVerifier]
	started  atomic.Bool
	context  context.Context
	end      context.CancelFunc
}

func issuerDefaults(c config.Issuer) config.Issuer {
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{string(jose.RS256)}
	}
	for field, value := range map[*string]string{&c.ContactCentersClaim: "contact_centers", &c.RoleClaim: "role", &c.AgentClaim: "sub"} {
		if *field == "" {
			*field = value
		}
	}
	return c
}

func (a *Auth) newIssuer(where string, c config.Issuer) (*issuer, error) {
	wrong := errors.Join(checkIssuerURL(where, c.URL), checkCenters(where, c.ContactCenters))
	if c.Audience == "" {
		wrong = errors.Join(wrong, fmt.Errorf("%s: audience: missing", where))
	}
	i := &issuer{config: c}
	for _, name := range c.Algorithms {
		algorithm := jose.SignatureAlgorithm(name)
		if !slices.Contains(signatures, algorithm) {
			wrong = errors.Join(wrong, fmt.Errorf("%s: algorithms: %q is not accepted; use some of %v", where, name, signatures))
		}
		i.algorithms = append(i.algorithms, algorithm)
	}
	client, err := a.issuerClient(c)
	if err != nil {
		wrong = errors.Join(wrong, fmt.Errorf("%s: ca: %w", where, err))
	}
	if wrong != nil {
		return nil, wrong
	}
	i.client = client
	i.context, i.end = context.WithCancel(a.context)
	return i, nil
}

// checkIssuerURL wants TLS: whoever can change the keys on their way can sign any token.
func checkIssuerURL(where, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: issuer: not a URL", where)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopbackName(u.Hostname())) {
		return fmt.Errorf("%s: issuer: must begin with https://", where)
	}
	return nil
}

// issuerClient returns a client that trusts the configured authority, bounds what it reads, and never
// leaves TLS by a redirect.
func (a *Auth) issuerClient(c config.Issuer) (*http.Client, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := a.options.Resolve(c.CA)
		if err != nil {
			return nil, err
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, fmt.Errorf("%s has no certificate", c.CA)
		}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: settings, ForceAttemptHTTP2: true,
		DialContext: (&net.Dialer{Timeout: issuerTimeout}).DialContext, TLSHandshakeTimeout: issuerTimeout,
		MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10}
	redirects := func(next *http.Request, via []*http.Request) error {
		if len(via) > 3 || (via[0].URL.Scheme == "https" && next.URL.Scheme != "https") {
			return errors.New("redirected too often, or away from https")
		}
		return nil
	}
	return &http.Client{Timeout: issuerTimeout, Transport: bounded{transport}, CheckRedirect: redirects}, nil
}

// bounded bounds the bodies of answers.
type bounded struct{ transport *http.Transport }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxDocument), response.Body}
	return response, nil
}

// CloseIdleConnections lets http.Client close them.
func (b bounded) CloseIdleConnections() { b.transport.CloseIdleConnections() }

// discover asks an issuer in the background until it answers.
func (a *Auth) discover(i *issuer) {
	if i.started.Swap(true) {
		return
	}
	a.running.Go(func() {
		<-i.context.Done()
		i.client.CloseIdleConnections()
	})
	a.running.Go(func() {
		wait := firstDiscovery
		for i.context.Err() == nil {
			err := a.ask(i)
			if err == nil {
				return
			}
			a.options.Log.Warn("An issuer of tokens does not answer; its tokens are refused until it does",
				"issuer", i.config.Name, "error", short(err), "retry_in", wait)
			select {
			case <-i.context.Done():
			case <-time.After(wait):
			}
			wait = min(2*wait, lastDiscovery)
		}
	})
}

// ask reads the issuer's discovery document and its keys.
func (a *Auth) ask(i *issuer) error {
	provider, err := oidc.NewProvider(oidc.ClientContext(i.context, i.client), i.config.URL)
	if err != nil {
		return err
	}
	var found struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&found); err != nil {
		return err
	}
	if err := checkIssuerURL("jwks_uri", found.Keys); err != nil {
		return err
	}
	keys := &keySet{issuer: i, url: found.Keys, now: a.options.Now, every: a.options.Refresh, log: a.options.Log, running: &a.running}
	if err := keys.fetch(); err != nil {
		return err
	}
	// The expiry is checked by us: go-oidc has no leeway for exp, and five minutes for nbf.
	i.verifier.Store(oidc.NewVerifier(i.config.URL, keys, &oidc.Config{ClientID: i.config.Audience,
		SupportedSigningAlgs: i.config.Algorithms, SkipExpiryCheck: true, Now: a.options.Now}))
	return nil
}

// short bounds the text of an error, which may have the body of an answer.
func short(err error) string {
	text := err.Error()
	return text[:min(len(text), 200)]
}
