package replicas_test

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// A run continues as new while clients send commands and read events.
func TestContinueAsNewUnderLiveReaders(t *testing.T) {
	parallel(t)
	if !*full {
		t.Skip("takes 1,500 updates")
	}
	w := newWorld(t, temporal)
	w.startWorker()
	w.startWorker()
	w.startGateway()
	w.startGateway()
	streams := w.follow()
	l := w.begin(2, 1)
	l.eventually(5*time.Minute, "the run continues as new twice", func() bool {
		state, err := w.client.State(t.Context(), w.named(l.ids[0]))
		return err == nil && state.Runs >= 2
	})
	l.awaitMore(50, patience)
	l.end()
	w.agree(healedWithin, l.ids...)
	streams.agree(healedWithin, l.ids...)
}

// An interaction ends and its id starts again: its revisions begin at 1 again.
func TestReopenedInteractions(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startWorker()
	w.startGateway()
	w.startGateway()
	streams := w.follow()
	for round := range reduced(5, 50) {
		start := fmt.Sprintf(`{"id":"i1","channel":"inbound","reopen":true,"event_id":"start-%d"}`, round)
		w.must(w.replica(round), "", "POST", "/v1/interactions", start)
		for number := range 1 + round%4 {
			w.command(w.replica(round+number), "", "i1", "dtmf", fmt.Sprintf(`{"digits":"%d"}`, 10*round+number))
		}
		w.agree(healedWithin, "i1")
		streams.agree(healedWithin, "i1")
		w.command(w.replica(round+1), "", "i1", "abandon", `{}`)
		w.agree(healedWithin, "i1")
	}
}

// An operator resets a workflow: the interaction goes back to an earlier state, in the lists too.
func TestAResetGoesBackInAllLists(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startWorker()
	w.startGateway()
	w.startGateway()
	for round := range reduced(2, 20) {
		id := fmt.Sprint("i", round)
		w.start(w.replica(0), id)
		back := w.truth(id)[id]
		w.command(w.replica(1), "", id, "accept", `{"agent":"anna"}`)
		point := w.lastTask(id) // a reset undoes this task, too
		w.command(w.replica(1), "", id, "hold", `{}`)
		for number := range 3 {
			w.command(w.replica(number), "", id, "dtmf", fmt.Sprintf(`{"digits":"%d"}`, 10*round+number))
		}
		require.Greater(t, w.truth(id)[id], back)
		reset, err := w.client.Temporal.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
			Namespace: w.temporal.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: w.named(id).WorkflowID()},
			Reason: "a test", WorkflowTaskFinishEventId: point, RequestId: rand.Text(),
			ResetReapplyExcludeTypes: []enumspb.ResetReapplyExcludeType{enumspb.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE, enumspb.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL},
		})
		require.NoError(t, err)
		w.command(w.replica(round), "", id, "dtmf", fmt.Sprintf(`{"digits":"%d"}`, 10*round+9))
		state, err := w.client.State(t.Context(), w.named(id))
		require.NoError(t, err)
		require.Equal(t, reset.GetRunId(), state.RunID)
		require.Equal(t, back+1, state.Revision, "what came after the point is gone")
		w.eventually(until(healedWithin, time.Now()), "the lists are right", func() bool {
			for _, g := range w.replicas() {
				found, err := w.list(g, "", nil)
				if err != nil || found[id] != back+1 {
					return false
				}
			}
			return true
		})
		w.command(w.replica(round), "", id, "accept", `{"agent":"anna"}`) // it was undone
	}
}

// lastTask returns the event of the last completed task of an interaction.
func (w *world) lastTask(id string) int64 {
	w.Helper()
	history, err := w.client.History(w.Context(), w.named(id), w.named(id).WorkflowID(), "")
	require.NoError(w, err)
	var last int64
	for _, event := range history.GetEvents() {
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			last = event.GetEventId()
		}
	}
	return last
}
