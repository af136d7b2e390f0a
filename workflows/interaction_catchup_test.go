package workflows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// sequencesOf lists which deliveries were tried, without times and numbers.
func sequencesOf(tries []string) []string {
	var list []string
	for _, try := range tries {
		list = append(list, strings.Fields(try)[1])
	}
	return list
}

func TestALaneCatchesUpInBatches(t *testing.T) {
	l := newLane(t)
	l.append(0, handOver(ids(450)...))
	l.run()
	require.Equal(t, ids(450), sequencesOf(l.tries))
	require.Equal(t, []int{1, 100, 100, 100, 100, 1}, l.batches[:6], "the first alone; the last hundred one by one")
	told := 0
	for _, report := range l.reports {
		told += strings.Count(report, ":delivered")
	}
	require.Equal(t, 450, told)
}

func TestAFailureEndsCatchingUp(t *testing.T) {
	l := newLane(t)
	l.answers["d30"] = []contract.Outcome{retry(time.Hour)}
	l.append(0, handOver(ids(300)...))
	l.at(time.Minute, func() {
		require.Contains(t, l.statuses(), "d29:delivered d30:waiting d31:waiting")
		require.NotContains(t, l.statuses(), "attempting")
		require.Len(t, l.tries, 30)
	})
	l.run()
	want := append(append([]string{}, ids(30)...), ids(300)[29:]...)
	require.Equal(t, want, sequencesOf(l.tries))
	require.Equal(t, []int{1, 100, 1, 100}, l.batches[:4], "alone after the failure")
}

func TestADeliveryIsDiscardedWhileItsBatchIsInFlight(t *testing.T) {
	l := newLane(t)
	l.during = func(in contract.AttemptInput) {
		if len(in.Requests) > 1 && in.Requests[0].ID == "d2" {
			l.SignalWorkflow(contract.SignalDiscard, map[string]string{"id": "d3"})
		}
	}
	l.answers["d10"] = []contract.Outcome{retry(time.Hour)}
	l.append(0, handOver(ids(200)...))
	l.run()
	require.Contains(t, l.reports[0], "d3:delivered", "the receiver has it")
	require.Equal(t, 201, len(l.tries))
}

// An interaction that fires faster than its receiver answers stays small: the lane workflow
// gets the rest, and the interaction can continue as new at any time.
func TestALargeBacklogIsHandedOver(t *testing.T) {
	const n = 800
	e := newEnv(t)
	fire(e, "inbound.dtmf", "crm")
	bare := e.onDispatch
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		bare(in, result)
		for _, d := range result.Deliveries {
			if d.Request != nil {
				d.Request.Body = strings.Repeat("x", 2000)
			}
		}
	}
	var commands [][2]string
	for i := range n {
		commands = append(commands, [2]string{"dtmf", fmt.Sprintf(`{"digits":"%d"}`, i)})
	}
	e.signals(time.Second, commands...)
	e.RegisterDelayedCallback(func() {
		require.Equal(t, n, query[contract.State](e, contract.QueryState).Undelivered)
		e.SetContinueAsNewSuggested(true)
	}, time.Minute)
	e.signals(2*time.Minute, [2]string{"dtmf", `{"digits":"1"}`})
	e.start(startInbound)
	carried := asContinued(t, e.GetWorkflowError())
	handed := 0
	for _, h := range e.handOvers {
		require.Nil(t, h.Failed)
		handed += len(h.Requests)
	}
	require.Equal(t, n, handed)
	require.GreaterOrEqual(t, carried.Deliveries.Undelivered, n)
	require.Less(t, len(carried.Deliveries.Records), n, "those shown are bounded")
	require.Empty(t, carried.Lanes[0].Waiting)
}

func TestAnInteractionWithTooManyOpenDeliveriesRefusesUpdates(t *testing.T) {
	e := newEnv(t)
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		for _, turn := range in.Turns {
			for _, event := range turn.Events {
				for i := 0; event.Moment == "inbound.dtmf" && event.Sequence > in.After && i < 2000; i++ {
					result.Deliveries = append(result.Deliveries, contract.Delivery{
						ID: fmt.Sprintf("%d-%d", event.Sequence, i), Call: "crm", Sequence: event.Sequence, Status: contract.StatusInLane,
					})
				}
			}
		}
	}
	for i := range 5 {
		e.signals(time.Second, [2]string{"dtmf", fmt.Sprintf(`{"digits":"%d","event_id":"e%d"}`, i, i)})
	}
	var refused, again, array, arrayAgain updateCallbacks
	e.RegisterDelayedCallback(func() {
		e.UpdateWorkflow("dtmf", "u1", &refused, json.RawMessage(`{"digits":"1"}`))
		e.UpdateWorkflow(contract.UpdateCommands, "u2", &array, json.RawMessage(`[{"command":"dtmf","digits":"1"}]`))
		e.UpdateWorkflow(contract.UpdateCommands, "u5", &arrayAgain, json.RawMessage(`[{"command":"dtmf","digits":"1","event_id":"e3"},{"digits":"1"}]`))
		e.UpdateWorkflow("dtmf", "u3", &again, json.RawMessage(`{"digits":"1","event_id":"e4"}`))
	}, time.Minute)
	var later updateCallbacks
	e.RegisterDelayedCallback(func() {
		status := query[contract.State](e, contract.QueryState)
		require.Equal(t, 10000, status.Undelivered)
		require.Zero(t, status.RejectedCount)
		e.SignalWorkflow("lane_result", map[string]any{"call": "crm", "results": []map[string]any{
			{"id": "4-1999", "status": "delivered"}, {"id": "nope-1999", "status": "delivered", "returns": map[string]any{"limit": 1}}, {"id": "5-1999", "status": "parked", "when": "inbound.dtmf", "code": 410, "class": "gone"},
		}})
	}, 2*time.Minute)
	e.RegisterDelayedCallback(func() {
		status := query[contract.State](e, contract.QueryState)
		require.Equal(t, 9999, status.Undelivered, "a delivery that is not shown is counted")
		require.Zero(t, status.RejectedCount, "a report of an unknown delivery is not a rejected command")
		require.Empty(t, status.UserData)
		e.UpdateWorkflow("complete", "u4", &later, json.RawMessage(`{}`))
	}, 3*time.Minute)
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, contract.ErrorOverloaded, errorType(t, refused.rejected))
	require.ErrorContains(t, refused.rejected, "10000 deliveries of this interaction are not delivered yet")
	require.ErrorContains(t, array.rejected, "send the command again later")
	require.NoError(t, again.rejected, "a repeat is answered")
	require.NoError(t, arrayAgain.rejected, "so is an array of repeats")
	require.NoError(t, later.rejected)
	require.Equal(t, []map[string]any{faultOf("crm", "5-1999", "inbound.dtmf")}, e.faults(), "a delivery that is not shown fires a fault, too")
}

// A run whose history is near the limit of the server refuses updates until the next run.
func TestAnOverlongRunRefusesUpdates(t *testing.T) {
	e := newEnv(t)
	var refused, later updateCallbacks
	e.RegisterDelayedCallback(func() {
		e.SetCurrentHistorySize(21 << 20)
		e.UpdateWorkflow("dtmf", "u1", &refused, json.RawMessage(`{"digits":"1"}`))
	}, time.Minute)
	e.RegisterDelayedCallback(func() {
		e.SetCurrentHistorySize(1 << 20)
		e.UpdateWorkflow("complete", "u2", &later, json.RawMessage(`{}`))
	}, 2*time.Minute)
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, contract.ErrorOverloaded, errorType(t, refused.rejected))
	require.ErrorContains(t, refused.rejected, "about to continue as new; send the command again in a moment")
	require.NoError(t, later.rejected)
}
