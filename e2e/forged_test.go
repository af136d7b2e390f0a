package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"segue/activities"
	"segue/contract"
)

// TestForgedStartsAreRefusedAtOnce starts workflows as anyone can who reaches the namespace: with carried state of
// any form, and on a schedule, whose second run Temporal marks as the continuation of the first.
func TestForgedStartsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	receiver := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(receiver.URL, "interaction_starts"))
	forge := func(id, schedule, second string) client.WorkflowRun {
		run, err := e.client.ExecuteWorkflow(t.Context(),
			client.StartWorkflowOptions{ID: e.workflowID(id), TaskQueue: e.name, CronSchedule: schedule},
			contract.WorkflowInteraction, startOf(e.name, id, "inbound"), json.RawMessage(second))
		require.NoError(t, err)
		return run
	}
	for i, second := range []string{`{}`, `{"interaction":null}`, `"x"`, `{"interaction":{"state":"handling","user_data":{"limit":1}}}`} {
		err := forge(fmt.Sprintf("f%d", i), "", second).Get(t.Context(), nil)
		require.ErrorContains(t, err, "start the workflow with one argument", second)
	}
	forge("scheduled", "@every 1s", `{"interaction":{"state":"handling"}}`)
	e.eventually(time.Minute, "the second run is refused, too", func() bool {
		runs, err := e.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: fmt.Sprintf("WorkflowId = '%s' AND ExecutionStatus = 'Failed'", e.workflowID("scheduled")),
		})
		return err == nil && len(runs.GetExecutions()) >= 2
	})
	require.NoError(t, e.client.TerminateWorkflow(t.Context(), e.workflowID("scheduled"), "", "seen enough"))
	require.Empty(t, receiver.seen())
}

// TestAForgedLaneReportChangesNothing sends what only lane workflows send, also for a delivery in flight.
func TestAForgedLaneReportChangesNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	answer := make(chan struct{})
	receiver := newReceiver(t, func(arrival) int {
		<-answer
		return 200
	})
	e.startWorker(probeConfig(receiver.URL, "interaction_starts"))
	run := e.start("forged", "inbound")
	e.eventually(time.Minute, "the first request", func() bool { return len(receiver.seen()) == 1 })
	e.signal("forged", "lane_result", `{"call":"probe","results":[{"id":"nope","status":"delivered","returns":{"credit_limit":999999}}]}`)
	e.signal("forged", "lane_result", fmt.Sprintf(`{"call":"probe","results":[{"id":%q,"status":"delivered","returns":{"credit_limit":999999}}]}`, receiver.seen()[0].ID))
	e.signal("forged", "lane_drained", `{"call":"probe","last":"nope"}`)
	e.signal("forged", "attach_user_data", `{"user_data":{"tier":"gold"}}`)
	e.eventually(time.Minute, "what came after them is applied", func() bool {
		status, err := query[contract.State](e, "forged", contract.QueryState)
		return err == nil && status.UserData["tier"] == "gold"
	})
	close(answer)
	e.signal("forged", "abandon", `{}`)
	var status contract.State
	require.NoError(t, run.Get(t.Context(), &status))
	require.Equal(t, map[string]any{"tier": "gold"}, status.UserData)
	require.Zero(t, status.Undelivered)
}

// TestARepeatedHandOverIsSentOnce hands over deliveries again that a lane has delivered, after its workflow has
// closed: as an activity does whose worker was lost before it could report the hand-over.
func TestARepeatedHandOverIsSentOnce(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	receiver := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(receiver.URL, "interaction_starts"))
	hand := &activities.Activities{Temporal: e.client, TaskQueue: e.name}
	in := contract.HandOver{Owner: contract.Owner{ContactCenter: e.name, Interaction: "gone", FirstRunID: "r"}, Call: "probe"}
	for i := range 3 {
		in.Requests = append(in.Requests, contract.Request{
			ID: fmt.Sprintf("msg_%s_%d", e.name, i), Call: "probe", Moment: "interaction_starts", Sequence: int64(i + 1),
			Method: "POST", URL: receiver.URL + "/probe", Body: fmt.Sprintf(`{"n":%d}`, i), At: time.Now(),
		})
	}
	lane := contract.DeliveryWorkflowID(in.Owner, "probe")
	require.NoError(t, hand.HandOver(t.Context(), in))
	require.NoError(t, e.client.GetWorkflow(t.Context(), lane, "").Get(t.Context(), nil))
	require.Len(t, receiver.seen(), 3)
	first, err := e.client.DescribeWorkflowExecution(t.Context(), lane, "")
	require.NoError(t, err)

	require.NoError(t, hand.HandOver(t.Context(), in))
	again, err := e.client.DescribeWorkflowExecution(t.Context(), lane, "")
	require.NoError(t, err)
	require.Equal(t, first.GetWorkflowExecutionInfo().GetExecution().GetRunId(), again.GetWorkflowExecutionInfo().GetExecution().GetRunId(), "no workflow was started")
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, again.GetWorkflowExecutionInfo().GetStatus())

	in.Requests = append(in.Requests, in.Requests[0])
	in.Requests[3].ID, in.Requests[3].Sequence = "msg_"+e.name+"_new", 4
	require.NoError(t, hand.HandOver(t.Context(), in))
	require.NoError(t, e.client.GetWorkflow(t.Context(), lane, "").Get(t.Context(), nil))
	require.Len(t, receiver.seen(), 4)
	require.Equal(t, in.Requests[3].ID, receiver.seen()[3].ID)
}
