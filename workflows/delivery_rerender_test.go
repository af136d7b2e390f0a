package workflows_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/contract"
)

// newPickyLane is the environment of a lane workflow; its receiver takes new bytes only.
func newPickyLane(t *testing.T) *env {
	e := newEnv(t)
	e.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "delivery/cc/i-1/crm", TaskQueue: "segue"})
	e.OnSignalExternalWorkflow(mock.Anything, testWorkflow, mock.Anything, mock.Anything, mock.Anything).Return(nil)
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		outcome := delivered(in.Requests[0].ID)
		if in.Requests[0].Body != "new" {
			outcome.Verdict, outcome.Class, outcome.Code = contract.VerdictFinal, "http_4xx", 400
		}
		return contract.AttemptResult{Outcomes: []contract.Outcome{outcome}}
	}
	return e
}

func (e *env) lane() {
	e.t.Helper()
	e.ExecuteWorkflow(contract.WorkflowDelivery, laneStart)
	require.True(e.t, e.IsWorkflowCompleted())
	require.NoError(e.t, e.GetWorkflowError())
}

// appended hands requests over to the lane as it starts.
func (e *env) appended(requests ...contract.Request) {
	e.RegisterDelayedCallback(func() {
		e.SignalWorkflow(contract.SignalAppend, contract.HandOver{Owner: laneStart.Owner, Call: "crm", Requests: requests})
	}, 0)
}

func (e *env) wish(after time.Duration, signal, wish string) {
	e.RegisterDelayedCallback(func() { e.SignalWorkflow(signal, json.RawMessage(wish)) }, after)
}

func (e *env) bodies() []string {
	var bodies []string
	for _, in := range e.attempts {
		bodies = append(bodies, in.Requests[0].Body)
		require.Nil(e.t, in.Requests[0].Source, "an attempt does not need it")
	}
	return bodies
}

var old = contract.Request{ID: "d1", Call: "crm", Body: "old", Source: json.RawMessage(`{"events":[{"sequence":1}]}`)}

func TestRedeliverRendersAnewOnRequest(t *testing.T) {
	e := newPickyLane(t)
	e.onRender = func(in contract.RenderInput) contract.Request {
		require.JSONEq(t, string(old.Source), string(in.Request.Source))
		require.Empty(t, in.Request.Body, "of no use there")
		return contract.Request{ID: in.Request.ID, Call: "crm", Body: "new"}
	}
	e.appended(old)
	e.wish(time.Hour, contract.SignalRedeliver, `{"id":"d1"}`)
	e.wish(2*time.Hour, contract.SignalRedeliver, `{"id":"d1","rerender":true}`)
	e.lane()
	require.Equal(t, []string{"old", "old", "new"}, e.bodies())
	require.Len(t, e.renders, 1)
	require.Equal(t, laneStart.Owner, e.renders[0].Owner)
}

// What cannot be rendered anew is parked with the reason; the bytes are not lost.
func TestAFaultKeepsTheOldBytes(t *testing.T) {
	e := newPickyLane(t)
	var why string
	e.onRender = func(in contract.RenderInput) contract.Request {
		in.Request.Fault = "json.x: has no value"
		return in.Request
	}
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		outcome := contract.Outcome{ID: "d1", Verdict: contract.VerdictFinal, Class: "render", Message: in.Requests[0].Fault}
		return contract.AttemptResult{Outcomes: []contract.Outcome{outcome}}
	}
	e.appended(old)
	e.wish(time.Hour, contract.SignalRedeliver, `{"rerender":true}`)
	e.RegisterDelayedCallback(func() { why = query[[]contract.DeliveryRecord](e, contract.QueryDeliveries)[0].Why }, 90*time.Minute)
	e.wish(2*time.Hour, contract.SignalRedeliver, `{}`)
	e.wish(3*time.Hour, contract.SignalDiscard, `{}`)
	e.lane()
	require.Equal(t, "json.x: has no value", why)
	require.Equal(t, []string{"old", "", "old"}, e.bodies())
}

// Without its source a delivery is not touched by a wish to render it anew.
func TestWhatHasNoSourceStaysAsItIs(t *testing.T) {
	e := newPickyLane(t)
	bare := old.WithoutSource()
	e.appended(bare)
	e.wish(time.Hour, contract.SignalRedeliver, `{"id":"d1","rerender":true}`)
	e.RegisterDelayedCallback(func() {
		record := query[[]contract.DeliveryRecord](e, contract.QueryDeliveries)[0]
		require.Equal(t, contract.StatusParked, record.Status)
		require.False(t, record.CanRerender)
	}, 2*time.Hour)
	e.wish(3*time.Hour, contract.SignalDiscard, `{}`)
	e.lane()
	require.Empty(t, e.renders)
	require.Equal(t, []string{"old"}, e.bodies())
}

// An operator gives it up while it is rendered: it is not sent any more.
func TestADiscardWhileRendering(t *testing.T) {
	e := newPickyLane(t)
	e.onRender = func(in contract.RenderInput) contract.Request {
		e.SignalWorkflow(contract.SignalDiscard, json.RawMessage(`{"id":"d1"}`))
		in.Request.Body = "new"
		return in.Request
	}
	e.appended(old)
	e.wish(time.Hour, contract.SignalRedeliver, `{"rerender":true}`)
	e.lane()
	require.Equal(t, []string{"old"}, e.bodies())
}

// A failing lane takes along what its requests were rendered from.
func TestWhatIsHandedOverHasItsSource(t *testing.T) {
	e := newEnv(t)
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		result.Deliveries = []contract.Delivery{{
			ID: "d1", Call: "crm", Sequence: result.Through, Status: contract.StatusWaiting,
			Request: &contract.Request{ID: "d1", Call: "crm", Sequence: result.Through},
		}}
		if len(e.inputs) > 1 {
			result.Deliveries = nil
		}
	}
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		require.Nil(t, in.Requests[0].Source)
		return contract.AttemptResult{Outcomes: []contract.Outcome{{ID: "d1", Verdict: contract.VerdictFinal, Class: "gone"}}}
	}
	e.signals(time.Second, [2]string{"abandon", `{}`})
	e.start(`{"id":"i-1","contact_center":"cc","channel":"inbound","user_data":{"account":12345678901234567}}`)
	require.NotEmpty(t, e.handOvers)
	view, event, err := e.handOvers[0].Requests[0].DecodeSource()
	require.NoError(t, err)
	require.Equal(t, "i-1", view.Interaction.ID)
	require.Equal(t, "12345678901234567", fmt.Sprint(view.UserData["account"]), "digit for digit")
	require.Equal(t, e.handOvers[0].Requests[0].Sequence, event.Sequence)
}
