package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/metrics"
	"segue/metrics/metricstest"
	"segue/reload"
	"segue/worker/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// process is the configuration of a process and what depends on it.
type process struct {
	t      *testing.T
	file   string
	store  *config.Store
	sender *delivery.Sender
	probe  *metricstest.Probe
	level  *slog.LevelVar
	log    *lines
	*reload.Reloader
}

// lines are the logged lines.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// of returns the logged lines with that message.
func (l *lines) of(t *testing.T, message string) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(l.text.String()) {
		var entry map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &entry))
		if entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}

func newProcess(t *testing.T, text string) *process {
	t.Helper()
	p := &process{t: t, file: filepath.Join(t.TempDir(), "segue.yaml"), probe: metricstest.New(t), log: &lines{}}
	p.write(text)
	var err error
	p.store, err = config.Open(p.file)
	require.NoError(t, err)
	var log *slog.Logger
	log, p.level, err = host.Logger(p.log, config.Log{Level: "info", Format: "json"})
	require.NoError(t, err)
	guard, err := delivery.NewGuard(p.store.Current().Guard.Allow)
	require.NoError(t, err)
	p.sender = delivery.New(delivery.Options{Guard: guard})
	t.Cleanup(func() { require.NoError(t, p.sender.Close(context.Background())) })
	p.Reloader = host.NewReloader(host.Options{Config: p.store, Log: log, Level: p.level, Metrics: p.probe.Exporter}, p.sender)
	return p
}

func (p *process) write(text string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(p.file, []byte(text), 0o600))
}

func (p *process) reload(text string) reload.Health {
	p.t.Helper()
	p.write(text)
	p.Reload()
	return p.Status()
}

const plain = `calls:
  - {name: crm, method: POST, url: "https://crm.example.com/"}
`

func TestALoadedConfigurationIsReported(t *testing.T) {
	p := newProcess(t, plain)
	before := p.Status()
	require.Equal(t, p.store.Current().Version, before.Version)
	require.Equal(t, p.file, before.File)
	require.Nil(t, before.LastReload)

	after := p.reload(strings.Replace(plain, "POST", "PUT", 1))
	require.NotEqual(t, before.Version, after.Version)
	require.Equal(t, p.store.Current().Version, after.Version)
	require.Equal(t, metrics.Loaded, after.LastReload.Outcome)
	loaded := p.log.of(t, "configuration loaded")
	require.Len(t, loaded, 1)
	require.Equal(t, after.Version, loaded[0]["version"])
	require.Equal(t, before.Version, loaded[0]["before"])

	p.Reload()
	require.Equal(t, metrics.Unchanged, p.Status().LastReload.Outcome)
	require.Equal(t, map[string]float64{"outcome=loaded": 1, "outcome=unchanged": 1, "outcome=rejected": 0}, p.probe.Values("segue_config_reloads_total"))
}

func TestABadConfigurationIsLoggedOnce(t *testing.T) {
	p := newProcess(t, plain)
	before := p.store.Current()
	bad := strings.Replace(plain, "POST", "PUSH", 1)
	status := p.reload(bad)
	require.Same(t, before, p.store.Current())
	require.Equal(t, before.Version, status.Version, "the current configuration")
	require.Equal(t, metrics.Rejected, status.LastReload.Outcome)
	require.Len(t, status.LastReload.Errors, 1)
	mistake := status.LastReload.Errors[0]
	require.Equal(t, []any{p.file, 2, "calls[0].method", "PUSH"}, []any{mistake.File, mistake.Line, mistake.Path, mistake.Value})
	require.NotEmpty(t, mistake.Remedy)

	p.Reload()
	logged := p.log.of(t, "configuration rejected, the current one stays active")
	require.Len(t, logged, 1, "once, however often it is loaded")
	require.Equal(t, []any{p.file, 2.0, "calls[0].method", "PUSH", mistake.Remedy, before.Version},
		[]any{logged[0]["file"], logged[0]["line"], logged[0]["field"], logged[0]["value"], logged[0]["remedy"], logged[0]["version"]})
	require.Equal(t, 2.0, p.probe.Values("segue_config_reloads_total")["outcome=rejected"])

	status = p.reload(plain)
	require.Equal(t, metrics.Unchanged, status.LastReload.Outcome)
	require.Empty(t, status.LastReload.Errors)
	p.reload(bad)
	require.Len(t, p.log.of(t, "configuration rejected, the current one stays active"), 2, "it was valid in between")
}

func TestOnlyTheFirstErrorsAreLogged(t *testing.T) {
	p := newProcess(t, plain)
	status := p.reload(plain + strings.Repeat("  - {name: x}\n", 30))
	require.Greater(t, len(status.LastReload.Errors), 30)
	require.Len(t, p.log.of(t, "configuration rejected, the current one stays active"), 10)
}

func TestTheGuardIsReloaded(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	text := func(allow string) string {
		return fmt.Sprintf("calls:\n  - {name: crm, method: POST, url: %q}\nguard: {allow: [%s]}\n", receiver.URL, allow)
	}
	p := newProcess(t, text(""))
	sent := 0
	send := func() string {
		sent++
		call, _ := p.store.Current().Call("crm")
		return p.sender.Send(t.Context(), call.Policy, contract.Request{ID: fmt.Sprint(sent), Method: "POST", URL: receiver.URL}, 1).Class
	}
	require.Equal(t, "blocked", send())
	p.reload(text(`"127.0.0.0/8"`))
	require.Equal(t, "ok", send())
	require.Equal(t, "ok", send(), "over a kept connection")
	p.reload(text(`"10.0.0.0/8"`))
	require.Equal(t, "blocked", send(), "a kept connection is not used")
}

func TestMissingSecretsAreLogged(t *testing.T) {
	p := newProcess(t, plain)
	key := filepath.Join(t.TempDir(), "key")
	status := p.reload(`calls:
  - name: crm
    method: POST
    url: "https://crm.example.com/"
    auth: {bearer: "file:` + key + `"}
`)
	require.Equal(t, metrics.Loaded, status.LastReload.Outcome, "the rest of the configuration is valid")
	require.Len(t, status.MissingSecrets, 1)
	require.Equal(t, 5, status.MissingSecrets[0].Line)
	warned := p.log.of(t, "a secret is missing; requests of the call are not sent until it exists")
	require.Len(t, warned, 1)
	require.Equal(t, []any{"calls[0].auth.bearer", 5.0}, []any{warned[0]["field"], warned[0]["line"]})

	require.NoError(t, os.WriteFile(key, []byte("hunter2"), 0o600))
	p.Recheck()
	require.Empty(t, p.Status().MissingSecrets)
	require.NotContains(t, p.log.text.String(), "hunter2")
}

func TestSettingsThatNeedARestartAreNamed(t *testing.T) {
	p := newProcess(t, plain)
	status := p.reload(plain + "temporal: {address: \"elsewhere:7233\", tls: {enabled: false}}\nlog: {level: debug, format: json}\n")
	require.Equal(t, []string{"temporal.address", "log.format"}, status.NeedsRestart)
	require.Equal(t, slog.LevelDebug, p.level.Level(), "the log level needs no restart")
	var named []any
	for _, line := range p.log.of(t, "a changed setting takes effect after a restart; restart the process") {
		named = append(named, line["setting"])
	}
	require.Equal(t, []any{"temporal.address", "log.format"}, named)

	status = p.reload(plain)
	require.Empty(t, status.NeedsRestart)
	require.Equal(t, slog.LevelInfo, p.level.Level())
}

func TestASignalReloadsTheConfiguration(t *testing.T) {
	p := newProcess(t, plain)
	ctx, cancel := context.WithCancel(context.Background())
	requested := make(chan os.Signal)
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx, requested) })
	defer running.Wait()
	defer cancel()
	requested <- syscall.SIGHUP
	require.Eventually(t, func() bool { return p.Status().LastReload != nil }, time.Minute, time.Millisecond)
	require.Equal(t, metrics.Unchanged, p.Status().LastReload.Outcome)

	p.write(strings.Replace(plain, "POST", "PUT", 1)) // without a signal
	require.Eventually(t, func() bool { return p.Status().LastReload.Outcome == metrics.Loaded }, time.Minute, time.Millisecond)
}
