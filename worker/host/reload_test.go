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
	"segue/worker/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a process's configuration with all that follows it.
type desk struct {
	t      *testing.T
	file   string
	store  *config.Store
	sender *delivery.Sender
	probe  *metricstest.Probe
	level  *slog.LevelVar
	log    *lines
	*host.Reloader
}

// lines are what was logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// of gives the logged lines with that message.
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

func newDesk(t *testing.T, text string) *desk {
	t.Helper()
	d := &desk{t: t, file: filepath.Join(t.TempDir(), "segue.yaml"), probe: metricstest.New(t), log: &lines{}}
	d.write(text)
	var err error
	d.store, err = config.Open(d.file)
	require.NoError(t, err)
	var log *slog.Logger
	log, d.level, err = host.Logger(d.log, config.Log{Level: "info", Format: "json"})
	require.NoError(t, err)
	guard, err := delivery.NewGuard(d.store.Current().Guard.Allow)
	require.NoError(t, err)
	d.sender = delivery.New(delivery.Options{Guard: guard})
	t.Cleanup(func() { require.NoError(t, d.sender.Close(context.Background())) })
	d.Reloader = host.NewReloader(host.Options{Config: d.store, Log: log, Level: d.level, Metrics: d.probe.Exporter}, d.sender)
	return d
}

func (d *desk) write(text string) {
	d.t.Helper()
	require.NoError(d.t, os.WriteFile(d.file, []byte(text), 0o600))
}

func (d *desk) reload(text string) host.ConfigurationHealth {
	d.t.Helper()
	d.write(text)
	d.Reload()
	return d.Status()
}

const plain = `calls:
  - {name: crm, method: POST, url: "https://crm.example.com/"}
`

func TestALoadedConfigurationIsToldOf(t *testing.T) {
	d := newDesk(t, plain)
	before := d.Status()
	require.Equal(t, d.store.Current().Version, before.Version)
	require.Equal(t, d.file, before.File)
	require.Nil(t, before.LastReload)

	after := d.reload(strings.Replace(plain, "POST", "PUT", 1))
	require.NotEqual(t, before.Version, after.Version)
	require.Equal(t, d.store.Current().Version, after.Version)
	require.Equal(t, metrics.Loaded, after.LastReload.Outcome)
	loaded := d.log.of(t, "configuration loaded")
	require.Len(t, loaded, 1)
	require.Equal(t, after.Version, loaded[0]["version"])
	require.Equal(t, before.Version, loaded[0]["before"])

	d.Reload()
	require.Equal(t, metrics.Unchanged, d.Status().LastReload.Outcome)
	require.Equal(t, map[string]float64{"outcome=loaded": 1, "outcome=unchanged": 1, "outcome=rejected": 0}, d.probe.Values("segue_config_reloads_total"))
}

func TestABadConfigurationIsToldOfOnce(t *testing.T) {
	d := newDesk(t, plain)
	before := d.store.Current()
	bad := strings.Replace(plain, "POST", "PUSH", 1)
	status := d.reload(bad)
	require.Same(t, before, d.store.Current())
	require.Equal(t, before.Version, status.Version, "what is in force")
	require.Equal(t, metrics.Rejected, status.LastReload.Outcome)
	require.Len(t, status.LastReload.Errors, 1)
	mistake := status.LastReload.Errors[0]
	require.Equal(t, []any{d.file, 2, "calls[0].method", "PUSH"}, []any{mistake.File, mistake.Line, mistake.Path, mistake.Value})
	require.NotEmpty(t, mistake.Remedy)

	d.Reload()
	said := d.log.of(t, "configuration rejected, the one before stays in force")
	require.Len(t, said, 1, "once, however often it is read")
	require.Equal(t, []any{d.file, 2.0, "calls[0].method", "PUSH", mistake.Remedy, before.Version},
		[]any{said[0]["file"], said[0]["line"], said[0]["field"], said[0]["value"], said[0]["remedy"], said[0]["version"]})
	require.Equal(t, 2.0, d.probe.Values("segue_config_reloads_total")["outcome=rejected"])

	status = d.reload(plain)
	require.Equal(t, metrics.Unchanged, status.LastReload.Outcome)
	require.Empty(t, status.LastReload.Errors)
	d.reload(bad)
	require.Len(t, d.log.of(t, "configuration rejected, the one before stays in force"), 2, "it was good in between")
}

func TestManyMistakesAreNotAllLogged(t *testing.T) {
	d := newDesk(t, plain)
	status := d.reload(plain + strings.Repeat("  - {name: x}\n", 30))
	require.Greater(t, len(status.LastReload.Errors), 30)
	require.Len(t, d.log.of(t, "configuration rejected, the one before stays in force"), 10)
}

func TestTheGuardFollows(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	text := func(allow string) string {
		return fmt.Sprintf("calls:\n  - {name: crm, method: POST, url: %q}\nguard: {allow: [%s]}\n", receiver.URL, allow)
	}
	d := newDesk(t, text(""))
	sent := 0
	send := func() string {
		sent++
		call, _ := d.store.Current().Call("crm")
		return d.sender.Send(t.Context(), call.Policy, contract.Request{ID: fmt.Sprint(sent), Method: "POST", URL: receiver.URL}, 1).Class
	}
	require.Equal(t, "blocked", send())
	d.reload(text(`"127.0.0.0/8"`))
	require.Equal(t, "ok", send())
	require.Equal(t, "ok", send(), "over a connection that is kept")
	d.reload(text(`"10.0.0.0/8"`))
	require.Equal(t, "blocked", send(), "a kept connection does not go on")
}

func TestMissingSecretsAreWarnedOf(t *testing.T) {
	d := newDesk(t, plain)
	key := filepath.Join(t.TempDir(), "key")
	status := d.reload(`calls:
  - name: crm
    method: POST
    url: "https://crm.example.com/"
    auth: {bearer: "file:` + key + `"}
`)
	require.Equal(t, metrics.Loaded, status.LastReload.Outcome, "the rest of the configuration is good")
	require.Len(t, status.MissingSecrets, 1)
	require.Equal(t, 5, status.MissingSecrets[0].Line)
	warned := d.log.of(t, "a secret is missing; the call's requests are not sent until it is there")
	require.Len(t, warned, 1)
	require.Equal(t, []any{"calls[0].auth.bearer", 5.0}, []any{warned[0]["field"], warned[0]["line"]})

	require.NoError(t, os.WriteFile(key, []byte("hunter2"), 0o600))
	d.Recheck()
	require.Empty(t, d.Status().MissingSecrets)
	require.NotContains(t, d.log.text.String(), "hunter2")
}

func TestWhatNeedsARestartIsNamed(t *testing.T) {
	d := newDesk(t, plain)
	status := d.reload(plain + "temporal: {address: \"elsewhere:7233\", tls: {enabled: false}}\nlog: {level: debug, format: json}\n")
	require.Equal(t, []string{"temporal.address", "log.format"}, status.NeedsRestart)
	require.Equal(t, slog.LevelDebug, d.level.Level(), "the log's level needs none")
	var named []any
	for _, line := range d.log.of(t, "a setting has changed that is taken at the start only; restart the process") {
		named = append(named, line["setting"])
	}
	require.Equal(t, []any{"temporal.address", "log.format"}, named)

	status = d.reload(plain)
	require.Empty(t, status.NeedsRestart)
	require.Equal(t, slog.LevelInfo, d.level.Level())
}

func TestAnOperatorAsksForAReload(t *testing.T) {
	d := newDesk(t, plain)
	ctx, cancel := context.WithCancel(context.Background())
	asked := make(chan os.Signal)
	var running sync.WaitGroup
	running.Go(func() { host.RunReloader(ctx, d.Reloader, asked) })
	defer running.Wait()
	defer cancel()
	asked <- syscall.SIGHUP
	require.Eventually(t, func() bool { return d.Status().LastReload != nil }, 10*time.Second, time.Millisecond)
	require.Equal(t, metrics.Unchanged, d.Status().LastReload.Outcome)

	d.write(strings.Replace(plain, "POST", "PUT", 1)) // and nobody asks
	require.Eventually(t, func() bool { return d.Status().LastReload.Outcome == metrics.Loaded }, 10*time.Second, time.Millisecond)
}
