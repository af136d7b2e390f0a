package desktop_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"segue/bus"
	"segue/config"
	"segue/e2e/bayeux/clients"
	"segue/embedded"
	"segue/gateway"
	"segue/worker/local"
)

const (
	patience  = 30 * time.Second
	pollEvery = 20 * time.Millisecond
)

// The Segue of all tests, and the URLs of its two gateways. Tests have agents and interactions of their own.
var (
	segue    *local.Segue
	carrier  *gateway.Bus
	file     string // the configuration
	replicas [2]string
)

const (
	passwordName = "SEGUE_TESTS_PASSWORD"
	password     = "a password of the tests, which seals sessions too"
	platformKey  = "a-key-of-the-tests"
	agentLimit   = 100
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err = errors.Join(err, clients.Remove()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	quiet := slog.New(slog.DiscardHandler)
	if carrier, err = gateway.OpenBus(config.Bus{MaxBytes: 64 << 20}, true, quiet); err != nil {
		return 1, err
	}
	defer carrier.Close()
	publisher := bus.NewPublisher(carrier.Conn)
	segue, err = local.Start(context.Background(), local.Options{
		Server: embedded.Options{UIPort: embedded.NoUI, Progress: func(string) {}}, Log: quiet, Notices: publisher,
	})
	if err != nil {
		return 1, err
	}
	defer func() {
		err = cmp.Or(err, segue.Stop())
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err = cmp.Or(err, publisher.Close(closing))
	}()
	directory, err := os.MkdirTemp("", "desktop")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(directory)
	file = filepath.Join(directory, "segue.yaml")
	if err := errors.Join(os.Setenv(passwordName, password), os.WriteFile(file, []byte(configuration()), 0o600)); err != nil {
		return 1, err
	}
	store, err := config.Open(file)
	if err != nil {
		return 1, err
	}
	if _, err := segue.StartWorker(local.WorkerOptions{Config: store}); err != nil {
		return 1, err
	}
	for i := range replicas {
		r, err := serve("127.0.0.1:0")
		if err != nil {
			return 1, err
		}
		defer func() { err = cmp.Or(err, r.stop()) }()
		replicas[i] = r.url
	}
	return m.Run(), nil
}

// configuration has the platform and as many agents as the tests need.
func configuration() string {
	var text strings.Builder
	sum := sha256.Sum256([]byte(platformKey))
	fmt.Fprintf(&text, `
timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 1h}}
gateway:
  session_keys: [env:%[2]s]
  gws: {csrf: required}
  auth:
    api_keys: [{name: switch, sha256: %[1]s, role: platform, contact_centers: [acme], rate: 100000}]
    users:
`, hex.EncodeToString(sum[:]), passwordName)
	for n := range agentLimit {
		fmt.Fprintf(&text, "      - {name: %[1]s, password: env:%[2]s, role: agent, agent: %[1]s, contact_centers: [acme]}\n", agentName(n), passwordName)
	}
	return text.String()
}

func agentName(n int) string { return fmt.Sprintf("agent-%d", n) }

// replica is a running gateway.
type replica struct {
	url, address string
	stop         func() error
}

// serve starts a gateway on an address, and waits until it is ready.
func serve(address string) (*replica, error) {
	store, err := config.Open(file)
	if err != nil {
		return nil, err
	}
	conn, err := bus.Connect(bus.Options{Server: carrier.Server, Creates: true, MaxBytes: 64 << 20})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		conn.Close()
		return nil, err
	}
	g, err := gateway.New(gateway.Options{
		Config: store, Log: slog.New(slog.DiscardHandler), Listener: listener, Client: segue.Client,
		Namespace: segue.Settings.Namespace, Bus: conn,
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	r := &replica{url: gateway.URL(store.Current().Gateway, listener), address: listener.Addr().String(), stop: func() error {
		cancel()
		defer conn.Close()
		return <-ended
	}}
	for begun := time.Now(); !g.Health().Ready || len(g.Health().Degraded) > 0; time.Sleep(pollEvery) {
		if time.Since(begun) > patience {
			return nil, fmt.Errorf("the gateway is not ready: %+v: %w", g.Health(), r.stop())
		}
	}
	return r, nil
}
