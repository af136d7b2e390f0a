package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
	"segue/recovery"
	"segue/workflows"
)

// examineInteraction returns what an interaction left undone: its end, the events that were not
// dispatched, and the requests that are not known to have arrived.
func (a *Auditor) examineInteraction(
	ctx context.Context, r run, finding Finding, left workflows.Unfinished, started *historypb.WorkflowExecutionStartedEventAttributes,
) (*repair, error) {
	finding.Interaction, finding.State = left.Owner.Interaction, left.State()
	if err := left.End(finding.EndedAt, cmp.Or(finding.Reason, finding.Ended)); err != nil {
		return nil, fmt.Errorf("end it: %w", err)
	}
	finding.describe(left)
	if finding.isEmpty() {
		return nil, nil
	}
	workflowID, isDone, err := a.successor(ctx, r, left)
	if err != nil || isDone {
		return nil, err
	}
	return &repair{finding: finding, fire: func(ctx context.Context) error { return a.recover(ctx, workflowID, r, left, started) }}, nil
}

// successor returns the id of the workflow that is to recover an interaction: its own, unless
// the interaction was reopened since. isDone reports that a run recovers it already.
func (a *Auditor) successor(ctx context.Context, r run, left workflows.Unfinished) (workflowID string, isDone bool, err error) {
	later, err := a.laterRuns(ctx, r)
	if err != nil {
		return "", false, err
	}
	ended := contract.EndedRun{WorkflowID: r.id, RunID: r.runID}
	isUsed := false
	for _, other := range later {
		switch relation, err := recovery.RelationOf(ctx, a.Temporal, a.Log, other.info, ended, left.Owner.FirstRunID); {
		case err != nil || relation == recovery.Recovers:
			return "", relation == recovery.Recovers, err
		case relation == recovery.OtherLife:
			isUsed = true
		}
	}
	if !isUsed {
		return r.id, false, nil
	}
	workflowID = recovery.SuccessorID(r.id, left.Owner)
	var missing *serviceerror.NotFound
	described, err := a.Temporal.DescribeWorkflowExecution(ctx, workflowID, "")
	if errors.As(err, &missing) {
		return workflowID, false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("describe %s: %w", workflowID, err)
	}
	switch relation, err := recovery.RelationOf(ctx, a.Temporal, a.Log, described.GetWorkflowExecutionInfo(), ended, left.Owner.FirstRunID); {
	case err != nil || relation == recovery.Recovers:
		return "", relation == recovery.Recovers, err
	case relation == recovery.OtherLife:
		return "", false, fmt.Errorf("cannot be recovered: the workflow id %s is used by another interaction", workflowID)
	}
	return workflowID, false, nil
}

// recover starts a run that does what an ended run left undone, with the ids that the ended
// run would have used. Its input names the ended run, which the activity Recover reads.
// Temporal refuses a second such run.
func (a *Auditor) recover(ctx context.Context, workflowID string, ended run, left workflows.Unfinished, started *historypb.WorkflowExecutionStartedEventAttributes) error {
	if err := left.Fits(); err != nil {
		return err
	}
	priority := started.GetPriority()
	facts := left.Carried.Interaction.Facts()
	_, err := a.Temporal.ExecuteWorkflow(ctx, sdkclient.StartWorkflowOptions{
		ID:                                       workflowID,
		TaskQueue:                                a.taskQueueFor(started),
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            fmt.Sprintf("%s interaction %s, ended after an audit", facts.Channel, facts.ID),
		Priority: temporal.Priority{
			PriorityKey: int(priority.GetPriorityKey()), FairnessKey: priority.GetFairnessKey(), FairnessWeight: priority.GetFairnessWeight(),
		},
	}, contract.WorkflowInteraction, left.Start, contract.RecoveryStart{Recovers: contract.EndedRun{WorkflowID: ended.id, RunID: ended.runID}})
	var exists *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &exists) {
		return nil // another audit has started it
	}
	if err != nil {
		return fmt.Errorf("start its recovery: %w", err)
	}
	return nil
}
