package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

// faults are the fields of the events "fault" that were dispatched.
func (e *env) faults() []map[string]any {
	var list []map[string]any
	for _, event := range e.events {
		if event.Moment == interaction.MomentFault {
			list = append(list, event.Fields)
		}
	}
	return list
}

func gone(id string) contract.Outcome {
	return contract.Outcome{ID: id, Verdict: contract.VerdictFinal, Code: 410, Class: "gone"}
}

func faultOf(call, id, of string) map[string]any {
	return map[string]any{"call": call, "class": "gone", "code": 410.0, "delivery": id, "of": of}
}

func TestAPermanentFailureFiresAFault(t *testing.T) {
	for name, fail := range map[string]func(e *env){
		"of an attempt": func(e *env) {
			e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
				return contract.AttemptResult{Outcomes: []contract.Outcome{gone(in.Requests[0].ID)}}
			}
		},
		"of Dispatch": func(e *env) {
			plain := e.onDispatch
			e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
				plain(in, result)
				for i := range result.Deliveries {
					outcome := gone(result.Deliveries[i].ID)
					result.Deliveries[i].Outcome = &outcome
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			fire(e, "inbound.dtmf", "crm")
			fail(e)
			e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`})
			e.RegisterDelayedCallback(func() {
				records := query[[]contract.DeliveryRecord](e, contract.QueryDeliveries)
				require.Len(t, records, 1)
				require.Equal(t, contract.StatusParked, records[0].Status)
				require.Equal(t, "gone", records[0].Class)
			}, time.Minute)
			e.signals(2*time.Minute, [2]string{"abandon", `{}`})
			e.start(startInbound)
			require.NoError(t, e.GetWorkflowError())
			require.Len(t, e.handOvers, 1)
			id := e.handOvers[0].Requests[0].ID
			require.Equal(t, []map[string]any{faultOf("crm", id, "inbound.dtmf")}, e.faults())
			for i, event := range e.events {
				require.EqualValues(t, i+1, event.Sequence, "a fault has the next sequence number")
			}
		})
	}
}

// The lane workflow owns the delivery then, and reports its end.
func TestAParkedDeliveryOfALaneFiresAFault(t *testing.T) {
	e := newEnv(t)
	fire(e, "inbound.dtmf", "crm")
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictRetry, Class: "timeout"}}}
	}
	e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	id := ""
	e.RegisterDelayedCallback(func() {
		require.Empty(t, e.faults())
		id = e.handOvers[0].Requests[0].ID
		e.SignalWorkflow("lane_result", map[string]any{"call": "crm", "last": id, "results": []map[string]any{
			{"id": id, "status": "parked", "when": "inbound.dtmf", "code": 410, "class": "gone"}, {"id": "unknown", "status": "parked", "class": "gone"}}})
	}, time.Minute)
	e.RegisterDelayedCallback(func() {
		e.SignalWorkflow("lane_drained", map[string]any{"call": "crm", "last": id, "results": []map[string]any{{"id": id, "status": "discarded", "class": "gone"}}})
	}, 2*time.Minute)
	e.signals(3*time.Minute, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, []map[string]any{faultOf("crm", id, "inbound.dtmf")}, e.faults())
}

// Calls of the end triggers may fail after the end; their faults fire before the workflow closes.
func TestAFaultAfterTheEndIsDispatched(t *testing.T) {
	e := newEnv(t)
	fire(e, interaction.MomentInteractionEnds, "crm")
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{gone(in.Requests[0].ID)}}
	}
	e.signals(time.Second, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Len(t, e.faults(), 1)
	require.Equal(t, "interaction_ends", e.faults()[0]["of"])
}

// Two failing calls, each fired by the fault of the other, would fire each other forever.
func TestAFailedFaultCallFiresNoFault(t *testing.T) {
	e := newEnv(t)
	fire(e, interaction.MomentFault, "pager")
	onFault := e.onDispatch
	fire(e, "inbound.dtmf", "crm")
	onDigits := e.onDispatch
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		onDigits(in, result)
		onFault(in, result)
	}
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{gone(in.Requests[0].ID)}}
	}
	e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	e.signals(time.Minute, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Len(t, e.attempts, 2, "crm, and pager for its fault")
	require.Len(t, e.faults(), 1)
}

// A lane of alerts belongs to no interaction.
func TestALaneOfAlertsSendsNoReports(t *testing.T) {
	l := newLane(t)
	start := contract.DeliveryStart{Owner: contract.Owner{Receiver: "segue/crm", FirstRunID: "r"}, Call: "pager"}
	in := handOver("d1", "d2")
	in.Owner, in.Call = start.Owner, start.Call
	outcomes := []contract.Outcome{final(), delivered("d1"), delivered("d2")}
	l.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		require.Equal(t, start.Owner, in.Owner)
		next := outcomes[0]
		outcomes = outcomes[1:]
		next.ID = in.Requests[0].ID
		return contract.AttemptResult{Outcomes: []contract.Outcome{next}}
	}
	l.append(0, in)
	l.at(time.Hour, func() { require.Equal(t, "d1:parked d2:waiting", l.statuses()) })
	l.signal(2*time.Hour, contract.SignalRedeliver, ``)
	l.ExecuteWorkflow(contract.WorkflowDelivery, start)
	require.NoError(t, l.GetWorkflowError())
	require.Empty(t, outcomes)
	require.Empty(t, l.reports)
	require.Equal(t, []int64{1, 0}, l.parked)
}
