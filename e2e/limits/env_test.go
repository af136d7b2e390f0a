package limits_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"segue/client"
	"segue/config"
	"segue/connect"
	"segue/e2e/replayed"
	"segue/embedded"
	"segue/embedded/postgres"
	"segue/worker/local"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

// The longest names that a configuration may have.
var (
	taskQueue = strings.Repeat("q", 64)
	gone      = strings.Repeat("g", 64)
	pager     = strings.Repeat("p", 64)
)

// onEveryStore runs a test on SQLite, and on PostgreSQL where that is installed.
func onEveryStore(t *testing.T, test func(t *testing.T, e *env)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, newEnv(t, ""))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, newEnv(t, postgres.ForTest(t).URL("segue")))
	})
}

// env is a Segue of its own.
type env struct {
	*client.Client
}

// newEnv starts a Segue for one test. One call of the configuration is parked at once, and operators cannot be notified:
// interactions have lane workflows, the receiver has its own, and so have alerts.
func newEnv(t *testing.T, db string) *env {
	t.Helper()
	segue, err := local.Start(t.Context(), local.Options{
		Settings: connect.Settings{TaskQueue: taskQueue},
		Server:   embedded.Options{DB: db, UIPort: embedded.NoUI, Progress: func(what string) { t.Log(what) }},
		Log:      slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, segue.Stop()) })
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code := http.StatusGone
		if r.URL.Path == "/pager" {
			code = http.StatusServiceUnavailable
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(receiver.Close)
	set, err := config.Parse("limits.yaml", fmt.Appendf(nil, `
calls:
  - {name: %[1]s, method: POST, url: "%[3]s/gone", json: {id: "${interaction.id}"}}
  - {name: %[2]s, method: POST, url: "%[3]s/pager", json: {when: "${event.when}"}, retry: {schedule: [1h]}}
triggers:
  - {when: inbound.dtmf, call: %[1]s}
  - {when: operator.delivery_parked, call: %[2]s}
timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 0s}}
`, gone, pager, receiver.URL))
	require.NoError(t, err)
	worker, err := segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set), Allow: []string{"127.0.0.0/8"}})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, worker.Stop())
		_, err := replayed.All(context.Background(), segue.Client.Temporal, nil)
		require.NoError(t, err)
	})
	return &env{segue.Client}
}

// start starts an interaction; more is further JSON fields of its start.
func (e *env) start(t *testing.T, n client.Name, more string) {
	t.Helper()
	_, err := e.Start(t.Context(), n, startOf(n, more), false)
	require.NoError(t, err)
}

func startOf(n client.Name, more string) json.RawMessage {
	return fmt.Appendf(nil, `{"id":%q,"contact_center":%q,"channel":"inbound"%s}`, n.ID, n.ContactCenter, more)
}

// takes sends a command as an update, and requires that the interaction accepts it.
func (e *env) takes(t *testing.T, n client.Name, command, payload string) {
	t.Helper()
	_, err := e.Update(t.Context(), n, command, "", json.RawMessage(payload))
	require.NoError(t, err)
}

// refuses sends a command as a signal and as an update, and requires that the interaction rejects both and keeps
// running.
func (e *env) refuses(t *testing.T, n client.Name, command, payload, reason string) {
	t.Helper()
	before, err := e.Rejected(t.Context(), n)
	require.NoError(t, err)
	_, err = e.Update(t.Context(), n, command, "", json.RawMessage(payload))
	var refused *client.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Message, reason)
	require.NoError(t, e.Signal(t.Context(), n, command, json.RawMessage(payload)))
	require.Eventually(t, func() bool {
		rejected, err := e.Rejected(t.Context(), n)
		return err == nil && len(rejected) == len(before)+1 && strings.Contains(rejected[len(rejected)-1].Reason, reason)
	}, patience, pollEvery, "the signal is refused, too")
	e.isRunning(t, n.WorkflowID())
}

func (e *env) isRunning(t *testing.T, workflowID string) {
	t.Helper()
	described, err := e.Temporal.DescribeWorkflowExecution(t.Context(), workflowID, "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, described.GetWorkflowExecutionInfo().GetStatus())
	require.Zero(t, described.GetPendingWorkflowTask().GetAttempt()/2, "no task fails again and again")
}

// finds waits until a query finds just this workflow, so that visibility has stored what was written.
func (e *env) finds(t *testing.T, workflowID, query string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		answer, err := e.Temporal.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		if !assert.NoError(c, err, query) {
			return
		}
		found := []string{}
		for _, execution := range answer.GetExecutions() {
			found = append(found, execution.GetExecution().GetWorkflowId())
		}
		assert.Equal(c, []string{workflowID}, found, query)
	}, patience, pollEvery)
}
