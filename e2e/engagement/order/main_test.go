package order_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"segue/bus"
	"segue/config"
	"segue/embedded"
	"segue/gateway"
	"segue/worker/local"
)

const (
	patience  = 90 * time.Second
	pollEvery = 20 * time.Millisecond
)

// gateways are the URLs of two replicas.
var gateways []string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "order:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	server := httptest.NewServer(&backend)
	defer server.Close()
	carrier, err := gateway.OpenBus(config.Bus{MaxBytes: 64 << 20}, true, quiet)
	if err != nil {
		return 1, err
	}
	defer carrier.Close()
	publisher := bus.NewPublisher(carrier.Conn)
	segue, err := local.Start(ctx, local.Options{Server: embedded.Options{UIPort: embedded.NoUI, Progress: func(string) {}}, Log: quiet, Notices: publisher})
	if err != nil {
		return 1, err
	}
	defer func() {
		err = cmp.Or(err, segue.Stop())
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err = cmp.Or(err, publisher.Close(closing))
	}()
	// The callbacks are those that engagement.backend adds, with a timeout and a schedule for a machine that is slow.
	set, err := config.Parse("segue.yaml", fmt.Appendf(nil, `
calls:
  - {name: engage, method: POST, url: "%[1]s/backend/data/gateway/engage", json: {ixnProfile: "${event.ixnProfile}"}, success: [200], order: skip,
     timeout: 2m, retry: {schedule: [%[2]s]}}
  - {name: noengage, method: POST, url: "%[1]s/backend/data/gateway/noengage", json: {cancelData: "${event.cancelData}"}, success: [200], order: skip,
     timeout: 2m, retry: {schedule: [%[2]s]}}
engagement: {backend: %[1]q}
gateway: {engagement: {open_visits: true}}
timeouts: {default: {engagement: 0s, offer: 0s, queue: 0s, wrap_up: 0s, late_events: 0s}}
`, server.URL, strings.TrimSuffix(strings.Repeat("3s, ", 30), ", ")))
	if err != nil {
		return 1, err
	}
	store := config.NewStore(set)
	for range 2 {
		if _, err := segue.StartWorker(local.WorkerOptions{Config: store, Allow: []string{"127.0.0.0/8"}, Bus: carrier.Conn}); err != nil {
			return 1, err
		}
		at, stop, err := serve(gateway.Options{Config: store, Log: quiet, Client: segue.Client, Namespace: segue.Settings.Namespace, Bus: carrier.Conn})
		if err != nil {
			return 1, err
		}
		defer func() { err = cmp.Or(err, stop()) }()
		gateways = append(gateways, at)
	}
	code = m.Run()
	http.DefaultClient.CloseIdleConnections()
	return code, nil
}

// serve starts a gateway on a free port, and waits until it is ready.
func serve(options gateway.Options) (at string, stop func() error, err error) {
	if options.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return "", nil, err
	}
	g, err := gateway.New(options)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	stop = func() error {
		cancel()
		return <-ended
	}
	for begun := time.Now(); !g.Health().Ready; time.Sleep(pollEvery) {
		if time.Since(begun) > patience {
			return "", nil, fmt.Errorf("the gateway is not ready: %+v: %w", g.Health(), stop())
		}
	}
	return gateway.URL(options.Config.Current().Gateway, options.Listener), stop, nil
}
