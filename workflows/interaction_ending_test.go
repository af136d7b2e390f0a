package workflows_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/workflows"
)

// untilThen brings an interaction into each open state.
var untilThen = map[interaction.State][][2]string{
	interaction.StateStarted:    nil,
	interaction.StateQueued:     {{"place_in_queue", `{"queue":"sales"}`}},
	interaction.StateOffered:    {{"offer", `{"agent":{"id":"a1"}}`}},
	interaction.StateDialing:    {{"dial", `{"agent":{"id":"a1"},"destination":"+15550100"}`}},
	interaction.StateHandling:   {{"accept", `{"agent":{"id":"a1"}}`}},
	interaction.StateConsulting: {{"accept", `{"agent":{"id":"a1"}}`}, {"consult", `{"to":{"agent":{"id":"a2"}}}`}},
	interaction.StateConference: {{"accept", `{"agent":{"id":"a1"}}`}, {"conference", `{"agent":{"id":"a2"}}`}},
	interaction.StateInWorkbin:  {{"accept", `{"agent":{"id":"a1"}}`}, {"place_in_workbin", `{"workbin":"later"}`}},
	interaction.StateWrapUp:     {{"accept", `{"agent":{"id":"a1"}}`}, {"disconnect", `{}`}},
	interaction.StateEngaging:   {{"engage", `{"ixnProfile":{}}`}},
}

// TestEveryInteractionEnds sends no more commands to an interaction, in every open state, or
// cancels its workflow. Either way it ends with its end triggers, each once, and
// interaction_ends last.
func TestEveryInteractionEnds(t *testing.T) {
	for state, commands := range untilThen {
		for name, end := range map[string]struct {
			by      func(e *env)
			outcome interaction.Outcome
		}{
			"silence":      {func(*env) {}, interaction.OutcomeExpired},
			"cancellation": {func(e *env) { e.RegisterDelayedCallback(e.CancelWorkflow, time.Minute) }, interaction.OutcomeCanceled},
		} {
			t.Run(string(state)+"/"+name, func(t *testing.T) {
				e := newEnv(t)
				// Only the lifetime: any other timer would change the state first.
				ruled(e, timeouts(contract.Timeouts{Lifetime: time.Hour, WrapUp: 24 * time.Hour}))
				if len(commands) > 0 {
					e.signals(time.Second, commands...)
				}
				var before contract.State
				e.RegisterDelayedCallback(func() { before = query[contract.State](e, contract.QueryState) }, 30*time.Second)
				end.by(e)
				channel := "inbound"
				if state == interaction.StateEngaging {
					channel = "web"
				}
				e.start(`{"id":"i-1","contact_center":"cc","channel":"` + channel + `"}`)
				require.NoError(t, e.GetWorkflowError())
				require.Equal(t, state, before.State, "%v", before.RejectedCount)
				var last contract.State
				require.NoError(t, e.GetWorkflowResult(&last))
				require.Equal(t, interaction.StateCompleted, last.State)
				require.Equal(t, end.outcome, last.Outcome)
				moments := e.moments()
				require.Equal(t, "interaction_ends", moments[len(moments)-1])
				times := map[string]int{}
				for _, moment := range moments[before.Sequence:] {
					times[moment]++
				}
				for _, once := range []string{"interaction_ends", "interaction_ends.channel"} {
					if state == interaction.StateWrapUp && once == "interaction_ends.channel" {
						continue // the customer left before
					}
					require.Equal(t, 1, times[once], once)
				}
			})
		}
	}
}

func TestTheEndTriggersHaveTheReasonOfTheCancellation(t *testing.T) {
	for name, c := range map[string]struct {
		answer func() (string, error)
		want   any
	}{
		"given":      {func() (string, error) { return "the line burned down", nil }, "the line burned down"},
		"not given":  {func() (string, error) { return "", nil }, nil},
		"unreadable": {func() (string, error) { return "", errors.New("no Temporal") }, nil},
		"too long":   {func() (string, error) { return strings.Repeat("x", 600), nil }, strings.Repeat("x", 512) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.onCancelReason = c.answer
			e.RegisterDelayedCallback(e.CancelWorkflow, time.Second)
			e.start(startInbound)
			require.NoError(t, e.GetWorkflowError())
			last := e.events[len(e.events)-1]
			require.Equal(t, interaction.MomentInteractionEnds, last.Moment)
			require.Equal(t, c.want, last.Fields["reason"])
			require.Equal(t, 1, count(e.moments(), "interaction_ends"))
		})
	}
}

// The Temporal UI shows "Cancel Request Sent" until the run closes.
func TestTheDetailsShowACancellation(t *testing.T) {
	e := newEnv(t)
	e.RegisterDelayedCallback(e.CancelWorkflow, time.Second)
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Contains(t, e.details(), "The workflow was canceled: the interaction ends and its end triggers fire")

	other := newEnv(t)
	other.signals(time.Second, [2]string{"abandon", `{}`})
	other.start(startInbound)
	require.NotContains(t, other.details(), "canceled:")
}

func count(list []string, what string) int {
	n := 0
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}

// The replay of a run that was canceled by a worker older than the change issues the same
// commands: it read no reason.
func TestARunCanceledByAnOlderVersionReadsNoReason(t *testing.T) {
	e := newEnv(t)
	e.OnGetVersion(workflows.ChangeCancelReason, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	e.onCancelReason = func() (string, error) { t.Error("the reason was asked for"); return "", nil }
	e.RegisterDelayedCallback(e.CancelWorkflow, time.Second)
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, 1, count(e.moments(), "interaction_ends"))
}

// A cancellation may arrive in the task in which a run continues as new. The run must process
// it: Temporal does not pass it on to the next run.
func TestACanceledRunEndsTheInteractionBeforeItContinuesAsNew(t *testing.T) {
	e := newEnv(t)
	e.onDispatch = func(_ *contract.DispatchInput, result *contract.DispatchResult) { result.Sent = true }
	e.RegisterDelayedCallback(func() {
		e.SetCurrentHistoryLength(100)
		e.SetContinueAsNewSuggested(true)
	}, time.Second)
	e.signals(2*time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	e.RegisterDelayedCallback(func() {
		e.RegisterDelayedCallback(func() { e.SetCurrentHistoryLength(110) }, 0) // this makes no task of its own
		e.CancelWorkflow()
	}, 3*time.Second)
	e.start(startInbound)
	carried := asContinued(t, e.GetWorkflowError())
	require.Equal(t, interaction.OutcomeCanceled, carried.Interaction.Facts().Outcome)
	require.NotEmpty(t, carried.Outbox.Turns, "the next run dispatches the end")
}

// A pinned run that continues as new moves to the current version; without a newer version it
// stays.
func TestARunMovesToTheCurrentVersionWhenItContinuesAsNew(t *testing.T) {
	for name, c := range map[string]struct {
		changed bool
		want    workflow.ContinueAsNewVersioningBehavior
	}{
		"a newer version": {true, workflow.ContinueAsNewVersioningBehaviorAutoUpgrade},
		"no newer one":    {false, workflow.ContinueAsNewVersioningBehaviorUnspecified},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.RegisterDelayedCallback(func() {
				e.SetContinueAsNewSuggested(true)
				e.SetTargetWorkerDeploymentVersionChanged(c.changed)
			}, time.Second)
			e.signals(2*time.Second, [2]string{"dtmf", `{"digits":"1"}`})
			e.start(startInbound)
			var again *workflow.ContinueAsNewError
			require.ErrorAs(t, e.GetWorkflowError(), &again)
			require.Equal(t, c.want, again.InitialVersioningBehavior)
		})
	}
}

// A run asks Dispatch to unpin it until that is done; every run asks again.
func TestEveryRunIsUnpinnedOnce(t *testing.T) {
	e := newEnv(t)
	tries := 0
	e.onDispatch = func(_ *contract.DispatchInput, result *contract.DispatchResult) {
		tries++
		result.Unpinned = tries == 2
	}
	for i := range 4 {
		e.signals(time.Duration(i+1)*time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	}
	e.signals(10*time.Second, [2]string{"abandon", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	var asked []bool
	for _, in := range e.inputs {
		asked = append(asked, !in.Unpinned)
	}
	require.Equal(t, []bool{true, true, false, false, false, false}, asked)
}
