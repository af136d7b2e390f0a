package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"segue/config"
)

// certificateEvery is how often the files of the certificate are compared with the one in use.
const certificateEvery = 10 * time.Second

// certificate is the server's certificate, which changes when its files do.
type certificate struct {
	from    config.GatewayTLS
	current atomic.Pointer[tls.Certificate]
	read    string // what the current one was read from
	failed  string // the last error, logged once
}

func loadCertificate(from config.GatewayTLS) (*certificate, error) {
	c := &certificate{from: from}
	_, err := c.reload()
	return c, err
}

// config returns the configuration of a server with this certificate.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// reload reads the files, and reports whether they have another certificate than before. One that
// cannot be used changes nothing.
func (c *certificate) reload() (changed bool, err error) {
	chain, err := c.from.Certificate.Resolve()
	if err != nil {
		return false, fmt.Errorf("gateway.tls.certificate: %w", err)
	}
	key, err := c.from.Key.Resolve()
	if err != nil {
		return false, fmt.Errorf("gateway.tls.key: %w", err)
	}
	if c.read == chain+key {
		return false, nil
	}
	pair, err := tls.X509KeyPair([]byte(chain), []byte(key))
	if err != nil {
		return false, fmt.Errorf("gateway.tls: the certificate and the key cannot be used together: %w", err)
	}
	c.current.Store(&pair)
	c.read = chain + key
	return true, nil
}

// follow reads the files again and again until the context ends. A rotation that has replaced one
// of them only is a failure until the other follows.
func (c *certificate) follow(ctx context.Context, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch changed, err := c.reload(); {
		case err != nil && err.Error() != c.failed:
			c.failed = err.Error()
			log.Warn("the certificate cannot be read again, the current one stays active", "error", err)
		case err == nil:
			c.failed = ""
			if changed {
				log.Info("the certificate has changed", "valid_until", c.current.Load().Leaf.NotAfter)
			}
		}
	}
}
