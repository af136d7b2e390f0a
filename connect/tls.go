package connect

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// Config returns the configuration of a client's connection. It reports an error if a reference cannot
// be read.
func (t TLS) Config() (*tls.Config, error) { return t.config() }

func (t TLS) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := resolve(t.CA)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authorities: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, fmt.Errorf("%s contains no PEM certificate", t.CA)
		}
	}
	if t.Cert == "" && t.Key == "" {
		return config, nil
	}
	load := func() (*tls.Certificate, error) {
		certificate, err := resolve(t.Cert)
		if err != nil {
			return nil, fmt.Errorf("load the client certificate: %w", err)
		}
		key, err := resolve(t.Key)
		if err != nil {
			return nil, fmt.Errorf("load the client certificate's key: %w", err)
		}
		pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
		if err != nil {
			return nil, fmt.Errorf("load the client certificate: %w", err)
		}
		return &pair, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	return config, nil
}
