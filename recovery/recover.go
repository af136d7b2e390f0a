package recovery

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"segue/contract"
	"segue/replay"
	"segue/workflows"
)

// Activities are the activities of this package.
type Activities struct{ Temporal sdkclient.Client }

// Register registers the activity Recover under its name in package contract.
func (a *Activities) Register(registry worker.ActivityRegistry) {
	registry.RegisterActivityWithOptions(a.Recover, activity.RegisterOptions{Name: contract.ActivityRecover})
}

// Recover returns the state of an interaction whose run was ended from outside, with the
// interaction ended at that time. The calling workflow continues with it. Recover fails
// permanently, with contract.ErrorNotRecoverable, if the calling workflow is not a successor of
// the ended run, if another run has recovered it, if the run was not ended from outside, and if
// its history does not replay with this version.
func (a *Activities) Recover(ctx context.Context, from contract.EndedRun) (*workflows.Carried, error) {
	history, err := replay.Fetch(ctx, a.Temporal, workflow.Execution{ID: from.WorkflowID, RunID: from.RunID})
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return nil, notRecoverable(from, "the run does not exist")
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
		return nil, notRecoverable(from, "it was never an interaction")
	}
	info := activity.GetInfo(ctx)
	if caller := info.WorkflowExecution.ID; caller != from.WorkflowID && caller != SuccessorID(from.WorkflowID, left.Owner) {
		return nil, notRecoverable(from, fmt.Sprintf("%s is not a successor of it", caller))
	}
	recoverer, err := a.recoverer(ctx, from, history, left.Owner, info.WorkflowExecution, info.Namespace, activity.GetLogger(ctx))
	if err != nil {
		return nil, err
	}
	if recoverer != "" {
		return nil, notRecoverable(from, fmt.Sprintf("run %s has recovered it", recoverer))
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
	message := fmt.Sprintf("run %s of %s cannot be recovered: %s", from.RunID, from.WorkflowID, reason)
	return temporal.NewApplicationErrorWithOptions(message, contract.ErrorNotRecoverable, temporal.ApplicationErrorOptions{NonRetryable: true})
}

// SuccessorMark separates the id of an interaction's workflow from the recovered first run in
// a SuccessorID.
const SuccessorMark = "~"

// SuccessorID returns the id of the workflow that recovers an interaction whose own id has
// been used for a reopened one since.
func SuccessorID(workflowID string, owner contract.Owner) string {
	return workflowID + SuccessorMark + owner.FirstRunID[:min(8, len(owner.FirstRunID))]
}
