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

// repeated runs an Attempt that first comes to a process that dies with it, after
// whatever dying does, and then to the desk's own.
func (d *desk) repeated(t *testing.T, in contract.AttemptInput, dying func(ctx context.Context)) []contract.Outcome {
	t.Helper()
	env := new(testsuite.WorkflowTestSuite).NewTestWorkflowEnvironment()
	env.RegisterActivityWithOptions(func(ctx context.Context, in contract.AttemptInput) (contract.AttemptResult, error) {
		if activity.GetInfo(ctx).Attempt == 1 {
			dying(ctx)
			return contract.AttemptResult{}, errors.New("the worker died")
		}
		return d.Attempt(ctx, in)
	}, activity.RegisterOptions{Name: contract.ActivityAttempt})
	var result contract.AttemptResult
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		options := workflow.ActivityOptions{StartToCloseTimeout: time.Minute}
		return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), contract.ActivityAttempt, in).Get(ctx, &result)
	})
	require.NoError(t, env.GetWorkflowError())
	return result.Outcomes
}

// After a worker died while it sent, it is unknown whether the receiver has the request.
// One that is not idempotent is not sent again by the next worker.
func TestAnAttemptThatAnotherWorkerBeganIsNotRepeated(t *testing.T) {
	d := newDesk(t)
	in := d.batch("once", 3)
	outcomes := d.repeated(t, in, func(context.Context) {})
	require.Len(t, outcomes, 1)
	assert.Equal(t, in.Requests[0].ID, outcomes[0].ID)
	assert.Equal(t, contract.VerdictFinal, outcomes[0].Verdict)
	assert.Equal(t, "timeout", outcomes[0].Class)
	assert.Equal(t, "the attempt ended without an outcome; the receiver may have the request, and the call is not idempotent: "+
		"check there, then redeliver or discard", outcomes[0].Message)
	assert.NotZero(t, outcomes[0].Retention)
	assert.Empty(t, d.receiver.requests())

	outcomes = d.repeated(t, d.batch("crm", 1), func(context.Context) {})
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict, "one that is idempotent is")
}

// What the heartbeat of the dead worker tells is known, and only the next one is not.
func TestOnlyWhatTheDeadWorkerWasSendingIsUnknown(t *testing.T) {
	d := newDesk(t)
	in := d.batch("once", 3)
	outcomes := d.repeated(t, in, func(ctx context.Context) {
		activity.RecordHeartbeat(ctx, []contract.Outcome{{ID: in.Requests[0].ID, Verdict: contract.VerdictDelivered, Class: "ok"}})
	})
	require.Len(t, outcomes, 2)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Equal(t, contract.VerdictFinal, outcomes[1].Verdict)
	assert.Empty(t, d.receiver.requests())
}

// The process that has sent the request itself knows its outcome.
func TestAnAttemptThatThisWorkerBeganIsAdopted(t *testing.T) {
	d := newDesk(t)
	in := d.batch("once", 1)
	outcomes := d.repeated(t, in, func(ctx context.Context) {
		_, err := (&activities.Activities{Config: d.Config, Sender: d.Sender}).Attempt(ctx, in)
		assert.NoError(t, err)
	})
	require.Len(t, outcomes, 1)
	assert.Equal(t, contract.VerdictDelivered, outcomes[0].Verdict)
	assert.Len(t, d.receiver.requests(), 1)
}
