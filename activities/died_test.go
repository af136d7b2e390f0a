package activities_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"segue/activities"
	"segue/contract"
)

// repeated runs an Attempt first in a process that dies, after it has called dying, and then
// in the fixture's process.
func (f *fixture) repeated(t *testing.T, in contract.AttemptInput, dying func(ctx context.Context)) []contract.Outcome {
	t.Helper()
	env := new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()
	env.RegisterActivityWithOptions(func(ctx context.Context, in contract.AttemptInput) (contract.AttemptResult, error) {
		if activity.GetInfo(ctx).Attempt == 1 {
			dying(ctx)
			return contract.AttemptResult{}, errors.New("the worker died")
		}
		return f.Attempt(ctx, in)
	}, activity.RegisterOptions{Name: contract.ActivityAttempt})
	var result contract.AttemptResult
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		options := workflow.ActivityOptions{StartToCloseTimeout: time.Minute}
		return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), contract.ActivityAttempt, in).Get(ctx, &result)
	})
	require.NoError(t, env.GetWorkflowError())
	return result.Outcomes
}

// When a worker dies while it sends, it is unknown whether the receiver has the request. The
// next worker does not send it again if the call is not idempotent.
func TestAnAttemptOfADeadWorkerIsNotRepeatedUnlessIdempotent(t *testing.T) {
	f := newFixture(t)
	in := f.batch("once", 3)
	outcomes := f.repeated(t, in, func(context.Context) {})
	require.Len(t, outcomes, 1)
	assert.Equal(t, in.Requests[0].ID, outcomes[0].ID)
	assert.Equal(t, contract.VerdictFinal, outcomes[0].Verdict)
	assert.Equal(t, "timeout", outcomes[0].Class)
	assert.Equal(t, "the attempt ended without an outcome; the receiver may have the request, and the call is not idempotent: "+
		"check there, then redeliver or discard", outcomes[0].Message)
	assert.NotZero(t, outcomes[0].Retention)
	assert.Empty(t, f.receiver.requests())

	outcomes = f.repeated(t, f.batch("crm", 1), func(context.Context) {})
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict, "an idempotent one is repeated")
}

// The outcomes in the dead worker's heartbeat are known; only that of the next request is not.
func TestOnlyTheRequestInFlightOfADeadWorkerIsUnknown(t *testing.T) {
	f := newFixture(t)
	in := f.batch("once", 3)
	outcomes := f.repeated(t, in, func(ctx context.Context) {
		activity.RecordHeartbeat(ctx, []contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictDelivered, Class: "ok"}})
	})
	require.Len(t, outcomes, 2)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Equal(t, contract.VerdictFinal, outcomes[1].Verdict)
	assert.Empty(t, f.receiver.requests())
}

// The process that has sent a request knows its outcome.
func TestAnAttemptInFlightInTheSameProcessIsAdopted(t *testing.T) {
	f := newFixture(t)
	in := f.batch("once", 1)
	outcomes := f.repeated(t, in, func(ctx context.Context) {
		_, err := (&activities.Activities{Config: f.Config, Sender: f.Sender}).Attempt(ctx, in)
		assert.NoError(t, err)
	})
	require.Len(t, outcomes, 1)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Len(t, f.receiver.requests(), 1)
}
