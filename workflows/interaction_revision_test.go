package workflows_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/contract"
	"segue/interaction"
	"segue/workflows"
)

// TestEachVisibleChangeHasOneRevision: commands, timers, faults and returned values count once,
// refusals, repeats, and values that change nothing do not count.
func TestEachVisibleChangeHasOneRevision(t *testing.T) {
	e := newEnv(t)
	fire(e, "inbound.dtmf", "crm")
	deliver := e.onDispatch
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		deliver(in, result)
		result.Rules = &contract.Rules{Timeouts: contract.Timeouts{Offer: time.Minute, LateEvents: time.Minute, SequenceGap: gap}}
	}
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		outcome := delivered(in.Requests[0].ID)
		outcome.Returns = map[string]any{"tier": "gold"}
		if len(e.attempts) == 3 {
			outcome = gone(in.Requests[0].ID)
		}
		return contract.AttemptResult{Outcomes: []contract.Outcome{outcome}}
	}
	want := int64(1)
	after := 10 * time.Second
	check := func(about string, changes int64, command, payload string) {
		want += changes
		revision := want
		e.signals(after, [2]string{command, payload})
		e.at(after+5*time.Second, func() {
			require.Equal(t, revision, e.status().Revision, about)
			require.NotEmpty(t, e.status().RunID)
		})
		after += 10 * time.Second
	}
	check("a command", 1, "place_in_queue", `{"queue":"sales","event_id":"q"}`)
	check("a repeat", 0, "place_in_queue", `{"queue":"sales","event_id":"q"}`)
	check("an applied command that changes nothing", 1, "place_in_queue", `{"queue":"sales"}`)
	check("a refusal", 0, "hold", `{}`)
	check("a malformed command", 0, "hold", `7`)
	check("no command", 0, "dance", `{}`)
	check("a command and the values that its call returns", 2, "dtmf", `{"digits":"1"}`)
	check("a command whose call returns the same values", 1, "dtmf", `{"digits":"2"}`)
	check("a command and the fault of its call", 2, "dtmf", `{"digits":"3"}`)
	check("a command that has waited for its number", 1, "signal_added", `{"name":"s","source_sequence":2}`)
	check("an array", 2, contract.SignalCommands, `[{"command":"set_attributes"},{"command":"hold"},{"command":"offer","agent":"a1"}]`)
	after += time.Minute
	want++ // the offer has been missed
	check("a timer", 0, "dance", `{}`)
	check("the end", 1, "abandon", `{}`)
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.Equal(t, want, last.Revision)
}

func TestTheRevisionContinuesInTheNextRun(t *testing.T) {
	first := newEnv(t)
	first.signals(time.Second, [2]string{"place_in_queue", `{"queue":"sales"}`})
	first.RegisterDelayedCallback(func() { first.SetContinueAsNewSuggested(true) }, 2*time.Second)
	first.signals(3*time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	first.start(startInbound)
	left := asContinued(t, first.GetWorkflowError())
	require.EqualValues(t, 3, left.Revision)

	e := newEnv(t)
	e.at(time.Second, func() { require.EqualValues(t, 3, e.status().Revision) })
	e.signals(2*time.Second, [2]string{"abandon", `{}`})
	e.goOn(contract.WorkflowInteraction, json.RawMessage(startInbound), left)
	var last contract.State
	require.NoError(t, e.GetWorkflowResult(&last))
	require.EqualValues(t, 4, last.Revision)
}

// A run that recovers an ended one has a higher revision than that one, if it has changed anything.
func TestAnEndByRecoveryCounts(t *testing.T) {
	first := newEnv(t)
	first.signals(time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	first.RegisterDelayedCallback(func() { first.SetContinueAsNewSuggested(true) }, 2*time.Second)
	first.signals(3*time.Second, [2]string{"dtmf", `{"digits":"2"}`}, [2]string{"dtmf", `{"digits":"3","source_sequence":2}`})
	ruled(first, timeouts(contract.Timeouts{SequenceGap: time.Hour}))
	first.start(startInbound)
	left := asContinued(t, first.GetWorkflowError())
	require.EqualValues(t, 3, left.Revision)
	require.Len(t, left.Sequence.Buffered, 1)

	ended := workflows.Unfinished{Carried: left}
	require.NoError(t, ended.End(time.Now().Add(time.Hour), "deleted"))
	require.EqualValues(t, 5, left.Revision, "the command that waited, and the end")
	require.Equal(t, interaction.StateCompleted, ended.State())
}

// TestTheRevisionOfAnAnswerCountsWhatWasApplied: any commands in any order.
func TestTheRevisionOfAnAnswerCountsWhatWasApplied(t *testing.T) {
	lines := []string{
		`"command":"place_in_queue","queue":"sales"`, `"command":"offer","agent":"a1"`, `"command":"accept","agent":"a1"`, `"command":"hold"`,
		`"command":"retrieve"`, `"command":"hold","by":{"id":"a2","role":"agent"}`, `"command":"survey","answers":{},"by":{"id":"s","role":"supervisor"}`,
		`"command":"offer"`, `"command":"dance"`, `"event_id":"e1"`, `"command":"update_user_data","user_data":{"a":1}`,
	}
	rapid.Check(t, func(rt *rapid.T) {
		var array string
		count := rapid.IntRange(1, 12).Draw(rt, "commands")
		for range count {
			line := rapid.SampledFrom(lines).Draw(rt, "line")
			array += fmt.Sprintf(`,{"event_id":"e%d",%s}`, rapid.IntRange(1, 8).Draw(rt, "id"), line)
		}
		e := newEnv(t)
		var update *updateCallbacks
		e.at(time.Second, func() { update = e.update("u1", contract.UpdateCommands, "["+array[1:]+"]") })
		e.signals(time.Minute, [2]string{"cancel", `{}`})
		e.start(startInbound)
		require.NoError(rt, e.GetWorkflowError())
		results := update.answer.([]contract.CommandResult)
		require.Len(rt, results, count)
		revision := int64(1)
		for _, result := range results {
			if result.Error == nil && !result.Duplicate {
				revision++
			}
			require.Equal(rt, revision, result.Revision)
		}
		var last contract.State
		require.NoError(rt, e.GetWorkflowResult(&last))
		ends := int64(1)
		if last.Agent != nil || last.PreviousAgent != nil {
			ends++ // the wait for late data has ended, too
		}
		require.Equal(rt, revision+ends, last.Revision)
	})
}
