package engagement_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/config"
	"segue/embedded"
	"segue/gateway"
	"segue/worker/local"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

var (
	url, site string
	// startWorker starts a worker, and worker is the one that runs.
	startWorker func() (*local.Worker, error)
	worker      *local.Worker
	// startGateway starts a gateway, and returns its URL.
	startGateway func() (url string, stop func() error, err error)
	received     callbacks
)

// refusal is in the profiles that the backend refuses, once refuse is closed.
const refusal = `"refuse":true`

var refuse = make(chan struct{})

// callbacks are the requests that the backend has got, and how it answered.
type callbacks struct {
	mu  sync.Mutex
	all []string
}

// of returns those that have a text.
func (c *callbacks) of(text string) (found []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.all {
		if strings.Contains(one, text) {
			found = append(found, one)
		}
	}
	return found
}

// ServeHTTP records a callback and lets the gateway itself answer, unless the profile is to be refused.
func (c *callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	status, answer := http.StatusBadRequest, []byte(`{"status":"FAULT","code":"illegal-command","message":"the visitor has left"}`)
	if strings.Contains(string(body), refusal) {
		<-refuse
	} else {
		status, answer = send(r.Context(), r.Method, url+r.URL.Path, string(body))
	}
	c.mu.Lock()
	c.all = append(c.all, fmt.Sprint(r.URL.Path, " ", status, " ", string(body)))
	c.mu.Unlock()
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

func send(ctx context.Context, method, to, body string) (int, []byte) {
	r, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader([]byte(body)))
	if err != nil {
		panic(err)
	}
	if strings.Contains(to, "/v1/") { // a strategy sends none
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return http.StatusBadGateway, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return http.StatusBadGateway, nil
	}
	return response.StatusCode, text
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	backend := httptest.NewServer(&received)
	defer backend.Close()
	if err := os.Setenv("ENGAGEMENT_TEST_KEY", strings.Repeat("k", 40)); err != nil {
		return 1, err
	}
	pages := httptest.NewServer(http.FileServer(http.Dir("../../examples/engagement")))
	defer pages.Close()
	site = pages.URL
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
	set, err := config.Parse("segue.yaml", fmt.Appendf(nil, `
engagement: {backend: %q, queue: web}
gateway: {session_keys: [env:ENGAGEMENT_TEST_KEY], engagement: {open_visits: true, origins: [%q]}}
timeouts:
  default: {engagement: 1h, offer: 0s, queue: 0s, wrap_up: 0s, late_events: 0s}
  channels: {sms: {engagement: 3s}}
`, backend.URL, site))
	if err != nil {
		return 1, err
	}
	store := config.NewStore(set)
	startWorker = func() (*local.Worker, error) {
		return segue.StartWorker(local.WorkerOptions{Config: store, Allow: []string{"127.0.0.0/8"}, Bus: carrier.Conn})
	}
	if worker, err = startWorker(); err != nil {
		return 1, err
	}
	startGateway = func() (string, func() error, error) {
		return serve(gateway.Options{Config: store, Log: quiet, Client: segue.Client, Namespace: segue.Settings.Namespace, Bus: carrier.Conn})
	}
	var stop func() error
	if url, stop, err = startGateway(); err != nil {
		return 1, err
	}
	code = m.Run()
	http.DefaultClient.CloseIdleConnections()
	return code, stop()
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

// post sends a request to the gateway.
func post(t *testing.T, path, body string) (int, map[string]any) {
	t.Helper()
	status, text := send(t.Context(), http.MethodPost, url+path, body)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields), "%s", text)
	return status, fields
}

// state returns the state of an interaction.
func state(t *testing.T, id string) map[string]any {
	t.Helper()
	status, text := send(t.Context(), http.MethodGet, url+"/v1/interactions/"+id, "")
	require.Equal(t, 200, status, "%s", text)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	delete(fields, "undelivered") // it changes whenever the backend answers
	return fields
}
