package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/worker/host"
)

// answers is a Temporal with fixed answers.
type answers struct {
	missing []string
	err     error
}

func (a *answers) ask(context.Context) ([]string, error) { return a.missing, a.err }

func TestReadiness(t *testing.T) {
	p := newProcess(t, plain)
	a := &answers{}
	h := host.NewProber(p.Reloader, a.ask)
	status := h.Status()
	require.False(t, status.Ready)
	require.Equal(t, []string{"the process is starting"}, status.Reasons)

	require.Equal(t, 10*time.Second, h.Probe(t.Context()))
	status = h.Status()
	require.True(t, status.Ready)
	require.Empty(t, status.Reasons)
	require.True(t, status.Temporal.Connected)
	require.Equal(t, p.store.Current().Version, status.Configuration.Version)

	a.err = errors.New("connection refused")
	require.Equal(t, 2*time.Second, h.Probe(t.Context()), "sooner while it does not answer")
	require.Equal(t, []string{"Temporal does not answer: connection refused"}, h.Status().Reasons)

	a.err, a.missing = nil, []string{"SegueCall"}
	h.Probe(t.Context())
	require.Equal(t, []string{"namespace default lacks the search attributes SegueCall; run: segue setup --namespace default"}, h.Status().Reasons)

	a.missing = nil
	h.Probe(t.Context())
	require.True(t, h.Status().Ready)
	h.Stop()
	require.Equal(t, []string{"the process is stopping"}, h.Status().Reasons)
}

// A process with a bad configuration works with the current one.
func TestABadConfigurationLeavesTheProcessReady(t *testing.T) {
	p := newProcess(t, plain)
	h := host.NewProber(p.Reloader, (&answers{}).ask)
	h.Probe(t.Context())
	version := p.store.Current().Version
	p.reload(strings.Replace(plain, "name: crm", "nam: crm", 1))

	recorder := get(t, h, "/readyz")
	require.Equal(t, 200, recorder.Code)
	var ready struct {
		Ready         bool
		Configuration struct {
			Version    string
			LastReload struct {
				Outcome string
				Errors  []struct {
					File, Path, Value, Problem, Remedy string
					Line                               int
				}
			} `json:"last_reload"`
		}
	}
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &ready))
	require.True(t, ready.Ready)
	require.Equal(t, version, ready.Configuration.Version)
	require.Equal(t, "rejected", ready.Configuration.LastReload.Outcome)
	e := ready.Configuration.LastReload.Errors[0]
	require.Equal(t, []any{p.file, 2, "calls[0].nam", "nam", "there is no such key"}, []any{e.File, e.Line, e.Path, e.Value, e.Problem})
	require.NotEmpty(t, e.Remedy)
}

func get(t *testing.T, h *host.Prober, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	scrape := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") })
	host.Handler(scrape, h.Status).ServeHTTP(recorder, httptest.NewRequest("GET", path, nil))
	return recorder
}

func TestTheEndpointsAnswer(t *testing.T) {
	p := newProcess(t, plain)
	h := host.NewProber(p.Reloader, (&answers{}).ask)
	for path, want := range map[string]struct {
		code int
		body string
	}{
		"/livez": {200, "ok\n"}, "/metrics": {200, "metrics"}, "/readyz": {503, ""}, "/": {404, ""}, "/debug/pprof/": {404, ""},
	} {
		recorder := get(t, h, path)
		require.Equal(t, want.code, recorder.Code, path)
		require.Contains(t, recorder.Body.String(), want.body, path)
	}
	recorder := httptest.NewRecorder()
	host.Handler(http.NotFoundHandler(), h.Status).ServeHTTP(recorder, httptest.NewRequest("POST", "/readyz", nil))
	require.Equal(t, 405, recorder.Code)
}

func TestListenTakesAFreePortOnlyForTheDefaultAddress(t *testing.T) {
	none, err := host.Listen("")
	require.NoError(t, err)
	require.Nil(t, none)

	first, err := host.Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer first.Close()
	_, err = host.Listen(first.Addr().String())
	require.ErrorContains(t, err, "metrics.address: listen tcp "+first.Addr().String()+": bind: address already in use; choose another")

	standard, err := host.Listen(config.MetricsAddress) // whether or not it is in use on this machine
	require.NoError(t, err)
	defer standard.Close()
	another, err := host.Listen(config.MetricsAddress)
	require.NoError(t, err, "a second process of this machine works, too")
	defer another.Close()
	require.NotEqual(t, standard.Addr().String(), another.Addr().String())
	require.True(t, another.Addr().(*net.TCPAddr).IP.IsLoopback())
}

func TestServingEndsWithItsContext(t *testing.T) {
	listener, err := host.Listen("127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		host.Serve(ctx, listener, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	})
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://" + listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 404, response.StatusCode)
	cancel()
	serving.Wait()
	_, err = client.Get("http://" + listener.Addr().String())
	require.Error(t, err)
}
