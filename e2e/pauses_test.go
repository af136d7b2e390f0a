package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/contract"
	"segue/interaction"
)

// expiry is the longest timer of pausesConfig, and silence is longer. In these tests, the pauses are the input.
const (
	expiry  = 6 * time.Second
	silence = expiry + time.Second
)

// pausesConfig has timers that would have expired if a command were judged by the clock of the workflow task before
// it.
func pausesConfig(url string) string {
	return fmt.Sprintf(`
calls:
  - name: probe
    method: POST
    url: %[1]s/probe
    json: {id: "${interaction.id}", when: "${event.when}", handle: "${durations.handle}", queue: "${durations.queue}", total: "${durations.total}", wrap_up: "${durations.wrap_up}"}
triggers:
  - {when: [inbound.call_end, interaction_ends], call: probe}
timeouts: {default: {offer: %[2]s, queue: 0s, wrap_up: %[2]s, engagement: 0s, late_events: 0s, sequence_gap: 5s}}
guard: {allow: ["127.0.0.0/8"]}
`, url, expiry)
}

// stateOf waits until an interaction is in a state, and returns it.
func (e *env) stateOf(id string, state interaction.State) contract.State {
	e.t.Helper()
	var status contract.State
	e.eventually(time.Minute, fmt.Sprintf("%s is %s", id, state), func() bool {
		var err error
		status, err = query[contract.State](e, id, contract.QueryState)
		return err == nil && status.State == state
	})
	return status
}

// between requires that an instant of the interaction is that of the wall clock: after a command was sent, and before
// its effect was seen. Temporal and the tests share a clock.
func between(t *testing.T, sent, seen, got time.Time, what string) {
	t.Helper()
	const rounding = 10 * time.Millisecond
	require.WithinRange(t, got, sent.Add(-rounding), seen.Add(rounding), what)
}

// TestACallWithPausesKeepsWallClockTime plays a call by signals, with pauses that are longer than its timers, on two
// workers.
func TestACallWithPausesKeepsWallClockTime(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	receiver := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(pausesConfig(receiver.URL))
	e.startWorker(pausesConfig(receiver.URL))
	run := e.start("call", "inbound")

	time.Sleep(silence)
	offered := time.Now()
	e.signal("call", "offer", `{"agent":"ada"}`)
	require.Len(t, e.stateOf("call", interaction.StateOffered).OfferedTo, 1, "offered, and not missed at once")
	accepted := time.Now()
	e.signal("call", "accept", `{"agent":"ada"}`)
	e.stateOf("call", interaction.StateHandling)
	handled := time.Now()

	time.Sleep(silence)
	left := time.Now()
	e.signal("call", "disconnect", `{"by":{"id":"ada","role":"agent"}}`)
	e.stateOf("call", interaction.StateWrapUp)
	gone := time.Now()
	require.NoError(t, run.Get(t.Context(), nil))
	over := time.Now()
	require.GreaterOrEqual(t, over.Sub(left), expiry, "wrap-up lasts as long as it may")

	spans, err := query[[]interaction.Span](e, "call", contract.QueryTimeline)
	require.NoError(t, err)
	at := map[interaction.Segment]interaction.Span{}
	for _, span := range spans {
		if span.Leg == interaction.LegAgent {
			at[span.Segment] = span
		}
	}
	between(t, offered, accepted, at[interaction.SegmentOffered].Start, "offered")
	between(t, accepted, handled, at[interaction.SegmentHandling].Start, "handled")
	between(t, left, gone, *at[interaction.SegmentHandling].End, "handled until")
	between(t, left.Add(expiry), over, *at[interaction.SegmentWrapUp].End, "wrap-up until")
	long := func(segment interaction.Segment) float64 { return at[segment].End.Sub(at[segment].Start).Seconds() }

	var told []struct {
		When                 string
		Handle, Total, Queue float64
		WrapUp               float64 `json:"wrap_up"`
	}
	for _, a := range receiver.seen() {
		told = append(told, struct {
			When                 string
			Handle, Total, Queue float64
			WrapUp               float64 `json:"wrap_up"`
		}{})
		require.NoError(t, json.Unmarshal([]byte(a.Body), &told[len(told)-1]))
	}
	require.Len(t, told, 2)
	require.Equal(t, "inbound.call_end", told[0].When)
	require.InDelta(t, long(interaction.SegmentHandling), told[0].Handle, 0.01, "durations.handle at the end of the call")
	require.InDelta(t, long(interaction.SegmentWrapUp), told[1].WrapUp, 0.01)
}

// TestAMissingNumberIsAwaitedAfterAPause sends two numbered commands in disorder, 300 ms apart, after a pause: the
// second is not late.
func TestAMissingNumberIsAwaitedAfterAPause(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	receiver := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(pausesConfig(receiver.URL))
	e.start("numbered", "inbound")
	e.signal("numbered", "queue_event", `{"event":"PLAY","source_sequence":1}`)
	time.Sleep(silence)
	e.signal("numbered", "accept", `{"agent":"ada","source_sequence":3}`)
	time.Sleep(300 * time.Millisecond)
	e.signal("numbered", "place_in_queue", `{"queue":"billing","source_sequence":2}`)
	status := e.stateOf("numbered", interaction.StateHandling)
	require.Zero(t, status.Gaps)
	require.Zero(t, status.RejectedCount)
	e.signal("numbered", "complete", `{"source_sequence":4}`)
	e.stateOf("numbered", interaction.StateCompleted)
}

// TestARefusedUpdateLeavesNothingBehind sends a rejected update before a signal. The worker's clock has advanced in a
// task that leaves no history; what the worker does then must still be what a replay does.
func TestARefusedUpdateLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	receiver := newReceiver(t, func(arrival) int { return 200 })
	worker := e.startWorker(pausesConfig(receiver.URL))
	run := e.start("refused", "inbound")
	time.Sleep(silence - time.Second)
	handle, err := e.client.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: e.workflowID("refused"), UpdateName: "hold", Args: []any{json.RawMessage(`{}`)}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(t.Context(), nil)
	}
	require.ErrorContains(t, err, "hold is not legal in state started")
	time.Sleep(silence - 2*time.Second) // the offer has timed out by the clock of the start, but not by that of the rejection
	e.signal("refused", "offer", `{"agent":"ada"}`)
	e.stateOf("refused", interaction.StateOffered)
	require.NoError(t, replayWith(e.history("refused", run.GetRunID())))

	// Another worker rebuilds the state from the history.
	require.NoError(t, worker.Process.Kill())
	e.startWorker(pausesConfig(receiver.URL))
	e.signal("refused", "abandon", `{}`)
	require.NoError(t, run.Get(t.Context(), nil))
	require.Empty(t, failedTasks(e.history("refused", run.GetRunID())))
}

// TestARecoveryIsTimedFromTheDelivery lets a receiver be down for longer than its recovery takes, with nothing to
// report in between. The recovery is reported recovered_after after a successful delivery, not at once.
func TestARecoveryIsTimedFromTheDelivery(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	var up atomic.Bool
	receiver := newReceiver(t, func(a arrival) int {
		if a.Path == "/crm" && !up.Load() {
			return 503
		}
		return 200
	})
	e.startWorker(fmt.Sprintf(`
calls:
  - {name: crm, method: POST, url: "%[1]s/crm", json: {id: "${interaction.id}"}, retry: {schedule: [%[2]s], jitter: 0}}
  - {name: pager, method: POST, url: "%[1]s/pager", json: {when: "${event.when}"}}
triggers:
  - {when: interaction_starts, call: crm}
  - {when: [operator.delivery_failing, operator.receiver_recovered], call: pager}
alerts: {failing_after: 1s, recovered_after: 3s}
timeouts: {default: {offer: 0s, queue: 0s, late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, receiver.URL, "6s, 6s, 6s, 6s, 6s"))
	e.start("down", "inbound")
	said := func(moment string) (at time.Time) {
		for _, a := range receiver.seen() {
			if a.Path == "/pager" && strings.Contains(a.Body, moment) {
				return a.At
			}
		}
		return time.Time{}
	}
	e.eventually(time.Minute, "operators hear that it fails", func() bool { return !said("delivery_failing").IsZero() })
	up.Store(true)
	e.eventually(time.Minute, "operators hear that it has recovered", func() bool { return !said("receiver_recovered").IsZero() })
	var delivered time.Time
	for _, a := range receiver.seen() {
		if a.Path == "/crm" {
			delivered = a.At
		}
	}
	require.GreaterOrEqual(t, said("receiver_recovered").Sub(delivered), 2900*time.Millisecond)
	e.signal("down", "abandon", `{}`)
}

// TestARefusedUpdateBesideAWaitingOne lets a signal release a waiting update in the task in which another update is
// rejected. The waiting update must continue where it does in a replay, which does not contain the rejected one.
func TestARefusedUpdateBesideAWaitingOne(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	receiver := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(replaceOnce(t, pausesConfig(receiver.URL), "sequence_gap: 5s", "sequence_gap: 1m"))
	update := func(id, command, payload string, stage client.WorkflowUpdateStage) client.WorkflowUpdateHandle {
		handle, err := e.client.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
			WorkflowID: e.workflowID(id), UpdateName: command, Args: []any{json.RawMessage(payload)}, WaitForStage: stage,
		})
		if stage == client.WorkflowUpdateStageAccepted {
			require.NoError(t, err)
		}
		return handle
	}
	for i := range 40 {
		id := fmt.Sprintf("w%d", i)
		run, err := e.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: e.workflowID(id), TaskQueue: e.name},
			contract.WorkflowInteraction, json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":"inbound","source_sequence":1}`, id, e.name)))
		require.NoError(t, err)
		waiting := update(id, "retrieve", `{"source_sequence":3}`, client.WorkflowUpdateStageAccepted)
		var beside sync.WaitGroup
		beside.Go(func() { e.signal(id, "retrieve", `{"source_sequence":2}`) })
		beside.Go(func() { update(id, "retrieve", `{}`, client.WorkflowUpdateStageCompleted) })
		beside.Wait()
		require.ErrorContains(t, waiting.Get(t.Context(), nil), "retrieve is not legal")
		e.signal(id, "abandon", `{"source_sequence":4}`)
		require.NoError(t, run.Get(t.Context(), nil))
		require.NoError(t, replayWith(e.history(id, run.GetRunID())), id)
	}
}
