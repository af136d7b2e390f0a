package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkclient "go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"segue/bus"
	"segue/client"
	"segue/config"
	"segue/gateway"
	"segue/metrics/metricstest"
)

const guarded = `
gateway:
  auth:
    api_keys:
      - {name: switch, sha256: 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683, role: platform, contact_centers: [default], rate: 5}
  cors: ["https://app.example.com"]
`

// whole is a gateway with all of its parts, whose Temporal does not answer.
type whole struct {
	t     *testing.T
	url   string
	http  *http.Client
	probe *metricstest.Probe
	log   *lines
	stop  context.CancelFunc
	ended chan error
}

func startWhole(t *testing.T, text string) *whole {
	t.Helper()
	w := &whole{t: t, http: &http.Client{Transport: &http.Transport{}}, probe: metricstest.New(t), log: &lines{}, ended: make(chan error, 1)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	options, carrier := optionsOf(t, text, listener, w.log)
	options.Metrics = w.probe.Exporter
	g, err := gateway.New(options)
	require.NoError(t, err)
	w.url = gateway.URL(options.Config.Current().Gateway, listener)
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	go func() { w.ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		w.http.CloseIdleConnections()
		cancel()
		require.NoError(t, <-w.ended)
		carrier.Close()
		options.Client.Temporal.Close()
	})
	return w
}

func optionsOf(t *testing.T, text string, listener net.Listener, log io.Writer) (gateway.Options, *gateway.Bus) {
	t.Helper()
	set, err := config.Parse("f.yaml", []byte(text))
	require.NoError(t, err)
	logger := slog.New(slog.NewJSONHandler(log, nil))
	carrier, err := gateway.OpenBus(set.Bus, true, logger)
	require.NoError(t, err)
	temporal, err := sdkclient.NewLazyClient(sdkclient.Options{HostPort: "127.0.0.1:1", Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	return gateway.Options{Config: config.NewStore(set), Client: &client.Client{Temporal: temporal, TaskQueue: "segue"}, Namespace: "default",
		Bus: carrier.Conn, Listener: listener, Log: logger}, carrier
}

// send sends a request with headers and returns the answer and its body.
func (w *whole) send(method, path string, headers ...string) (*http.Response, string) {
	w.t.Helper()
	request, err := http.NewRequest(method, w.url+path, nil)
	require.NoError(w.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.http.Do(request)
	require.NoError(w.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	return response, string(body)
}

func TestAGatewayWithoutTemporalLivesAndIsNotReady(t *testing.T) {
	w := startWhole(t, guarded)
	response, _ := w.send("GET", "/livez")
	require.Equal(t, 200, response.StatusCode)
	response, text := w.send("GET", "/readyz")
	require.Equal(t, 503, response.StatusCode)
	require.NotEmpty(t, response.Header.Get("Segue-Request-Id"))
	require.NotContains(t, text, "127.0.0.1:1")
	for _, path := range []string{"/", "/nothing", "/livez/x", "/api/v3", "/v1", "//v1/interactions", "/v1//interactions", "/livez/../v1/x", "/v1/.", "//"} {
		response, text = w.send("GET", path)
		require.Equal(t, 404, response.StatusCode, path)
		require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"))
		require.Contains(t, text, `"urn:segue:not-found"`)
	}
	response, text = w.send("GET", "/v1/openapi.json")
	require.Equal(t, 200, response.StatusCode)
	require.True(t, json.Valid([]byte(text)))
}

func TestOnlyGoodCredentialsGetIn(t *testing.T) {
	w := startWhole(t, guarded)
	response, text := w.send("GET", "/v1/nothing")
	require.Equal(t, 401, response.StatusCode)
	require.Contains(t, text, "urn:segue:unauthenticated")
	require.Empty(t, response.Header.Get("Idempotency-Key"))
	response, _ = w.send("GET", "/v1/nothing", "X-API-Key", "wrong")
	require.Equal(t, 401, response.StatusCode)
	response, _ = w.send("GET", "/v1/nothing", "X-API-Key", "key")
	require.Equal(t, 404, response.StatusCode, "in, and nothing is there")
	require.Eventually(t, func() bool { return strings.Contains(w.log.String(), `"caller":"key:switch"`) }, time.Minute, time.Millisecond)
	require.NotContains(t, w.log.String(), `"X-API-Key"`)
	require.NotContains(t, w.log.String(), "nothing")
	refused := 0.0
	for _, count := range w.probe.Values("segue_gateway_refusals_total") {
		refused += count
	}
	require.Equal(t, 2.0, refused)
}

// A client that was refused before its command was read repeats it with the same key, as after a 503.
func TestEveryAnswerToACommandHasItsKey(t *testing.T) {
	w := startWhole(t, guarded)
	for _, path := range []string{"/v1/interactions", "/v1/interactions/c1/commands", "/v1/interactions/c1/commands/hold", "/v1/interactions/c1/commands/nothing"} {
		response, _ := w.send("POST", path, "X-API-Key", "wrong", "Idempotency-Key", "k-1")
		require.Equal(t, 401, response.StatusCode, path)
		require.Equal(t, []string{"k-1"}, response.Header.Values("Idempotency-Key"), path)
		response, _ = w.send("POST", path)
		require.Len(t, response.Header.Values("Idempotency-Key"), 1, path)
	}
	limited := false
	for range 10 {
		response, _ := w.send("POST", "/v1/interactions/no%20id/commands/hold", "X-API-Key", "key", "Idempotency-Key", "k-2")
		limited = limited || response.StatusCode == 429
		require.Equal(t, []string{"k-2"}, response.Header.Values("Idempotency-Key"), response.StatusCode)
	}
	require.True(t, limited, "5 a second")
}

func TestARateIsLimited(t *testing.T) {
	w := startWhole(t, guarded)
	limited := false
	for range 10 {
		response, text := w.send("GET", "/v1/nothing", "X-API-Key", "key")
		if response.StatusCode == 429 {
			limited = true
			require.Contains(t, text, "urn:segue:rate-limited")
			require.NotEmpty(t, response.Header.Get("Retry-After"))
		}
	}
	require.True(t, limited, "5 a second")
}

func TestPagesOfConfiguredOriginsMayAsk(t *testing.T) {
	w := startWhole(t, guarded)
	response, _ := w.send("OPTIONS", "/v1/interactions", "Origin", "https://app.example.com", "Access-Control-Request-Method", "POST")
	require.Equal(t, "https://app.example.com", response.Header.Get("Access-Control-Allow-Origin"))
	response, _ = w.send("OPTIONS", "/v1/interactions", "Origin", "https://evil.example.com", "Access-Control-Request-Method", "POST")
	require.Empty(t, response.Header.Get("Access-Control-Allow-Origin"))
}

// The listener is what counts, wherever it comes from.
func TestAnOpenGatewayDoesNotStart(t *testing.T) {
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	require.NoError(t, err)
	defer listener.Close()
	options, carrier := optionsOf(t, "", listener, io.Discard)
	defer carrier.Close()
	defer options.Client.Temporal.Close()
	_, err = gateway.New(options)
	require.ErrorContains(t, err, "gateway.auth: has no credential, and gateway.address is beyond loopback")
	require.ErrorContains(t, err, "restart with gateway.address 127.0.0.1:8080")
}

func TestTheBusOfTheProcessCanListen(t *testing.T) {
	b, err := gateway.OpenBus(config.Bus{Listen: "127.0.0.1:0", MaxBytes: 8 << 20}, false, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer b.Close()
	worker, err := bus.Connect(bus.Options{URL: b.Server.URL()})
	require.NoError(t, err)
	defer worker.Close()
	require.Eventually(t, func() bool { return worker.Connected() && b.Conn.Connected() }, time.Minute, time.Millisecond)
}

func TestASecretOfTheBusThatIsMissingIsNamed(t *testing.T) {
	_, err := gateway.OpenBus(config.Bus{URL: "nats://127.0.0.1:1", Token: "env:NO_SUCH_TOKEN"}, false, slog.New(slog.DiscardHandler))
	require.EqualError(t, err, "bus.token: secret env:NO_SUCH_TOKEN is not set")
}

func TestReloadedSessionKeysSealCursors(t *testing.T) {
	t.Setenv("SESSION_OLD", strings.Repeat("o", 64))
	t.Setenv("SESSION_NEW", strings.Repeat("n", 64))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	options, carrier := optionsOf(t, "gateway: {session_keys: [env:SESSION_OLD]}", listener, io.Discard)
	defer carrier.Close()
	defer options.Client.Temporal.Close()
	for text, want := range map[string]string{"env:SESSION_NEW, env:SESSION_OLD": "no", "env:NONE": "o", "": ""} {
		next, err := config.Parse("f.yaml", []byte("gateway: {session_keys: ["+text+"]}"))
		require.NoError(t, err)
		before, after, err := gateway.CursorKeysAfter(options, next)
		require.Equal(t, text == "env:NONE", err != nil, err)
		require.Len(t, before, 1)
		begins := ""
		for _, key := range after {
			begins += string(key[:1])
		}
		require.Equal(t, want, begins)
	}
}
