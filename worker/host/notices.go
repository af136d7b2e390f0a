package host

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"segue/bus"
	"segue/config"
	"segue/connect"
	"segue/delivery"
)

// noticesTimeout bounds how long a worker that has stopped publishes what waits.
const noticesTimeout = 5 * time.Second

// Notices publish the changes that a worker's interactions make on the bus.
type Notices struct {
	*bus.Publisher
	conn *bus.Conn
	log  *slog.Logger
}

// OpenNotices returns the publisher of a worker with this configuration; nil if the bus is off:
// without bus.url and bus.listen. It connects in the background: no worker waits for the bus.
func OpenNotices(set config.Bus, log *slog.Logger) (*Notices, error) {
	if set.URL == "" && set.Listen == "" {
		return nil, nil
	}
	options, err := busOptions(set, log)
	if err != nil {
		return nil, err
	}
	conn, err := bus.Connect(options)
	if err != nil {
		return nil, err
	}
	return &Notices{Publisher: bus.NewPublisher(conn), conn: conn, log: log}, nil
}

// Bus returns the connection, for what else the worker publishes; nil without a bus.
func (n *Notices) Bus() *bus.Conn {
	if n == nil {
		return nil
	}
	return n.conn
}

// Close publishes what waits, for a few seconds, and closes the connection. Call it when the worker
// has stopped.
func (n *Notices) Close() {
	if n == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), noticesTimeout)
	defer cancel()
	if err := n.Publisher.Close(ctx); err != nil {
		n.log.Warn("live notices were not published: gateways find the changes when they query", "error", err)
	}
	n.conn.Close()
}

func busOptions(set config.Bus, log *slog.Logger) (options bus.Options, err error) {
	options = bus.Options{URL: set.URL, User: set.User, MaxBytes: set.MaxBytes, Name: processName(), Log: log}
	if options.Password, err = resolved("bus.password", set.Password); err != nil {
		return options, err
	}
	if options.Token, err = resolved("bus.token", set.Token); err != nil {
		return options, err
	}
	if set.CA == "" && set.Certificate == "" && set.URL != "" {
		return options, nil // a URL with tls:// trusts the system's authorities
	}
	trust := connect.TLS{CA: string(set.CA), Cert: string(set.Certificate), Key: string(set.Key)}
	if set.URL == "" {
		options.URL = "nats://" + set.Listen
		if set.Certificate == "" {
			return options, nil
		}
		trust.Cert, trust.Key = "", "" // they are the server's
	}
	if options.TLS, err = trust.Config(); err != nil {
		return options, fmt.Errorf("bus.tls: %w", err)
	}
	return options, nil
}

func resolved(path string, ref delivery.SecretRef) (string, error) {
	if ref == "" {
		return "", nil
	}
	value, err := ref.Resolve()
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return value, nil
}

func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("segue-worker %s %d", host, os.Getpid())
}
