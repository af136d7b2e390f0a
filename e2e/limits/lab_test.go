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
	"segue/worker/host"
	"segue/workflows"
)

const (
	patience  = 20 * time.Second
	pollEvery = 20 * time.Millisecond
)

// The longest names that a configuration may have.
var (
	taskQueue = strings.Repeat("q", 64)
	gone      = strings.Repeat("g", 64)
	pager     = strings.Repeat("p", 64)
)

// onEveryStore runs a test on SQLite, and on PostgreSQL where that is installed.
func onEveryStore(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, newLab(t, ""))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, newLab(t, postgres.ForTest(t).URL("segue")))
	})
}

// lab is a server with a worker.
type lab struct {
	*client.Client
}

// newLab starts both for one test. One call of the configuration is parked at once, and operators cannot be notified:
// interactions have lane workflows, the receiver has its own, and so have alerts.
func newLab(t *testing.T, db string) *lab {
	t.Helper()
	server, err := embedded.Start(t.Context(), embedded.Options{
		DB: db, UIPort: embedded.NoUI, SearchAttributes: connect.SearchAttributeTypes(), Progress: func(what string) { t.Log(what) },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	plugin, err := workflows.NewPlugin()
	require.NoError(t, err)
	temporal, err := connect.Dial(t.Context(), connect.Settings{Address: server.Address}, slog.New(slog.DiscardHandler), plugin)
	require.NoError(t, err)
	t.Cleanup(temporal.Close)

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
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- host.Run(ctx, host.Options{
			Client: temporal, Namespace: server.Namespace, TaskQueue: taskQueue, Config: config.NewStore(set),
			Log: slog.New(slog.DiscardHandler), Allow: []string{"127.0.0.0/8"},
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
		_, err := replayed.All(context.Background(), temporal, nil)
		require.NoError(t, err)
	})
	return &lab{&client.Client{Temporal: temporal, TaskQueue: taskQueue}}
}

// start starts an interaction; more are further fields of its start.
func (l *lab) start(t *testing.T, n client.Name, more string) {
	t.Helper()
	_, err := l.Start(t.Context(), n, startOf(n, more), false)
	require.NoError(t, err)
}

func startOf(n client.Name, more string) json.RawMessage {
	return fmt.Appendf(nil, `{"id":%q,"contact_center":%q,"channel":"inbound"%s}`, n.ID, n.ContactCenter, more)
}

// takes sends a command as an update, which the interaction takes.
func (l *lab) takes(t *testing.T, n client.Name, command, payload string) {
	t.Helper()
	_, err := l.Update(t.Context(), n, command, "", json.RawMessage(payload))
	require.NoError(t, err)
}

// refuses sends a command as a signal and as an update. The interaction refuses both, and goes on.
func (l *lab) refuses(t *testing.T, n client.Name, command, payload, reason string) {
	t.Helper()
	before, err := l.Rejected(t.Context(), n)
	require.NoError(t, err)
	_, err = l.Update(t.Context(), n, command, "", json.RawMessage(payload))
	var refused *client.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Message, reason)
	require.NoError(t, l.Signal(t.Context(), n, command, json.RawMessage(payload)))
	require.Eventually(t, func() bool {
		rejected, err := l.Rejected(t.Context(), n)
		return err == nil && len(rejected) == len(before)+1 && strings.Contains(rejected[len(rejected)-1].Reason, reason)
	}, patience, pollEvery, "the signal is refused, too")
	l.isRunning(t, n.WorkflowID())
}

func (l *lab) isRunning(t *testing.T, workflowID string) {
	t.Helper()
	described, err := l.Temporal.DescribeWorkflowExecution(t.Context(), workflowID, "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, described.GetWorkflowExecutionInfo().GetStatus())
	require.Zero(t, described.GetPendingWorkflowTask().GetAttempt()/2, "no task fails again and again")
}

// finds waits until a query finds just this workflow: what visibility stores is what was written.
func (l *lab) finds(t *testing.T, workflowID, query string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		answer, err := l.Temporal.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
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
