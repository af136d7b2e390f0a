package gateway

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"segue/bus"
	"segue/config"
	"segue/connect"
	"segue/delivery"
)

// Bus is the bus of a process: a connection, and the server inside the process if there is one.
type Bus struct {
	Conn *bus.Conn
	// Server is nil for a bus at bus.url.
	Server *bus.Server
}

// OpenBus connects to bus.url or, without one, starts the bus inside this process. Then it listens
// on bus.listen, unless the process is alone: it serves the process itself only. The connection is
// made in the background.
func OpenBus(set config.Bus, alone bool, log *slog.Logger) (*Bus, error) {
	b := &Bus{}
	options := bus.Options{URL: set.URL, MaxBytes: set.MaxBytes, Creates: true, Name: processName(), Log: log}
	if set.URL == "" {
		server, err := embed(set, alone, log)
		if err != nil {
			return nil, err
		}
		b.Server, options.Server = server, server
	} else if err := reach(set, &options); err != nil {
		return nil, err
	}
	var err error
	if b.Conn, err = bus.Connect(options); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Close closes the connection, then the server.
func (b *Bus) Close() {
	if b.Conn != nil {
		b.Conn.Close()
	}
	if b.Server != nil {
		b.Server.Close()
	}
}

// reach sets how the bus at a URL is reached.
func reach(set config.Bus, options *bus.Options) (err error) {
	options.User = set.User
	if options.Password, err = resolved("bus.password", set.Password); err != nil {
		return err
	}
	if options.Token, err = resolved("bus.token", set.Token); err != nil {
		return err
	}
	if set.CA == "" && set.Certificate == "" {
		return nil // a URL with tls:// trusts the system's authorities
	}
	options.TLS, err = connect.TLS{CA: string(set.CA), Cert: string(set.Certificate), Key: string(set.Key)}.Config()
	if err != nil {
		return fmt.Errorf("bus.tls: %w", err)
	}
	return nil
}

// embed starts the bus inside this process.
func embed(set config.Bus, alone bool, log *slog.Logger) (*bus.Server, error) {
	options := bus.ServerOptions{MaxBytes: set.MaxBytes, Log: log}
	if alone || set.Listen == "" {
		return bus.Embed(options)
	}
	var err error
	options.Listen, options.User = set.Listen, set.User
	if options.Password, err = resolved("bus.password", set.Password); err != nil {
		return nil, err
	}
	if set.Certificate != "" {
		own, err := loadCertificate(config.GatewayTLS{Certificate: set.Certificate, Key: set.Key})
		if err != nil {
			return nil, fmt.Errorf("bus.tls: %w", errors.Unwrap(err))
		}
		options.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*own.current.Load()}}
	}
	return bus.Embed(options)
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
	return "segue-gateway " + host + " " + strconv.Itoa(os.Getpid())
}
