package workflows_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

// noWait returns an update "commands" of one element with no_wait.
func noWait(command, payload string) string {
	return `[{"command":"` + command + `","no_wait":true,` + payload[1:] + `]`
}

func resultsOf(t *testing.T, update *updateCallbacks) []contract.CommandResult {
	t.Helper()
	require.NoError(t, update.rejected)
	require.NoError(t, update.failed)
	require.NotNil(t, update.answer, "the update is answered")
	return update.answer.([]contract.CommandResult)
}

// Two commands in the wrong order, each an update of its own that is answered before the next is sent.
func TestCommandsThatDoNotWaitAreAppliedInOrder(t *testing.T) {
	e := inOrder(t)
	e.at(time.Second, func() {
		second := e.update("u1", contract.UpdateCommands, noWait("offer", numbered(2, `{"agent":"a1","event_id":"o"}`)))
		repeated := e.update("u2", contract.UpdateCommands, noWait("offer", numbered(2, `{"agent":"a1","event_id":"o"}`)))
		e.at(100*time.Millisecond, func() {
			for _, update := range []*updateCallbacks{second, repeated} {
				results := resultsOf(t, update)
				require.Nil(t, results[0].Error)
				require.True(t, results[0].Waiting)
				require.False(t, results[0].Duplicate)
				require.Equal(t, interaction.StateStarted, results[0].State)
			}
			first := e.update("u3", contract.UpdateCommands, noWait("place_in_queue", numbered(1, `{"queue":"sales"}`)))
			e.at(100*time.Millisecond, func() {
				results := resultsOf(t, first)
				require.False(t, results[0].Waiting)
				require.Equal(t, interaction.StateQueued, results[0].State, "the state that the command left")
				require.Equal(t, interaction.StateOffered, e.status().State)
				require.Equal(t, 1, e.status().Duplicates)
				require.Zero(t, e.status().RejectedCount)
				e.SignalWorkflow("abandon", json.RawMessage(numbered(3, `{}`)))
			})
		})
	})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}

func TestTheRestOfTheArrayGoesOn(t *testing.T) {
	e := inOrder(t)
	var update *updateCallbacks
	e.at(time.Second, func() {
		update = e.update("u1", contract.UpdateCommands, `[
			{"command":"dtmf","digits":"3","source_sequence":3,"no_wait":true},{"command":"dtmf","digits":"2","source_sequence":2},
			{"command":"dtmf","digits":"9","no_wait":true},{"command":"dtmf","digits":"1","source_sequence":1,"no_wait":false}]`)
	})
	e.at(2*time.Second, func() {
		results := resultsOf(t, update)
		waiting := ""
		for _, result := range results {
			require.Nil(t, result.Error)
			if result.Waiting {
				waiting += "w"
			} else {
				waiting += "-"
			}
		}
		require.Equal(t, "w---", waiting)
		e.SignalWorkflow("abandon", json.RawMessage(`{}`))
	})
	e.start(startInbound)
	require.Equal(t, "9123", e.digits())
	for _, event := range e.events {
		require.NotContains(t, event.Fields, "no_wait")
	}
}

func TestACommandThatDidNotWaitIsRefusedAsASignalIs(t *testing.T) {
	e := inOrder(t)
	var ahead, far, taken, odd *updateCallbacks
	e.at(time.Second, func() {
		ahead = e.update("u1", contract.UpdateCommands, noWait("hold", numbered(2, `{"event_id":"h"}`)))
		far = e.update("u2", contract.UpdateCommands, noWait("dtmf", numbered(99999, `{"digits":"1"}`)))
		taken = e.update("u3", contract.UpdateCommands, noWait("dtmf", numbered(2, `{"digits":"1"}`)))
		odd = e.update("u4", contract.UpdateCommands, `[{"command":"dtmf","digits":"1","no_wait":"yes"}]`)
	})
	e.at(1500*time.Millisecond, func() {
		require.True(t, resultsOf(t, ahead)[0].Waiting)
		for _, update := range []*updateCallbacks{far, taken} {
			require.Equal(t, interaction.WhyOrder, resultsOf(t, update)[0].Error.Why)
			require.False(t, resultsOf(t, update)[0].Waiting)
		}
		require.Equal(t, contract.Refusal{Why: interaction.WhyInvalid, Field: "no_wait"}, resultsOf(t, odd)[0].Error.Refusal)
		require.Equal(t, 2, e.status().RejectedCount, "for their numbers")
	})
	e.at(10*time.Second, func() { // the wait for number 1 is over
		rejected := query[[]contract.Rejected](e, contract.QueryRejected)
		require.Len(t, rejected, 3)
		require.Equal(t, "h", rejected[2].EventID)
		require.True(t, strings.HasPrefix(rejected[2].Reason, "hold is not legal in state started"))
		e.SignalWorkflow("abandon", json.RawMessage(`{}`))
	})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
}

// The buffered command is carried over, without the field.
func TestACommandThatDoesNotWaitSurvivesItsRun(t *testing.T) {
	first := inOrder(t)
	var update *updateCallbacks
	first.at(time.Second, func() {
		update = first.update("u1", contract.UpdateCommands, noWait("dtmf", numbered(2, `{"digits":"2"}`)))
		first.SetContinueAsNewSuggested(true)
	})
	first.start(startInbound)
	left := asContinued(t, first.GetWorkflowError())
	require.True(t, resultsOf(t, update)[0].Waiting, "it does not keep the run from continuing as new")
	require.Len(t, left.Sequence.Buffered, 1)

	e := inOrder(t)
	e.signals(500*time.Millisecond, dtmf(1))
	e.signals(time.Minute, [2]string{"abandon", `{}`})
	e.goOn(contract.WorkflowInteraction, json.RawMessage(startInbound), left)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, "12", e.digits())
	for _, event := range e.events {
		require.NotContains(t, event.Fields, "no_wait")
	}
}

// Outside of arrays the field is one of the platform's own.
func TestNoWaitIsForArrays(t *testing.T) {
	e := inOrder(t)
	var ahead *updateCallbacks
	e.at(time.Second, func() {
		ahead = e.update("u1", "dtmf", numbered(2, `{"digits":"2","no_wait":true}`))
	})
	e.at(1500*time.Millisecond, func() {
		require.Nil(t, ahead.answer)
		e.SignalWorkflow("dtmf", json.RawMessage(dtmf(1)[1]))
	})
	e.signals(time.Minute, [2]string{contract.SignalCommands, `[{"command":"dtmf","digits":"3","no_wait":true},{"command":"abandon"}]`})
	e.start(startInbound)
	require.Equal(t, "123", e.digits())
	require.NotContains(t, e.events[len(e.events)-1].Fields, "no_wait")
	require.False(t, ahead.answer.(contract.Answer).Waiting)
}
