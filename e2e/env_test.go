package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"segue/connect"
	"segue/contract"
	"segue/workflows"
)

// reduced returns a number for CI, or with SEGUE_WHOLE=1 the whole number.
func reduced(ci, whole int) int {
	if os.Getenv("SEGUE_WHOLE") != "" {
		return whole
	}
	return ci
}

// env is the environment of one test: a client, and a task queue and a contact center named after the test.
type env struct {
	t      *testing.T
	client client.Client
	name   string
	log    bytes.Buffer
	logMu  sync.Mutex
}

func newEnv(t *testing.T) *env {
	t.Helper()
	plugin, err := workflows.NewPlugin()
	require.NoError(t, err)
	c, err := connect.Dial(t.Context(), connect.Settings{Address: temporal.Address}, slog.New(slog.DiscardHandler), plugin)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return &env{t: t, client: c, name: nameOf(t)}
}

// nameOf returns the name of a test, which its task queue and contact center get. With -count, a test runs several
// times on one server, under another name each time.
func nameOf(t *testing.T) string {
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
	if len(name) > maxName {
		sum := sha256.Sum256([]byte(name))
		name = name[:maxName-9] + "-" + hex.EncodeToString(sum[:4])
	}
	runs.Lock()
	defer runs.Unlock()
	runs.of[name]++
	if n := runs.of[name]; n > 1 {
		name += fmt.Sprintf("-%d", n)
	}
	return name
}

// maxName leaves room for the number of a run: a worker refuses a task queue with more than 64 characters.
const maxName = 58

var runs = struct {
	sync.Mutex
	of map[string]int
}{of: map[string]int{}}

// startWorker runs the worker binary with a configuration until the test ends or kills it.
func (e *env) startWorker(yaml string) *exec.Cmd {
	e.t.Helper()
	return e.startBuild(workBin, yaml)
}

// startBuild does the same with a worker of any build; settings are environment variables.
func (e *env) startBuild(binary, yaml string, settings ...string) *exec.Cmd {
	e.t.Helper()
	if binary != workBin {
		changedBuilds.Store(e.name, true)
	}
	file := filepath.Join(e.t.TempDir(), "segue.yaml")
	require.NoError(e.t, os.WriteFile(file, []byte(yaml), 0o600))
	command := exec.Command(binary)
	command.Env = append(os.Environ(), append(settings,
		"SEGUE_CONFIG="+file, "SEGUE_TEMPORAL_ADDRESS="+temporal.Address, "SEGUE_TEMPORAL_TASK_QUEUE="+e.name)...)
	command.Stdout, command.Stderr = e, e
	require.NoError(e.t, command.Start())
	e.t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended
		_ = command.Wait()
		if e.t.Failed() {
			e.logMu.Lock()
			defer e.logMu.Unlock()
			e.t.Logf("worker:\n%.20000s", e.log.String())
		}
	})
	return command
}

// Write collects the output of the workers.
func (e *env) Write(p []byte) (int, error) {
	e.logMu.Lock()
	defer e.logMu.Unlock()
	return e.log.Write(p)
}

func (e *env) workflowID(id string) string { return contract.InteractionWorkflowID(e.name, id) }

func (e *env) start(id, channel string) client.WorkflowRun {
	e.t.Helper()
	run, err := e.client.ExecuteWorkflow(e.t.Context(),
		client.StartWorkflowOptions{ID: e.workflowID(id), TaskQueue: e.name},
		contract.WorkflowInteraction, startOf(e.name, id, channel))
	require.NoError(e.t, err)
	return run
}

func startOf(contactCenter, id, channel string) json.RawMessage {
	return fmt.Appendf(nil, `{"id":%q,"contact_center":%q,"channel":%q,"queue":"sales"}`, id, contactCenter, channel)
}

func (e *env) signal(id, name, payload string) {
	e.t.Helper()
	require.NoError(e.t, e.client.SignalWorkflow(e.t.Context(), e.workflowID(id), "", name, json.RawMessage(payload)))
}

func query[T any](e *env, id, name string) (T, error) {
	var got T
	value, err := e.client.QueryWorkflow(e.t.Context(), e.workflowID(id), "", name)
	if err != nil {
		return got, err
	}
	return got, value.Get(&got)
}

// eventually waits until a condition holds. It asks in the goroutine of the test, so that a condition may fail the test,
// and none is asked any more when the test is over.
func (e *env) eventually(limit time.Duration, what string, condition func() bool) {
	e.t.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for begun := time.Now(); !condition(); <-poll.C {
		require.Less(e.t, time.Since(begun), limit, "%s", what)
	}
}

// failedTasks lists the causes of failed workflow tasks in a run's history.
func failedTasks(history []*historypb.HistoryEvent) []enumspb.WorkflowTaskFailedCause {
	var causes []enumspb.WorkflowTaskFailedCause
	for _, event := range history {
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED {
			causes = append(causes, event.GetWorkflowTaskFailedEventAttributes().GetCause())
		}
	}
	return causes
}

func (e *env) history(id, runID string) []*historypb.HistoryEvent {
	e.t.Helper()
	return e.historyOf(e.workflowID(id), runID)
}

// arrival is one POST as the receiver got it.
type arrival struct {
	ID   string
	Path string
	Body string
	At   time.Time
}

// receiver answers with the status that its function returns, and keeps the arrivals in order. Status 0 resets the
// connection.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	arrivals []arrival
}

func newReceiver(t *testing.T, answer func(a arrival) int) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		a := arrival{ID: request.Header.Get("webhook-id"), Path: request.URL.Path, Body: string(body), At: time.Now()}
		r.mu.Lock()
		r.arrivals = append(r.arrivals, a)
		r.mu.Unlock()
		code := answer(a)
		if code == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) seen() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrival(nil), r.arrivals...)
}

// probeConfig fires one call at the given moments.
func probeConfig(url string, whens ...string) string {
	return fmt.Sprintf(`
calls:
  - name: probe
    method: POST
    url: %s/probe
    json: {id: "${interaction.id}", sequence: "${event.sequence}", when: "${event.when}"}
    retry: {schedule: [100ms, 200ms, 500ms, 1s, 2s]}
triggers:
  - {when: [%s], call: probe}
timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, url, strings.Join(whens, ", "))
}

// bodyID returns the interaction that a request is about.
func (a arrival) bodyID() string {
	var body struct{ ID string }
	if json.Unmarshal([]byte(a.Body), &body) != nil {
		return ""
	}
	return body.ID
}

// of returns the requests about one interaction.
func of(id string, r *receiver) []arrival {
	var arrivals []arrival
	for _, a := range r.seen() {
		if a.bodyID() == id {
			arrivals = append(arrivals, a)
		}
	}
	return arrivals
}

// warmUp plays a whole interaction, so that the workers know that the receiver is fast.
func (e *env) warmUp(r *receiver) {
	e.t.Helper()
	id := fmt.Sprintf("warm-%d", len(r.seen()))
	run := e.start(id, "inbound")
	e.signal(id, "dtmf", `{"digits":"0"}`)
	e.signal(id, "abandon", `{}`)
	ctx, cancel := context.WithTimeout(e.t.Context(), time.Minute)
	defer cancel()
	require.NoError(e.t, run.Get(ctx, nil))
}

// replaceOnce replaces a part of a configuration that occurs exactly once.
func replaceOnce(t *testing.T, text, from, to string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(text, from), from)
	return strings.Replace(text, from, to, 1)
}
