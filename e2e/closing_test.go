package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"

	"segue/contract"
)

// A run must not end in the task that sent its last request, and must not wait for a timer, which servers fire up to a second
// late.
func TestAnInteractionClosesInATaskOfItsOwnWithoutATimer(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(crm.URL, "interaction_ends"))
	e.warmUp(crm)
	run := e.start("c1", "inbound")
	_, err := query[contract.State](e, "c1", contract.QueryState)
	require.NoError(t, err)
	e.signal("c1", "abandon", `{}`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, run.Get(ctx, nil))
	require.Equal(t, []string{
		"MarkerRecorded", "UpsertWorkflowSearchAttributes", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted", "WorkflowExecutionCompleted",
	}, namesFromLast(enumspb.EVENT_TYPE_MARKER_RECORDED, e.history("c1", run.GetRunID())))
	require.Len(t, of("c1", crm), 1)
}

// namesFromLast lists the types of a history's events, from the last one of a type on.
func namesFromLast(from enumspb.EventType, history []*historypb.HistoryEvent) []string {
	var names []string
	for _, event := range history {
		if event.GetEventType() == from {
			names = nil
		}
		names = append(names, event.GetEventType().String())
	}
	return names
}

// A command that arrives while the last request is being sent makes the server refuse the end of the run, if the run ended in
// that task, and any worker would send the request again.
func TestACommandDuringTheLastRequestRepeatsNothing(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(a arrival) int {
		if id := a.bodyID(); strings.HasPrefix(id, "c-") {
			e.signal(id, "dtmf", `{"digits":"1"}`)
		}
		return 200
	})
	for range 2 {
		e.startWorker(probeConfig(crm.URL, "interaction_ends"))
	}
	for range 6 {
		e.warmUp(crm) // both workers know that the receiver is fast
	}
	const n = 20
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range n {
		id := fmt.Sprintf("c-%d", i)
		run := e.start(id, "inbound")
		e.signal(id, "abandon", `{}`)
		var last contract.State
		require.NoError(t, run.Get(ctx, &last))
		require.Equal(t, 1, last.RejectedCount, "the command came before the run had closed")
		require.Len(t, of(id, crm), 1)
		require.Empty(t, failedTasks(e.history(id, run.GetRunID())))
	}
}
