package workflows_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

// reportOf returns the report of the lane workflow of the call crm about one delivery.
func reportOf(id, status, more string) string {
	return fmt.Sprintf(`{"call":"crm","last":%q,"results":[{"id":%q,"status":%q%s}]}`, id, id, status, more)
}

// handsOver makes Dispatch append every delivery of a moment to its lane workflow.
func handsOver(e *env, moment interaction.Moment) {
	fire(e, moment, "crm")
	plain := e.onDispatch
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		plain(in, result)
		for i := range result.Deliveries {
			result.Deliveries[i].Status, result.Deliveries[i].Request = contract.StatusInLane, nil
		}
	}
}

// A task that is done again gets the report of a delivery before it has dispatched it: the
// first Dispatch has given the delivery to the lane.
func TestAReportBeforeItsDispatchIsKept(t *testing.T) {
	for _, name := range []string{"lane_result", "lane_drained"} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			handsOver(e, "inbound.dtmf")
			id := ""
			e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`})
			e.RegisterDelayedCallback(func() {
				records := query[[]contract.DeliveryRecord](e, contract.QueryDeliveries)
				id = records[len(records)-1].ID
				require.Equal(t, contract.StatusInLane, records[len(records)-1].Status)
			}, 2*time.Second)
			e.signals(time.Hour, [2]string{"abandon", `{}`})
			e.start(startInbound)
			require.NotEmpty(t, id)

			again := newEnv(t)
			handsOver(again, "inbound.dtmf")
			again.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`}, [2]string{name, reportOf(id, "delivered", `,"returns":{"tier":"gold"}`)})
			again.RegisterDelayedCallback(func() {
				status := query[contract.State](again, contract.QueryState)
				require.Zero(t, status.Undelivered)
				require.Equal(t, "gold", status.UserData["tier"])
				require.Zero(t, status.RejectedCount)
			}, time.Minute)
			again.signals(2*time.Minute, [2]string{"dtmf", `{"digits":"2"}`})
			again.signals(time.Hour, [2]string{"abandon", `{}`})
			again.start(startInbound)
			require.NoError(t, again.GetWorkflowError())
			var states []contract.LaneState
			for _, in := range again.inputs[2:] {
				states = append(states, in.Lanes["crm"])
			}
			want := contract.LaneHandedOver
			if name == "lane_drained" {
				want = ""
			}
			require.Equal(t, want, states[0], "the next delivery is behind those of the lane")
		})
	}
}

// Anybody can send a drained report; while the lane has a delivery, nothing overtakes that.
func TestADrainedReportOfALaneWithADeliveryIsIgnored(t *testing.T) {
	e := newEnv(t)
	handsOver(e, "inbound.dtmf")
	e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	e.RegisterDelayedCallback(func() {
		records := query[[]contract.DeliveryRecord](e, contract.QueryDeliveries)
		id := records[len(records)-1].ID
		e.SignalWorkflow("lane_drained", json.RawMessage(fmt.Sprintf(`{"call":"crm","last":%q}`, id)))
		e.SignalWorkflow("lane_result", json.RawMessage(reportOf("nope", "delivered", `,"returns":{"limit":1}`)))
	}, time.Minute)
	e.signals(2*time.Minute, [2]string{"dtmf", `{"digits":"2"}`})
	e.signals(time.Hour, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	var status contract.State
	require.NoError(t, e.GetWorkflowResult(&status))
	require.Empty(t, status.UserData)
	require.Equal(t, 2, status.Undelivered)
	require.Equal(t, contract.LaneHandedOver, e.inputs[2].Lanes["crm"])
}
