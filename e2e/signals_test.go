package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"segue/contract"
	"segue/interaction"
)

// TestMalformedSignalsChangeNothing sends payloads that no SDK would send, without the SDK.
func TestMalformedSignalsChangeNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(crm.URL, "interaction_ends"))
	e.start("m1", "inbound")

	jsonPayload := func(data string) []*commonpb.Payload {
		return []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(data)}}
	}
	malformed := []struct {
		kind, signal string
		payloads     []*commonpb.Payload
		reason       string
	}{
		{"no JSON", "accept", jsonPayload(`{"agent":`), "JSON"},
		{"an array", "accept", jsonPayload(`["a1"]`), "object"},
		{"a number", "accept", jsonPayload(`7`), "object"},
		{"a field of the wrong type", "place_in_queue", jsonPayload(`{"queue":7}`), "queue"},
		{"a required field missing", "place_in_queue", jsonPayload(`{}`), "queue"},
		{"a bad agent id", "offer", jsonPayload(`{"agent":{"id":"no\ttabs"}}`), "id"},
		{"a misspelled field", "offer", jsonPayload(`{"agnet":"a1"}`), "did you mean agent?"},
		{"an unknown command", "teleport", jsonPayload(`{}`), "teleport"},
		{"binary", "accept", []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("binary/plain")}, Data: []byte{0, 1, 2}}}, "binary/plain"},
		{"no encoding", "accept", []*commonpb.Payload{{Data: []byte(`{}`)}}, "encoding"},
		{"two payloads", "accept", append(jsonPayload(`{}`), jsonPayload(`{}`)...), "2 payloads"},
		{"a bad time", "hold", jsonPayload(`{"at":"yesterday"}`), "at"},
		{"an event id too long", "hold", jsonPayload(fmt.Sprintf(`{"event_id":%q}`, strings.Repeat("x", 300))), "event_id"},
		{"too deep", "attach_user_data", jsonPayload(`{"user_data":` + strings.Repeat(`{"a":`, 200) + `1` + strings.Repeat(`}`, 200) + `}`), ""},
	}
	for _, m := range malformed {
		_, err := e.client.WorkflowService().SignalWorkflowExecution(t.Context(), &workflowservice.SignalWorkflowExecutionRequest{
			Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: e.workflowID("m1")},
			SignalName: m.signal, Input: &commonpb.Payloads{Payloads: m.payloads}, RequestId: m.kind,
		})
		require.NoError(t, err, m.kind)
	}
	e.signal("m1", "place_in_queue", `{"queue":"sales"}`)
	var rejected []contract.Rejected
	e.eventually(time.Minute, "all are rejected", func() bool {
		status, err := query[contract.State](e, "m1", contract.QueryState)
		rejected, _ = query[[]contract.Rejected](e, "m1", contract.QueryRejected)
		return err == nil && status.State == interaction.StateQueued && len(rejected) == len(malformed)
	})
	for i, m := range malformed {
		require.Equal(t, m.signal, rejected[i].Command, m.kind)
		require.Contains(t, rejected[i].Reason, m.reason, m.kind)
	}
	e.signal("m1", "abandon", `{}`)
	run := e.client.GetWorkflow(t.Context(), e.workflowID("m1"), "")
	var last contract.State
	require.NoError(t, run.Get(t.Context(), &last))
	require.Equal(t, interaction.OutcomeAbandoned, last.Outcome)
	require.EqualValues(t, len(malformed), last.RejectedCount)
	require.Empty(t, failedTasks(e.history("m1", run.GetRunID())))
}

// TestABurstAgainstASlowReceiver sends a burst that the server would otherwise make the workflow task repeat again
// and again: each request is sent once, in order.
func TestABurstAgainstASlowReceiver(t *testing.T) {
	t.Parallel()
	burst := reduced(100, 1000)
	e := newEnv(t)
	slow := newReceiver(t, func(arrival) int { time.Sleep(300 * time.Millisecond); return 200 })
	e.startWorker(probeConfig(slow.URL, "inbound.dtmf"))
	e.start("b1", "inbound")
	for i := range burst {
		e.signal("b1", "dtmf", fmt.Sprintf(`{"digits":"%d","event_id":"d%d"}`, i, i))
	}
	e.eventually(8*time.Minute, "all arrive", func() bool { return len(slow.seen()) >= burst })
	e.signal("b1", "abandon", `{}`)
	require.NoError(t, e.client.GetWorkflow(t.Context(), e.workflowID("b1"), "").Get(t.Context(), nil))
	requireInOrderOnce(t, slow.seen(), burst)
}

// requireInOrderOnce checks that n POSTs arrived, none twice, in the order of their events.
func requireInOrderOnce(t *testing.T, arrivals []arrival, n int) {
	t.Helper()
	ids, last := map[string]bool{}, int64(0)
	for _, a := range arrivals {
		require.False(t, ids[a.ID], "%s came twice", a.Body)
		ids[a.ID] = true
		var body struct {
			Sequence int64 `json:"sequence"`
		}
		require.NoError(t, json.Unmarshal([]byte(a.Body), &body))
		require.Greater(t, body.Sequence, last, a.Body)
		last = body.Sequence
	}
	require.Len(t, arrivals, n)
}

// TestConcurrentUpdates sends 40 updates, 8 at once, none of which fails.
func TestConcurrentUpdates(t *testing.T) {
	t.Parallel()
	const updates, atOnce = 40, 8
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(crm.URL, "inbound.dtmf"))
	e.start("u1", "inbound")
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range updates {
		group.Go(func() error {
			_, err := e.update(t.Context(), "u1", "dtmf", fmt.Sprintf(`{"digits":"%d","event_id":"u%d"}`, i, i))
			return err
		})
	}
	require.NoError(t, group.Wait())
	e.eventually(time.Minute, "all arrive", func() bool { return len(crm.seen()) >= updates })
	e.signal("u1", "abandon", `{}`)
	require.NoError(t, e.client.GetWorkflow(t.Context(), e.workflowID("u1"), "").Get(t.Context(), nil))
	requireInOrderOnce(t, crm.seen(), updates)
}

func (e *env) update(ctx context.Context, id, name, payload string) (contract.Answer, error) {
	var answer contract.Answer
	handle, err := e.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: e.workflowID(id), UpdateName: name, Args: []any{json.RawMessage(payload)},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return answer, err
	}
	return answer, handle.Get(ctx, &answer)
}

// TestALongInteraction sends more commands to one interaction than a run takes, a third of them in
// bursts: it continues as new, and nothing is lost or applied twice.
func TestALongInteraction(t *testing.T) {
	t.Parallel()
	const burst, every = 1000, 3000
	commands := reduced(6000, 12000)
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(crm.URL, "script_signal"))
	e.start("l1", "inbound")
	sent := 0
	send := func() {
		sent++
		e.signal("l1", "script_signal", fmt.Sprintf(`{"p1":"%d","event_id":"e%d"}`, sent, sent))
	}
	for sent < commands {
		for range burst { // as fast as it goes
			send()
		}
		for range every - burst { // in step with the workflow
			send()
			if sent%20 == 0 {
				_, err := query[contract.State](e, "l1", contract.QueryState)
				require.NoError(t, err)
			}
		}
	}
	var status contract.State
	e.eventually(5*time.Minute, "all are applied", func() bool {
		var err error
		status, err = query[contract.State](e, "l1", contract.QueryState)
		return err == nil && status.Sequence >= int64(commands) && len(crm.seen()) >= commands
	})
	require.Greater(t, status.Runs, 1)
	require.Zero(t, status.RejectedCount)
	for i := range 5 { // remembered over continue-as-new
		e.signal("l1", "script_signal", fmt.Sprintf(`{"p1":"again","event_id":"e%d"}`, commands-i*700))
	}
	e.signal("l1", "abandon", `{}`)
	require.NoError(t, e.client.GetWorkflow(t.Context(), e.workflowID("l1"), "").Get(t.Context(), &status))
	require.Equal(t, interaction.OutcomeAbandoned, status.Outcome)
	require.EqualValues(t, 5, status.Duplicates)
	requireInOrderOnce(t, crm.seen(), commands)
	e.requireShortRuns("l1", 10000)
}

// requireShortRuns walks the chain of runs and checks every history's length and tasks.
func (e *env) requireShortRuns(id string, limit int) {
	e.t.Helper()
	listed, err := e.client.ListWorkflow(e.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowId = %q", e.workflowID(id)),
	})
	require.NoError(e.t, err)
	require.Greater(e.t, len(listed.GetExecutions()), 1)
	allowed := []enumspb.WorkflowTaskFailedCause{
		enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, enumspb.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
	}
	for _, execution := range listed.GetExecutions() {
		history := e.history(id, execution.GetExecution().GetRunId())
		require.Less(e.t, len(history), limit)
		require.Subset(e.t, allowed, failedTasks(history))
	}
}
