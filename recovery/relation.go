package recovery

import (
	"context"
	"encoding/json"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/replay"
)

// Relation is the relation of a run to an ended run of the same interaction.
type Relation int

const (
	// Unrelated: the run never had an interaction, so its workflow id is free again.
	Unrelated Relation = iota
	// OtherLife: the interaction was started again, and the run belongs to that.
	OtherLife
	// Recovers: the run has recovered the ended one, or is going to.
	Recovers
)

// RelationOf returns the relation of a run to an ended one whose chain of runs began with
// firstRunID. It returns an error if the run's history cannot be read or does not replay with
// this version.
func RelationOf(ctx context.Context, temporal sdkclient.Client, logger log.Logger, info *workflowpb.WorkflowExecutionInfo, ended contract.EndedRun, firstRunID string) (Relation, error) {
	execution := workflow.Execution{ID: info.GetExecution().GetWorkflowId(), RunID: info.GetExecution().GetRunId()}
	history, err := replay.Fetch(ctx, temporal, execution)
	if err != nil {
		return Unrelated, err
	}
	from, isRecovery := recoveredRun(history)
	recalled, err := replay.Recall(history, logger)
	if err != nil {
		return Unrelated, fmt.Errorf("run %s of %s does not replay with this version: %w", execution.RunID, execution.ID, err)
	}
	running := info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	switch left, ok := recalled.Interaction(); {
	case ok && left.Owner.FirstRunID == firstRunID, running && isRecovery && from == ended:
		return Recovers, nil
	case ok || running:
		return OtherLife, nil
	}
	return Unrelated, nil
}

// recoveredRun returns the ended run that a run was started to recover, if any.
func recoveredRun(history *historypb.History) (contract.EndedRun, bool) {
	input := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()
	var recovery contract.RecoveryStart
	if len(input) < 2 || json.Unmarshal(input[1].GetData(), &recovery) != nil {
		return contract.EndedRun{}, false
	}
	return recovery.Recovers, recovery.Recovers.RunID != ""
}

// recoverer returns the id of the run, other than the caller, that has recovered an ended run,
// or "" if there is none.
func (a *Activities) recoverer(ctx context.Context, ended contract.EndedRun, history *historypb.History, owner contract.Owner, caller workflow.Execution, namespace string, logger log.Logger) (string, error) {
	started := history.GetEvents()[0].GetEventTime().AsTime()
	query := fmt.Sprintf("WorkflowId IN ('%s', '%s')", ended.WorkflowID, SuccessorID(ended.WorkflowID, owner))
	for page := []byte(nil); ; {
		answer, err := a.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, Query: query, NextPageToken: page})
		if err != nil {
			return "", fmt.Errorf("list the runs of %s: %w", ended.WorkflowID, err)
		}
		for _, info := range answer.GetExecutions() {
			runID := info.GetExecution().GetRunId()
			if runID == ended.RunID || runID == caller.RunID || !info.GetStartTime().AsTime().After(started) {
				continue
			}
			relation, err := RelationOf(ctx, a.Temporal, logger, info, ended, owner.FirstRunID)
			if err != nil || relation == Recovers {
				return runID, err
			}
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return "", nil
		}
	}
}
