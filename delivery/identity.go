package delivery

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// material is the certificates, the key and the server name of a TLS identity, as read for
// one attempt.
type material struct {
	certificate, key string // PEM; both empty: no client certificate
	ca               string // PEM; empty: the system's authorities
	serverName       string
}

// readMaterial resolves certificates. A missing one is an error: without it the request
// would be sent under another identity, or to any server.
func readMaterial(trust TLS, client *MTLSAuth) (m material, _ Class, err error) {
	m.serverName = trust.ServerName
	if trust.CA != "" {
		if m.ca, err = trust.CA.read(maxBundle); err != nil {
			return material{}, ClassTLS, fmt.Errorf("tls.ca: %w", err)
		}
	}
	if client == nil {
		return m, "", nil
	}
	if m.certificate, err = client.Certificate.resolve(); err != nil {
		return material{}, ClassAuth, fmt.Errorf("auth.mtls.certificate: %w", err)
	}
	if m.key, err = client.Key.resolve(); err != nil {
		return material{}, ClassAuth, fmt.Errorf("auth.mtls.key: %w", err)
	}
	return m, "", nil
}

func (m material) fingerprint() fingerprint {
	h := sha256.New()
	for _, part := range []string{m.certificate, m.key, m.ca, m.serverName} {
		fmt.Fprintf(h, "%d\n%s\n", len(part), part)
	}
	return fingerprint(h.Sum(nil))
}

// transport returns the identity's transport.
func (m material) transport(dialer *dialer, roots *x509.CertPool) (*ownTransport, Class, error) {
	trust, own := &tls.Config{ServerName: m.serverName, RootCAs: roots}, &ownTransport{}
	if m.ca != "" {
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM([]byte(m.ca)) {
			return nil, ClassTLS, errors.New("tls.ca contains no certificate; write the authorities into it as PEM")
		}
	}
	if m.certificate != "" {
		pair, err := tls.X509KeyPair([]byte(m.certificate), []byte(m.key))
		if err != nil {
			return nil, ClassAuth, fmt.Errorf("auth.mtls: the certificate and the key are not a matching pair in PEM: %w", err)
		}
		own.client = pair.Leaf
		// Sent to every server that asks, also if the server names other authorities: else
		// the request would be sent without a certificate.
		trust.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		// Some servers, IIS among them, ask for the certificate after they have read the
		// request's path: by a renegotiation of TLS 1.2, which HTTP/2 forbids.
		trust.Renegotiation = tls.RenegotiateOnceAsClient
		trust.NextProtos = []string{"http/1.1"}
	}
	own.renewable = newRenewable(func() *http.Transport { return newTransport(dialer, trust.Clone()) })
	return own, "", nil
}

// isValidAt reports an error if a client certificate is expired or not valid yet, before the
// receiver does: since TLS 1.3 the request is in flight when the server checks it.
func isValidAt(c *x509.Certificate, now time.Time) error {
	switch {
	case c == nil:
		return nil
	case now.After(c.NotAfter):
		return fmt.Errorf("the client certificate expired at %s", c.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(c.NotBefore):
		return fmt.Errorf("the client certificate is not valid before %s", c.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}
