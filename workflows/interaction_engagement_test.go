package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/workflows"
)

const (
	startWeb = `{"id":"i-1","contact_center":"cc","channel":"web"}`
	profile  = `{"ixnProfile":{"visitID":"v1"}}`
)

// answered makes the backend answer the callbacks of engage with a status that is final.
func answered(e *env, call string, status int) {
	fire(e, interaction.MomentEngage, call)
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictFinal, Code: status, Class: "http_4xx"}}}
	}
}

// stateAfter is the state after a while, once the workflow has run; empty if it has closed before.
func stateAfter(e *env, wait time.Duration) *contract.State {
	var state contract.State
	e.RegisterDelayedCallback(func() { state = query[contract.State](e, contract.QueryState) }, wait)
	return &state
}

// Status 400 is the FAULT of the Engagement API: the backend has refused the attempt, and no retry changes that.
func TestARefusalOfTheBackendEndsTheAttempt(t *testing.T) {
	for name, test := range map[string]struct {
		call   string
		status int
		ends   bool
	}{
		"FAULT":           {"engage", 400, true},
		"another status":  {"engage", 403, false},
		"gone":            {"engage", 410, false},
		"of another call": {"crm", 400, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			answered(e, test.call, test.status)
			state := stateAfter(e, 10*time.Second)
			e.signals(time.Second, [2]string{"engage", profile})
			e.signals(time.Minute, [2]string{"abandon", `{}`}, [2]string{"noengage", `{"cancelData":{}}`})
			e.start(startWeb)
			require.NoError(t, e.GetWorkflowError())
			require.Equal(t, 1, count(e.moments(), "fault"), "the delivery is parked all the same")
			if !test.ends {
				require.Equal(t, interaction.StateEngaging, state.State)
				return
			}
			last := query[contract.State](e, contract.QueryState)
			require.Equal(t, interaction.StateCompleted, last.State)
			require.Equal(t, interaction.OutcomeNotEngaged, last.Outcome)
			require.Equal(t, "failed", last.Engagement.Result)
			require.Equal(t, 1, count(e.moments(), "engagement_result"))
		})
	}
}

// The lane workflow owns the callback after a first attempt that failed for a while.
func TestALaneReportsTheRefusalOfTheBackend(t *testing.T) {
	e := newEnv(t)
	fire(e, interaction.MomentEngage, "engage")
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictRetry, Class: "timeout"}}}
	}
	e.signals(time.Second, [2]string{"engage", profile})
	e.RegisterDelayedCallback(func() {
		id := e.handOvers[0].Requests[0].ID
		report := map[string]any{"call": "engage", "last": id, "results": []map[string]any{
			{"id": id, "status": "parked", "when": "engage", "code": 400, "class": "http_4xx"}}}
		e.SignalWorkflow("lane_result", report)
		e.SignalWorkflow("lane_result", report) // again: nothing happens
	}, 10*time.Second)
	e.RegisterDelayedCallback(func() {
		e.SignalWorkflow("lane_drained", map[string]any{"call": "engage", "last": e.handOvers[0].Requests[0].ID})
	}, 20*time.Second)
	e.start(startWeb)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, 1, count(e.moments(), "engagement_result"))
	require.Equal(t, 1, count(e.moments(), "interaction_ends"))
}

// A visitor who was invited again by then has another attempt, which the backend has not refused.
func TestARefusalOfAnEarlierAttemptEndsNothing(t *testing.T) {
	e := newEnv(t)
	fire(e, interaction.MomentEngage, "engage")
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		return contract.AttemptResult{Outcomes: []contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictRetry, Class: "timeout"}}}
	}
	state := stateAfter(e, 20*time.Second)
	e.signals(time.Second, [2]string{"engage", profile})
	e.signals(5*time.Second, [2]string{"engage", `{"ixnProfile":{"visitID":"v1","page":"b"}}`})
	e.RegisterDelayedCallback(func() {
		e.SignalWorkflow("lane_result", map[string]any{"call": "engage", "results": []map[string]any{
			{"id": e.handOvers[0].Requests[0].ID, "status": "parked", "when": "engage", "code": 400, "class": "http_4xx"}}})
	}, 10*time.Second)
	e.signals(time.Minute, [2]string{"noengage", `{"cancelData":{}}`})
	e.start(startWeb)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, interaction.StateEngaging, state.State)
	require.Equal(t, 2, state.Engagement.Attempts)
	require.Zero(t, count(e.moments(), "engagement_result"))
}

// The replay of a run that an older worker has processed issues the same commands: the timer ended the attempt.
func TestAnOlderVersionDidNotEndARefusedAttempt(t *testing.T) {
	e := newEnv(t)
	e.OnGetVersion(workflows.ChangeEngagementRefused, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	answered(e, "engage", 400)
	state := stateAfter(e, 10*time.Second)
	e.signals(time.Second, [2]string{"engage", profile})
	e.signals(time.Minute, [2]string{"noengage", `{"cancelData":{}}`})
	e.start(startWeb)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, interaction.StateEngaging, state.State)
}
