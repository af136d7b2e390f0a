package workflows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/workflows"
)

const startInbound = `{"id":"i-1","contact_center":"cc","channel":"inbound","queue":"sales"}`

func TestSignalsOfOneTaskAreAppliedInOrder(t *testing.T) {
	e := newEnv(t)
	e.signals(time.Second,
		[2]string{"place_in_queue", `{"queue":"sales"}`},
		[2]string{"offer", `{"agent":{"id":"a1"}}`},
		[2]string{"accept", `{"agent":{"id":"a1"}}`},
		[2]string{"set_disposition", `{"code":"SOLD"}`},
		[2]string{"complete", `{}`},
	)
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, interaction.OutcomeHandled, last.Outcome)
	require.Contains(t, e.moments(), "inbound.agent_connect")
	require.Equal(t, "interaction_ends", e.moments()[len(e.moments())-1])
	for i, event := range e.events {
		require.EqualValues(t, i+1, event.Sequence, "every event once, in order")
	}
}

func TestARefusedSignalIsRecordedAndChangesNothing(t *testing.T) {
	e := newEnv(t)
	e.signals(time.Second,
		[2]string{"accept", `{"agent":{"id":true}}`}, [2]string{"teleport", `{}`}, [2]string{"hold", `{"event_id":"h1"}`},
	)
	e.RegisterDelayedCallback(func() {
		rejected := query[[]contract.Rejected](e, contract.QueryRejected)
		require.Len(t, rejected, 3)
		require.Equal(t, "accept", rejected[0].Command)
		require.Equal(t, "h1", rejected[2].EventID)
		require.Contains(t, rejected[2].Reason, "hold is not legal in state")
		status := query[contract.State](e, contract.QueryState)
		require.Equal(t, interaction.StateStarted, status.State)
		require.Equal(t, 3, status.RejectedCount)
		e.SignalWorkflow("abandon", json.RawMessage(`{}`))
	}, time.Minute)
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}

func TestARepeatOfAnAppliedEventIDIsADuplicate(t *testing.T) {
	e := newEnv(t)
	e.signals(time.Second,
		[2]string{"hold", `{"event_id":"x"}`}, // refused: does not use its id up
		[2]string{"place_in_queue", `{"queue":"sales","event_id":"x"}`},
		[2]string{"place_in_queue", `{"queue":"backup","event_id":"x"}`},
		[2]string{"abandon", `{}`},
	)
	e.start(startInbound)
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, 1, last.Duplicates)
	require.Equal(t, 1, last.RejectedCount)
	require.Equal(t, "sales", last.Queue)
}

// updateCallbacks records the result of an update.
type updateCallbacks struct {
	rejected, failed error
	answer           any
}

func (c *updateCallbacks) Accept()          {}
func (c *updateCallbacks) Reject(err error) { c.rejected = err }
func (c *updateCallbacks) Complete(answer any, err error) {
	c.answer, c.failed = answer, err
}

func TestAnUpdateIsAnsweredOrRejectedByItsValidator(t *testing.T) {
	e := newEnv(t)
	var legal, illegal, malformed, repeated updateCallbacks
	e.RegisterDelayedCallback(func() {
		e.UpdateWorkflow("place_in_queue", "u1", &legal, json.RawMessage(`{"queue":"sales","event_id":"q"}`))
		e.UpdateWorkflow("hold", "u2", &illegal, json.RawMessage(`{}`))
		e.UpdateWorkflow("offer", "u3", &malformed, json.RawMessage(`{"agent":{"id":true}}`))
		e.UpdateWorkflow("place_in_queue", "u4", &repeated, json.RawMessage(`{"queue":"sales","event_id":"q"}`))
		e.UpdateWorkflow("abandon", "u5", &updateCallbacks{})
	}, time.Second)
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())

	require.NoError(t, legal.failed)
	answer := legal.answer.(contract.Answer)
	require.Equal(t, interaction.StateQueued, answer.State)
	require.Contains(t, answer.Capabilities, "offer")
	require.Positive(t, answer.Sequence)
	require.True(t, repeated.answer.(contract.Answer).Duplicate)
	require.Equal(t, contract.ErrorIllegalCommand, errorType(t, illegal.rejected))
	require.Contains(t, illegal.rejected.Error(), "legal:")
	require.Equal(t, contract.ErrorInvalidPayload, errorType(t, malformed.rejected))
}

func errorType(t *testing.T, err error) string {
	t.Helper()
	var application *temporal.ApplicationError
	require.True(t, errors.As(err, &application), "%v", err)
	return application.Type()
}

func TestAnArrayIsAppliedInOrderWithOneResultForEachCommand(t *testing.T) {
	e := newEnv(t)
	var array updateCallbacks
	e.RegisterDelayedCallback(func() {
		e.UpdateWorkflow(contract.UpdateCommands, "u1", &array, json.RawMessage(
			`[{"command":"place_in_queue","queue":"sales"},{"command":"hold"},{"nonsense":1},{"command":"abandon"}]`))
	}, time.Second)
	e.start(startInbound)
	results := array.answer.([]contract.CommandResult)
	require.Len(t, results, 4)
	require.Nil(t, results[0].Error)
	require.Equal(t, contract.ErrorIllegalCommand, results[1].Error.Type)
	require.Equal(t, contract.ErrorInvalidPayload, results[2].Error.Type)
	require.Equal(t, interaction.StateCompleted, results[3].State)
}

// A client that lost the answer sends the update again, possibly to the next run.
func TestAnArrayThatIsSentAgainIsADuplicate(t *testing.T) {
	const array = `[{"command":"dtmf","digits":"1"},{"command":"dtmf","digits":"2"}]`
	send := func(e *env) *updateCallbacks {
		var answer updateCallbacks
		e.RegisterDelayedCallback(func() { e.UpdateWorkflow(contract.UpdateCommands, "u1", &answer, json.RawMessage(array)) }, time.Second)
		return &answer
	}
	e := newEnv(t)
	first := send(e)
	e.RegisterDelayedCallback(func() { e.SetContinueAsNewSuggested(true) }, 2*time.Second)
	e.signals(3*time.Second, [2]string{"dtmf", `{"digits":"3"}`})
	e.start(startInbound)
	again := asContinued(t, e.GetWorkflowError())
	require.False(t, first.answer.([]contract.CommandResult)[1].Duplicate)

	e = newEnv(t)
	second := send(e)
	e.signals(time.Minute, [2]string{"abandon", `{}`})
	e.goOn(contract.WorkflowInteraction, json.RawMessage(startInbound), again)
	require.NoError(t, e.GetWorkflowError())
	for _, result := range second.answer.([]contract.CommandResult) {
		require.True(t, result.Duplicate)
	}
}

func TestABadStartFailsWithItsReason(t *testing.T) {
	for name, start := range map[string]string{
		"malformed":  `{"id":"i-1","contact_center":"cc","channel":"smoke_signal"}`,
		"another id": `{"id":"i-2","contact_center":"cc","channel":"inbound"}`,
		"no object":  `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.start(start)
			require.Equal(t, contract.ErrorInvalidPayload, errorType(t, e.GetWorkflowError()))
		})
	}
}

func TestALateDispositionIsApplied(t *testing.T) {
	e := newEnv(t)
	e.signals(time.Second, [2]string{"offer", `{"agent":{"id":"a1"}}`}, [2]string{"accept", `{"agent":{"id":"a1"}}`}, [2]string{"complete", `{}`})
	e.signals(30*time.Second, [2]string{"set_disposition", `{"code":"LATE","agent":{"id":"a1"}}`})
	e.start(startInbound)
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, "LATE", last.Disposition.Code)

	e = newEnv(t)
	e.signals(time.Second, [2]string{"offer", `{"agent":{"id":"a1"}}`}, [2]string{"accept", `{"agent":{"id":"a1"}}`}, [2]string{"complete", `{}`})
	begin := e.Now()
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.GreaterOrEqual(t, e.Now().Sub(begin), time.Minute, "the late events' time")
}

// fire makes Dispatch return one waiting delivery of a call for each event of a moment.
func fire(e *env, moment interaction.Moment, call string) {
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		for _, turn := range in.Turns {
			for _, event := range turn.Events {
				if event.Moment != moment || event.Sequence <= in.After {
					continue
				}
				id := fmt.Sprintf("%s-%d", call, event.Sequence)
				d := contract.Delivery{ID: id, Call: call, Moment: string(moment), Sequence: event.Sequence, Status: contract.StatusWaiting,
					Request: &contract.Request{ID: id, Call: call, Moment: string(moment), Sequence: event.Sequence, Body: "x"}}
				if in.Lanes[call] == contract.LaneHandedOver {
					d.Status, d.Request = contract.StatusInLane, nil
				}
				result.Deliveries = append(result.Deliveries, d)
			}
		}
	}
}

func TestWaitingDeliveriesAreSentTogetherBehindTheOneInFlight(t *testing.T) {
	e := newEnv(t)
	fire(e, "inbound.dtmf", "crm")
	e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`}, [2]string{"dtmf", `{"digits":"2"}`}, [2]string{"dtmf", `{"digits":"3"}`})
	e.signals(time.Minute, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	var sent []string
	for _, attempt := range e.attempts {
		for _, request := range attempt.Requests {
			sent = append(sent, request.ID)
		}
	}
	require.Len(t, sent, 3)
	require.IsIncreasing(t, sent)
	require.Empty(t, e.handOvers)
}

func TestAFailedAttemptHandsItsLaneOver(t *testing.T) {
	e := newEnv(t)
	fire(e, "inbound.dtmf", "crm")
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictRetry, Code: 503, Class: "http_5xx"}}}
	}
	e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`}, [2]string{"dtmf", `{"digits":"2"}`})
	e.RegisterDelayedCallback(func() {
		require.Len(t, e.attempts, 1)
		require.Len(t, e.handOvers, 1)
		require.Len(t, e.handOvers[0].Requests, 2)
		require.Equal(t, 503, e.handOvers[0].Failed.Code)
		require.Equal(t, 2, query[contract.State](e, contract.QueryState).Undelivered)
		e.SignalWorkflow("dtmf", json.RawMessage(`{"digits":"3"}`)) // straight to the lane workflow
	}, time.Minute)
	last := ""
	e.RegisterDelayedCallback(func() {
		require.Len(t, e.attempts, 1)
		records := query[[]contract.DeliveryRecord](e, contract.QueryDeliveries)
		require.Len(t, records, 3)
		for _, record := range records {
			require.Equal(t, contract.StatusInLane, record.Status)
			last = record.ID
		}
		e.SignalWorkflow("lane_drained", map[string]any{"call": "crm", "last": last, "results": []map[string]any{
			{"id": records[0].ID, "status": "delivered", "code": 200, "returns": map[string]any{"tier": "gold"}},
			{"id": records[1].ID, "status": "delivered", "code": 200}, {"id": last, "status": "discarded"}}})
	}, 2*time.Minute)
	e.RegisterDelayedCallback(func() {
		status := query[contract.State](e, contract.QueryState)
		require.Zero(t, status.Undelivered)
		require.Equal(t, "gold", status.UserData["tier"])
		e.onAttempt = nil
		e.SignalWorkflow("dtmf", json.RawMessage(`{"digits":"4"}`)) // the lane is the interaction's again
	}, 3*time.Minute)
	e.signals(4*time.Minute, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Len(t, e.attempts, 2)
	require.Len(t, e.handOvers, 1)
}

// Events that arrive while a lane is handed over are dispatched after that, directly to the
// lane workflow: rendered at once, their requests would wait and be in the history.
func TestDispatchWaitsWhileALaneIsHandedOver(t *testing.T) {
	e := newEnv(t)
	fire(e, "inbound.dtmf", "crm")
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictRetry, Class: "refused"}}}
	}
	dispatched := 0
	e.onHandOver = func(contract.HandOver) error {
		dispatched = len(e.inputs)
		e.SignalWorkflow("dtmf", json.RawMessage(`{"digits":"2"}`))
		return nil
	}
	e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	e.signals(time.Minute, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Len(t, e.handOvers, 1)
	require.Greater(t, len(e.inputs), dispatched)
	require.Equal(t, map[string]contract.LaneState{"crm": contract.LaneHandedOver}, e.inputs[dispatched].Lanes)
}

func TestAnInteractionClosesAlthoughItsReceiverIsDown(t *testing.T) {
	e := newEnv(t)
	fire(e, interaction.MomentInteractionEnds, "crm")
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictRetry, Class: "refused"}}}
	}
	e.signals(time.Second, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Len(t, e.handOvers, 1)
}

func TestALongRunCarriesEverythingOver(t *testing.T) {
	e := newEnv(t)
	e.signals(time.Second, [2]string{"place_in_queue", `{"queue":"sales","event_id":"q"}`}, [2]string{"teleport", `{}`})
	e.RegisterDelayedCallback(func() { e.SetContinueAsNewSuggested(true) }, 2*time.Second)
	e.signals(3*time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	e.start(startInbound)
	again := asContinued(t, e.GetWorkflowError())

	e = newEnv(t)
	e.signals(time.Second, [2]string{"place_in_queue", `{"queue":"backup","event_id":"q"}`}, [2]string{"abandon", `{}`})
	e.goOn(contract.WorkflowInteraction, json.RawMessage(startInbound), again)
	require.NoError(t, e.GetWorkflowError())
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, "sales", last.Queue)
	require.Equal(t, 1, last.Duplicates)
	require.Equal(t, 1, last.RejectedCount)
	require.Equal(t, 2, last.Runs)
}

func asContinued(t *testing.T, err error) *workflows.Carried {
	t.Helper()
	var again *workflow.ContinueAsNewError
	require.True(t, errors.As(err, &again), "%v", err)
	require.Len(t, again.Input.GetPayloads(), 2)
	var carried workflows.Carried
	require.NoError(t, json.Unmarshal(again.Input.GetPayloads()[1].GetData(), &carried))
	return &carried
}
