package recovery

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"segue/contract"
	"segue/replay"
	"segue/workflows"
)

// Activities are the activities of this package.
type Activities struct{ Temporal client.Client }

// Register makes the activity Recover known under its name in package contract.
func (a *Activities) Register(registry worker.ActivityRegistry) {
	registry.RegisterActivityWithOptions(a.Recover, activity.RegisterOptions{Name: contract.ActivityRecover})
}

// Recover returns what a run of an interaction left that was ended from outside, ended
// as of then: the state of the run that takes it up. It fails for good when the asking
// workflow is no successor of that run, when another has taken it up, when the run was not
// ended from outside, and when its history does not replay with this version.
func (a *Activities) Recover(ctx context.Context, from contract.EndedRun) (*workflows.Carried, error) {
	history, err := replay.Fetch(ctx, a.Temporal, workflow.Execution{ID: from.WorkflowID, RunID: from.RunID})
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return nil, notRecoverable(from, "there is no such run")
	}
	if err != nil {
		return nil, err
	}
	ending, ok := EndingOf(history)
	if !ok {
		return nil, notRecoverable(from, "it was not ended from outside")
	}
	recalled, err := replay.Recall(proto.CloneOf(history), activity.GetLogger(ctx))
	if err != nil {
		return nil, notRecoverable(from, "its history does not replay with this version: "+err.Error())
	}
	left, ok := recalled.Interaction()
	if !ok {
		return nil, notRecoverable(from, "it never was an interaction")
	}
	info := activity.GetInfo(ctx)
	if asking := info.WorkflowExecution.ID; asking != from.WorkflowID && asking != SuccessorID(from.WorkflowID, left.Owner) {
		return nil, notRecoverable(from, fmt.Sprintf("%s is no successor of it", asking))
	}
	taker, err := a.recoverer(ctx, from, history, left.Owner, info.WorkflowExecution, info.Namespace, activity.GetLogger(ctx))
	if err != nil {
		return nil, err
	}
	if taker != "" {
		return nil, notRecoverable(from, fmt.Sprintf("run %s has taken it up", taker))
	}
	if err := left.End(ending.At, ending.Why()); err != nil {
		return nil, notRecoverable(from, "it cannot be ended: "+err.Error())
	}
	if err := left.Fits(); err != nil {
		return nil, notRecoverable(from, err.Error())
	}
	return left.Carried, nil
}

func notRecoverable(from contract.EndedRun, reason string) error {
	message := fmt.Sprintf("run %s of %s cannot be taken up: %s", from.RunID, from.WorkflowID, reason)
	return temporal.NewApplicationErrorWithOptions(message, contract.ErrorNotRecoverable, temporal.ApplicationErrorOptions{NonRetryable: true})
}

// SuccessorMark stands between the id of an interaction's workflow and the life of it that
// is taken up, where another life has the id.
const SuccessorMark = "~"

// SuccessorID is the id of the workflow that takes an interaction up when its own id has
// been used for another life of it since.
func SuccessorID(workflowID string, owner contract.Owner) string {
	return workflowID + SuccessorMark + owner.FirstRunID[:min(8, len(owner.FirstRunID))]
}
