package main_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// lists waits until a list has exactly these interactions in this order.
func (d *devProcess) lists(t *testing.T, want []string, args ...string) {
	t.Helper()
	var got []string
	require.Eventually(t, func() bool {
		var entries []struct{ ID string }
		d.into(t, &entries, append([]string{"list"}, args...)...)
		got = []string{}
		for _, e := range entries {
			got = append(got, e.ID)
		}
		return slices.Equal(got, want)
	}, time.Minute, 100*time.Millisecond, "list %v: want %v", args, want)
}

func (d *devProcess) ok(t *testing.T, args ...string) {
	t.Helper()
	result := d.run(t, args...)
	require.Equal(t, 0, result.code, result.errs)
}

// list and show report the state of running, closed and terminated interactions.
func TestListAndShowReportEveryState(t *testing.T) {
	t.Parallel()
	receiver, url := newLedger(t, http.StatusServiceUnavailable)
	dev := startDev(t, "--config", patientConfigFor(t, url))

	dev.ok(t, "start", `{"id":"c1","channel":"inbound"}`)
	eventually(t, dev, 1, "deliveries")
	dev.ok(t, "signal", "abandon", "c1")
	require.Eventually(t, func() bool { return dev.isOver(t, "interaction/default/c1") }, time.Minute, 50*time.Millisecond)
	dev.lists(t, []string{"c1"}, "--undelivered")
	require.Contains(t, dev.run(t, "show", "c1").out, " 2 not delivered")
	receiver.answer(http.StatusOK)
	dev.ok(t, "redeliver", "c1", "--retrying")
	require.Eventually(t, func() bool { return dev.isOver(t, "delivery/default/c1/crm") }, time.Minute, 50*time.Millisecond)
	dev.lists(t, nil, "--undelivered")
	require.Contains(t, dev.run(t, "show", "c1").out, " 0 not delivered")
	require.Regexp(t, `default/c1 .* 0 +20`, dev.run(t, "list").out)

	dev.ok(t, "start", `{"id":"c2","channel":"inbound","queue":"sales"}`)
	for _, command := range [][]string{
		{"place_in_queue", `{"queue":"sales"}`}, {"offer", `{"agent":"bea"}`}, {"accept", `{"agent":"bea"}`},
		{"transfer", `{"to":{"agent":"PJSIP/7009"}}`},
	} {
		dev.ok(t, "signal", command[0], "c2", command[1], "--update")
	}
	dev.ok(t, "start", `{"id":"c3","channel":"inbound","queue":"sales"}`)
	dev.ok(t, "signal", "place_in_queue", "c3", `{"queue":"sales"}`, "--update")
	dev.ok(t, "start", `{"id":"c4","channel":"inbound"}`)
	dev.ok(t, "signal", "abandon", "c4")
	require.Eventually(t, func() bool { return dev.isOver(t, "interaction/default/c4") }, time.Minute, 50*time.Millisecond)

	dev.lists(t, []string{"c4", "c3", "c2", "c1"})
	dev.lists(t, []string{"c4", "c3"}, "--limit", "2")
	dev.lists(t, []string{"c2"}, "--agent", "bea")
	dev.lists(t, []string{"c2"}, "--agent", "PJSIP/7009")
	dev.lists(t, []string{}, "--agent", "nobody")
	dev.lists(t, []string{"c3"}, "--queue", "sales")
	dev.lists(t, []string{"c3"}, "--state", "queued")

	sent := len(receiver.requests())
	temporal := dev.temporal(t)
	require.NoError(t, temporal.TerminateWorkflow(t.Context(), "interaction/default/c3", "", "by mistake"))
	dev.lists(t, []string{}, "--state", "queued")
	dev.lists(t, []string{}, "--queue", "sales")
	require.Contains(t, dev.run(t, "list").out, "terminated (queued)")
	shown := dev.run(t, "show", "c3").out
	for _, part := range []string{"its workflow was ended from outside: terminated", "by mistake", "segue audit", "no command"} {
		require.Contains(t, shown, part)
	}

	history := temporal.GetWorkflowHistory(t.Context(), "interaction/default/c3", "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var last int64
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(t, err)
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			last = event.GetEventId()
		}
	}
	_, err := temporal.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: dev.ready.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "interaction/default/c3"},
		WorkflowTaskFinishEventId: last, RequestId: "revive", Reason: "terminated by mistake",
	})
	require.NoError(t, err)
	dev.lists(t, []string{"c3"}, "--queue", "sales")
	require.Len(t, receiver.requests(), sent, "no request is sent twice")
	dev.ok(t, "signal", "abandon", "c3", "--update")
	require.Equal(t, 0, dev.interrupt(t))
}
