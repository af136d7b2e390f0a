package workflows_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
	"segue/interaction"
	"segue/workflows"
)

// forged are second arguments with which a client can start a workflow.
var forged = map[string]string{
	"empty":               `{}`,
	"without interaction": `{"interaction":null}`,
	"no object":           `"x"`,
	"state":               `{"interaction":{"state":"handling"},"outbox":{},"lanes":[{"call":"crm","handed_over":true}]}`,
	"half a recovery":     `{"recovers":{"workflow_id":"interaction/cc/i-1"}}`,
	"items":               `{"items":[{"request":{"id":"d1","url":"http://127.0.0.1/"},"status":"waiting"}]}`,
}

var startsOf = map[string]any{
	contract.WorkflowInteraction: json.RawMessage(startInbound),
	contract.WorkflowDelivery:    laneStart,
	contract.WorkflowReceiver:    contract.ReceiverStart{Call: "crm"},
}

func TestAClientCannotStartAWorkflowWithCarriedState(t *testing.T) {
	for workflow, start := range startsOf {
		for name, argument := range forged {
			t.Run(workflow+" "+name, func(t *testing.T) {
				e := newEnv(t)
				e.ExecuteWorkflow(workflow, start, json.RawMessage(argument))
				require.True(t, e.IsWorkflowCompleted())
				require.Equal(t, contract.ErrorInvalidPayload, errorType(t, e.GetWorkflowError()))
				require.ErrorContains(t, e.GetWorkflowError(), "second argument: is for runs that continue as new; start the workflow with one argument")
				require.Empty(t, e.inputs)
				require.Empty(t, e.attempts)
			})
		}
	}
}

// recovering returns an environment in which answer is the activity Recover.
func recovering(t *testing.T, answer func(contract.EndedRun) (*workflows.Carried, error)) *env {
	e := newEnv(t)
	e.RegisterActivityWithOptions(func(_ context.Context, from contract.EndedRun) (*workflows.Carried, error) { return answer(from) },
		activity.RegisterOptions{Name: contract.ActivityRecover})
	return e
}

var ended = contract.EndedRun{WorkflowID: testWorkflow, RunID: "r1"}

func TestARecoveryContinuesFromTheStateOfTheEndedRun(t *testing.T) {
	first := newEnv(t)
	first.signals(time.Second, [2]string{"place_in_queue", `{"queue":"sales","event_id":"e1"}`})
	first.RegisterDelayedCallback(func() { first.SetContinueAsNewSuggested(true) }, 2*time.Second)
	first.signals(3*time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	first.start(startInbound)
	left := asContinued(t, first.GetWorkflowError())

	e := recovering(t, func(from contract.EndedRun) (*workflows.Carried, error) {
		require.Equal(t, ended, from)
		return left, nil
	})
	e.signals(time.Minute, [2]string{"place_in_queue", `{"queue":"sales","event_id":"e1"}`}, [2]string{"abandon", `{}`})
	e.ExecuteWorkflow(contract.WorkflowInteraction, json.RawMessage(startInbound), contract.RecoveryStart{Recovers: ended})
	require.NoError(t, e.GetWorkflowError())
	var status contract.State
	require.NoError(t, e.GetWorkflowResult(&status))
	require.Equal(t, interaction.OutcomeAbandoned, status.Outcome)
	require.Equal(t, 1, status.Duplicates)
	require.NotContains(t, e.moments(), "interaction_starts", "its start was dispatched by the run that ended")
}

func TestARefusedRecoveryEndsAtOnce(t *testing.T) {
	e := recovering(t, func(contract.EndedRun) (*workflows.Carried, error) {
		return nil, temporal.NewNonRetryableApplicationError("run r1 of interaction/cc/i-1 cannot be recovered: the run does not exist", contract.ErrorNotRecoverable, nil)
	})
	e.ExecuteWorkflow(contract.WorkflowInteraction, json.RawMessage(startInbound), contract.RecoveryStart{Recovers: ended})
	require.Equal(t, contract.ErrorInvalidPayload, errorType(t, e.GetWorkflowError()))
	require.ErrorContains(t, e.GetWorkflowError(), "the run does not exist")
	require.Empty(t, e.inputs)
}
