package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// inUI is the path of a workflow in the Temporal UI; the test environment has this namespace.
func inUI(escapedID string) string {
	return "(/namespaces/default-test-namespace/workflows/" + escapedID + ")"
}

func TestAnInteractionLinksToItsLanes(t *testing.T) {
	e := newEnv(t)
	handsOver(e, "inbound.dtmf")
	link := "[`delivery/cc/i-1/crm`]" + inUI("delivery%2Fcc%2Fi-1%2Fcrm")
	id := ""
	e.RegisterDelayedCallback(func() { require.NotContains(t, e.details(), "delivery/") }, time.Millisecond)
	e.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	e.RegisterDelayedCallback(func() {
		details := e.details()
		require.Contains(t, details, "(inbound.dtmf): in its lane workflow")
		require.Contains(t, details, "\n* "+link)
		require.NotContains(t, details, "nothing left")
		records := query[[]contract.DeliveryRecord](e, contract.QueryDeliveries)
		id = records[len(records)-1].ID
		e.signals(0, [2]string{"lane_drained", reportOf(id, "delivered", "")})
	}, 2*time.Second)
	e.RegisterDelayedCallback(func() { require.Contains(t, e.details(), "\n* "+link+": nothing left") }, time.Minute)
	e.signals(time.Hour, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NotEmpty(t, id)
}

// The Temporal UI draws tables without space between their columns.
func TestTheColumnsOfATableDoNotRunTogether(t *testing.T) {
	e := newEnv(t)
	e.RegisterDelayedCallback(func() {
		rows := 0
		for line := range strings.Lines(e.details()) {
			if !strings.HasPrefix(line, "| ") {
				continue
			}
			rows++
			cells := strings.Split(strings.TrimSpace(line), "|")
			require.Len(t, cells, 7, "five cells, and nothing before and after them")
			for _, cell := range cells[1:6] {
				require.Contains(t, cell, "\u00a0\u00a0")
			}
		}
		require.Greater(t, rows, 1)
	}, time.Second)
	e.signals(time.Hour, [2]string{"abandon", `{}`})
	e.start(startInbound)
}

func TestALaneLinksToItsInteraction(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{retry(time.Hour)}
	l.append(0, handOver("d1"))
	l.at(time.Minute, func() {
		require.Contains(t, l.details(), "Lane **crm** of interaction [`i-1`]"+inUI("interaction%2Fcc%2Fi-1")+" of `cc`: 1 to deliver")
	})
	l.run()
}

func TestAReceiverLinksToAFailedInteractionAndToItsNotifications(t *testing.T) {
	r := newReceiver(t)
	r.inspection.Lanes, r.inspection.Parked = 2, 2
	r.parks(0, 2)
	r.at(time.Hour, func() {
		details := r.details()
		require.Contains(t, details, "of interaction [`i-9`]"+inUI("interaction%2Fcc%2Fi-9"))
		require.Contains(t, details, "[`alert/segue/crm/pager`]"+inUI("alert%2Fsegue%2Fcrm%2Fpager"))
	})
	r.at(2*time.Hour, func() { r.inspection.Lanes, r.inspection.Parked = 0, 0 })
	r.run()
}

func TestALaneOfAlertsLinksToItsReceiver(t *testing.T) {
	l := newLane(t)
	verdict := contract.VerdictRetry
	l.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		outcome := contract.Outcome{ID: in.Requests[0].ID, Verdict: verdict, Class: "http_5xx", RetryIn: time.Hour}
		verdict = contract.VerdictDelivered
		return contract.AttemptResult{Outcomes: []contract.Outcome{outcome}}
	}
	owner := contract.Owner{Receiver: "segue/crm", FirstRunID: "first"}
	in := handOver("d1")
	in.Owner = owner
	l.append(0, in)
	linked := false
	l.at(time.Minute, func() {
		require.Contains(t, l.details(), "of alerts about [`segue/crm`]"+inUI("receiver%2Fsegue%2Fcrm"))
		linked = true
	})
	l.ExecuteWorkflow(contract.WorkflowDelivery, contract.DeliveryStart{Owner: owner, Call: "crm"})
	require.NoError(t, l.GetWorkflowError())
	require.True(t, linked)
}

// A delivery that waits says what it waits for, and what an operator can do.
func TestTheDetailsOfALaneSayWhatADeliveryWaitsFor(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{retry(time.Hour), final()}
	l.append(0, handOver("d1", "d2"))
	l.at(90*time.Minute, func() {
		require.Contains(t, l.details(), "`d2`: waiting for the deliveries before it")
		require.NotContains(t, l.details(), "schedule", "the parked delivery blocks the lane")
	})
	l.at(time.Minute, func() {
		details := l.details()
		require.Contains(t, details, "`d1`: waiting, 1 attempt, last at ")
		require.Contains(t, details, "`d2`: waiting for the deliveries before it")
		require.Contains(t, details, "To make it now, send the signal `redeliver`")
	})
	l.signal(2*time.Hour, contract.SignalDiscard, `{"id":"d1"}`)
	l.at(3*time.Hour, func() { require.NotContains(t, l.details(), "waiting") })
	l.run()
}
