package e2e_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdktemporal "go.temporal.io/sdk/temporal"

	"segue/contract"
	"segue/interaction"
)

// TestReasonsAndCapabilitiesOverTheWire: the reason of a refusal is the detail of the error, from
// the validator of an update and from its handler, the query takes an actor, and a numbered
// command with no_wait is answered before its number is next.
func TestReasonsAndCapabilitiesOverTheWire(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(crm.URL, "script_signal"))
	run := e.start("r1", "inbound")

	refused := func(command, payload string) contract.Refusal {
		_, err := e.update(t.Context(), "r1", command, payload)
		var application *sdktemporal.ApplicationError
		require.True(t, errors.As(err, &application), "%v", err)
		var reason contract.Refusal
		require.NoError(t, application.Details(&reason))
		return reason
	}
	reason := refused("hold", `{}`)
	require.Equal(t, interaction.WhyState, reason.Why)
	require.Equal(t, interaction.StateStarted, reason.State)
	require.Contains(t, reason.Legal, "place_in_queue")
	require.Equal(t, contract.Refusal{Why: interaction.WhyMissing, Field: "queue"}, refused("place_in_queue", `{}`))
	require.Equal(t, interaction.WhyRole, refused("survey", `{"answers":{},"by":{"id":"sue","role":"supervisor"}}`).Why)
	require.Equal(t, interaction.WhyOrder, refused("dtmf", `{"digits":"1","source_sequence":99999}`).Why, "its handler refuses it")

	array := func(payload string) []contract.CommandResult {
		handle, err := e.client.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
			WorkflowID: e.workflowID("r1"), UpdateName: contract.UpdateCommands, Args: []any{json.RawMessage(payload)},
			WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		require.NoError(t, err)
		var results []contract.CommandResult
		require.NoError(t, handle.Get(t.Context(), &results))
		return results
	}
	require.True(t, array(`[{"command":"accept","agent":"ada","source_sequence":2,"no_wait":true}]`)[0].Waiting)
	first := array(`[{"command":"place_in_queue","queue":"sales","source_sequence":1,"no_wait":true},{"command":"dance"}]`)
	require.False(t, first[0].Waiting)
	require.Equal(t, interaction.WhyUnknown, first[1].Error.Why)

	capabilities := func(args ...any) []string {
		value, err := e.client.QueryWorkflow(t.Context(), e.workflowID("r1"), "", contract.QueryState, args...)
		require.NoError(t, err)
		var state contract.State
		require.NoError(t, value.Get(&state))
		require.Equal(t, interaction.StateHandling, state.State, "both were applied, in order")
		require.Equal(t, run.GetRunID(), state.RunID)
		require.EqualValues(t, 3, state.Revision)
		return state.Capabilities
	}
	require.Contains(t, capabilities(), "segment_change")
	require.Equal(t, capabilities(), capabilities("not an actor"))
	require.NotContains(t, capabilities(contract.StateRequest{ID: "sue", Role: interaction.RoleSupervisor}), "segment_change")
	require.Contains(t, capabilities(contract.StateRequest{ID: "ada", Role: interaction.RoleAgent}), "hold")
	require.Empty(t, capabilities(contract.StateRequest{ID: "bob", Role: interaction.RoleAgent}))

	answer, err := e.update(t.Context(), "r1", "reply", `{"event_id":"rep-1","by":{"id":"ada","role":"agent"}}`)
	require.NoError(t, err)
	e.eventually(time.Minute, "the draft has started", func() bool {
		draft, err := query[contract.State](e, answer.Child, contract.QueryState)
		return err == nil && draft.State == interaction.StateComposing
	})
	for _, id := range []string{"r1", answer.Child} {
		repeated, err := e.update(t.Context(), id, "dtmf", `{"event_id":"rep-1"}`)
		require.NoError(t, err, "the event_id of the reply is that of the start of its draft")
		require.True(t, repeated.Duplicate)
		e.signal(id, "cancel", `{}`)
	}
	require.NoError(t, run.Get(t.Context(), nil))
	require.NoError(t, replayWith(e.history("r1", run.GetRunID())))
}
