package gateway_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/gateway"
	"segue/gateway/index"
	"segue/metrics"
)

// process is the health of a gateway with its configuration file.
type process struct {
	*gateway.Prober
	t       *testing.T
	file    string
	store   *config.Store
	log     *lines
	index   index.Health
	missing []string
	err     error
	applied []*config.Set
	refuses error
}

func newProcess(t *testing.T, text string) *process {
	t.Helper()
	p := &process{t: t, file: filepath.Join(t.TempDir(), "segue.yaml"), log: &lines{}, index: index.Health{Complete: true, Open: 4}}
	p.write(text)
	var err error
	p.store, err = config.Open(p.file)
	require.NoError(t, err)
	update := func(next *config.Set) error {
		p.applied = append(p.applied, next)
		return p.refuses
	}
	p.Prober = gateway.NewProber(p.store, update, slog.New(slog.NewTextHandler(p.log, nil)),
		func(context.Context) ([]string, error) { return p.missing, p.err }, func() index.Health { return p.index })
	return p
}

func (p *process) write(text string) { require.NoError(p.t, os.WriteFile(p.file, []byte(text), 0o600)) }

func (p *process) public() *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	p.Public().ServeHTTP(recorder, httptest.NewRequest("GET", "/readyz", nil))
	return recorder
}

func TestReadiness(t *testing.T) {
	p := newProcess(t, "")
	require.Equal(t, []string{"the process is starting"}, p.Status().Reasons)
	require.Equal(t, 503, p.public().Code)
	require.Equal(t, 10*time.Second, p.Probe(t.Context()))
	require.True(t, p.Status().Ready)
	require.Equal(t, 200, p.public().Code)
	require.Equal(t, 4, p.Status().Index.Open)

	p.err = errors.New("dial tcp 10.1.2.3:7233: connection refused")
	require.Equal(t, 2*time.Second, p.Probe(t.Context()), "sooner while it does not answer")
	require.True(t, p.Status().Ready, "lists and streams work without Temporal")
	require.Equal(t, []string{"Temporal does not answer"}, p.Status().Degraded)
	require.Equal(t, 200, p.public().Code)
	complete := p.index
	p.index = index.Health{}
	require.Equal(t, []string{"the index of open interactions is not complete", "Temporal does not answer"}, p.Status().Reasons)
	require.Equal(t, 503, p.public().Code)
	p.index = complete
	require.Contains(t, p.Status().Temporal.Error, "10.1.2.3")
	require.NotContains(t, p.public().Body.String(), "10.1.2.3", "anybody may ask the gateway's own address")

	p.err, p.missing = nil, []string{"SegueCall"}
	p.Probe(t.Context())
	require.Equal(t, []string{"namespace default lacks the search attributes SegueCall; run: segue setup --namespace default"}, p.Status().Reasons)
	p.missing = nil
	p.Probe(t.Context())

	p.index = index.Health{Reasons: []string{"open interactions are being listed"}}
	require.Equal(t, []string{"the index of open interactions is not complete", "open interactions are being listed"}, p.Status().Reasons)
	require.False(t, p.Status().Ready)
	p.index = index.Health{Complete: true, Reasons: []string{"3 open interactions do not answer"}}
	require.True(t, p.Status().Ready, "lists and streams work without a worker")
	require.Equal(t, []string{"3 open interactions do not answer"}, p.Status().Degraded)
	p.index = index.Health{Complete: true, Reasons: []string{"the bus cannot be reached"}}
	require.True(t, p.Status().Ready, "lists and commands work without the bus")
	require.Equal(t, []string{"the bus cannot be reached"}, p.Status().Degraded)
	require.JSONEq(t, `{"ready": true, "degraded": ["the bus cannot be reached"]}`, p.public().Body.String())

	p.Stop()
	require.Equal(t, []string{"the process is stopping"}, p.Status().Reasons)
	require.Equal(t, 503, p.public().Code)
}

func TestOnlyReadsOfTheHealthAreAnswered(t *testing.T) {
	recorder := httptest.NewRecorder()
	newProcess(t, "").Public().ServeHTTP(recorder, httptest.NewRequest("POST", "/readyz", nil))
	require.Equal(t, 405, recorder.Code)
	require.Equal(t, "GET, HEAD", recorder.Header().Get("Allow"))
}

func TestARejectedConfigurationLeavesTheGatewayReady(t *testing.T) {
	p := newProcess(t, "board: {window: 1h}")
	p.Probe(t.Context())
	before := p.store.Current()
	p.write("board: {windows: 2h}")
	p.Reload()
	p.Reload()
	require.Same(t, before, p.store.Current())
	require.Empty(t, p.applied)
	status := p.Status()
	require.True(t, status.Ready)
	require.Equal(t, []string{"the configuration file was rejected, the one before stays active"}, status.Degraded)
	require.Equal(t, metrics.Rejected, status.Configuration.LastReload.Outcome)
	require.Equal(t, "board.windows", status.Configuration.LastReload.Errors[0].Path)
	require.Equal(t, 1, strings.Count(p.log.String(), "configuration rejected"), "logged once, however often it is read")

	p.write("board: {window: 2h}")
	p.Reload()
	require.Equal(t, []*config.Set{p.store.Current()}, p.applied)
	require.Empty(t, p.Status().Degraded)
}

// Credentials that cannot be applied must not become current: the file and the process would differ.
func TestWhatCannotBeAppliedIsRejected(t *testing.T) {
	p := newProcess(t, "board: {window: 1h}")
	before := p.store.Current()
	p.refuses = errors.New("gateway.session_keys[0]: secret env:NONE is not set")
	p.write("board: {window: 2h}")
	p.Reload()
	require.Same(t, before, p.store.Current())
	require.Equal(t, metrics.Rejected, p.Status().Configuration.LastReload.Outcome)
	require.Contains(t, p.Status().Configuration.LastReload.Errors[0].Problem, "env:NONE")
}

func TestSettingsThatNeedARestartAreNamed(t *testing.T) {
	p := newProcess(t, "")
	p.write("gateway: {address: '127.0.0.1:9999', public_url: 'https://x.example.com'}")
	p.Reload()
	require.Equal(t, []string{"gateway.address"}, p.Status().Configuration.NeedsRestart)
	require.Contains(t, p.log.String(), "gateway.address")
}

// Next to a worker, the worker reloads.
func TestTheGatewayAdoptsWhatOthersLoad(t *testing.T) {
	p := newProcess(t, "board: {window: 1h}")
	p.Adopt()
	require.Empty(t, p.applied, "it is applied already")
	p.write("board: {window: 2h}")
	next, err := p.store.Reload(func(*config.Set) error { return nil })
	require.NoError(t, err)
	p.Adopt()
	p.Adopt()
	require.Equal(t, []*config.Set{next}, p.applied)
}
