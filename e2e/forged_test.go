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

// TestForgedStartsAreRefusedAtOnce starts workflows as anybody can who reaches the
// namespace: with carried state, of whatever form, and on a schedule, whose second run
// Temporal says to continue the first.
func TestForgedStartsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	receiver := newReceiver(t, func(arrival) int { return 200 })
	l.startWorker(probeConfig(receiver.URL, "interaction_starts"))
	forge := func(id, schedule, second string) client.WorkflowRun {
		run, err := l.client.ExecuteWorkflow(t.Context(),
			client.StartWorkflowOptions{ID: l.workflowID(id), TaskQueue: l.name, CronSchedule: schedule},
			contract.WorkflowInteraction, startOf(l.name, id, "inbound"), json.RawMessage(second))
		require.NoError(t, err)
		return run
	}
	for i, second := range []string{`{}`, `{"interaction":null}`, `"x"`, `{"interaction":{"state":"handling","user_data":{"limit":1}}}`} {
		err := forge(fmt.Sprintf("f%d", i), "", second).Get(t.Context(), nil)
		require.ErrorContains(t, err, "start the workflow with one argument", second)
	}
	forge("scheduled", "@every 1s", `{"interaction":{"state":"handling"}}`)
	l.eventually(30*time.Second, "the second run is refused, too", func() bool {
		runs, err := l.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: fmt.Sprintf("WorkflowId = '%s' AND ExecutionStatus = 'Failed'", l.workflowID("scheduled")),
		})
		return err == nil && len(runs.GetExecutions()) >= 2
	})
	require.NoError(t, l.client.TerminateWorkflow(t.Context(), l.workflowID("scheduled"), "", "seen enough"))
	require.Empty(t, receiver.seen())
}

// TestAForgedLaneReportChangesNothing sends what only lane workflows send, also of a
// delivery whose request is under way.
func TestAForgedLaneReportChangesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	answer := make(chan struct{})
	receiver := newReceiver(t, func(arrival) int {
		<-answer
		return 200
	})
	l.startWorker(probeConfig(receiver.URL, "interaction_starts"))
	run := l.start("forged", "inbound")
	l.eventually(20*time.Second, "the first request", func() bool { return len(receiver.seen()) == 1 })
	l.signal("forged", "lane_result", `{"call":"probe","results":[{"id":"nope","status":"delivered","returns":{"credit_limit":999999}}]}`)
	l.signal("forged", "lane_result", fmt.Sprintf(`{"call":"probe","results":[{"id":%q,"status":"delivered","returns":{"credit_limit":999999}}]}`, receiver.seen()[0].ID))
	l.signal("forged", "lane_drained", `{"call":"probe","last":"nope"}`)
	l.signal("forged", "attach_user_data", `{"user_data":{"tier":"gold"}}`)
	l.eventually(20*time.Second, "what came after them is applied", func() bool {
		status, err := query[contract.State](l, "forged", contract.QueryState)
		return err == nil && status.UserData["tier"] == "gold"
	})
	close(answer)
	l.signal("forged", "abandon", `{}`)
	var status contract.State
	require.NoError(t, run.Get(t.Context(), &status))
	require.Equal(t, map[string]any{"tier": "gold"}, status.UserData)
	require.Zero(t, status.Undelivered)
}

// TestARepeatedHandOverIsSentOnce hands over again what a lane has delivered, after its
// workflow has closed: as an activity does whose worker was gone before it could say that
// it had done so.
func TestARepeatedHandOverIsSentOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	receiver := newReceiver(t, func(arrival) int { return 200 })
	l.startWorker(probeConfig(receiver.URL, "interaction_starts"))
	hand := &activities.Activities{Temporal: l.client, TaskQueue: l.name}
	in := contract.HandOver{Owner: contract.Owner{ContactCenter: l.name, Interaction: "gone", FirstRunID: "r"}, Call: "probe"}
	for i := range 3 {
		in.Requests = append(in.Requests, contract.Request{
			ID: fmt.Sprintf("msg_%s_%d", l.name, i), Call: "probe", Moment: "interaction_starts", Sequence: int64(i + 1),
			Method: "POST", URL: receiver.URL + "/probe", Body: fmt.Sprintf(`{"n":%d}`, i), At: time.Now(),
		})
	}
	lane := contract.DeliveryWorkflowID(in.Owner, "probe")
	require.NoError(t, hand.HandOver(t.Context(), in))
	require.NoError(t, l.client.GetWorkflow(t.Context(), lane, "").Get(t.Context(), nil))
	require.Len(t, receiver.seen(), 3)
	first, err := l.client.DescribeWorkflowExecution(t.Context(), lane, "")
	require.NoError(t, err)

	require.NoError(t, hand.HandOver(t.Context(), in))
	again, err := l.client.DescribeWorkflowExecution(t.Context(), lane, "")
	require.NoError(t, err)
	require.Equal(t, first.GetWorkflowExecutionInfo().GetExecution().GetRunId(), again.GetWorkflowExecutionInfo().GetExecution().GetRunId(), "no workflow was started")
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, again.GetWorkflowExecutionInfo().GetStatus())

	in.Requests = append(in.Requests, in.Requests[0])
	in.Requests[3].ID, in.Requests[3].Sequence = "msg_"+l.name+"_new", 4
	require.NoError(t, hand.HandOver(t.Context(), in))
	require.NoError(t, l.client.GetWorkflow(t.Context(), lane, "").Get(t.Context(), nil))
	require.Len(t, receiver.seen(), 4)
	require.Equal(t, in.Requests[3].ID, receiver.seen()[3].ID)
}
