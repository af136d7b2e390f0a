package recovery

import (
	"context"
	"encoding/json"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/replay"
)

// Relation is what a run is to an ended run of the same interaction.
type Relation int

const (
	// Nothing: the run never had an interaction; its workflow id is free again.
	Unrelated Relation = iota
	// Another: the run is of another life of the interaction.
	OtherLife
	// TakesUp: the run goes on, or is about to go on, with what the ended one left.
	Recovers
)

// RelationOf reads what a run is to an ended one, whose life began with firstRunID. It
// fails when the run's history cannot be read or does not replay with this version.
func RelationOf(ctx context.Context, temporal client.Client, logger log.Logger, info *workflowpb.WorkflowExecutionInfo, ended contract.EndedRun, firstRunID string) (Relation, error) {
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

// recoveredRun is the ended run that a run was started to take up.
func recoveredRun(history *historypb.History) (contract.EndedRun, bool) {
	input := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()
	var recovery contract.RecoveryStart
	if len(input) < 2 || json.Unmarshal(input[1].GetData(), &recovery) != nil {
		return contract.EndedRun{}, false
	}
	return recovery.Recovers, recovery.Recovers.RunID != ""
}

// recoverer is the run, besides the asking one, that has taken an ended run up; empty for none.
func (a *Activities) recoverer(ctx context.Context, ended contract.EndedRun, history *historypb.History, owner contract.Owner, asking workflow.Execution, namespace string, logger log.Logger) (string, error) {
	started := history.GetEvents()[0].GetEventTime().AsTime()
	query := fmt.Sprintf("WorkflowId IN ('%s', '%s')", ended.WorkflowID, SuccessorID(ended.WorkflowID, owner))
	for page := []byte(nil); ; {
		answer, err := a.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, Query: query, NextPageToken: page})
		if err != nil {
			return "", fmt.Errorf("looking for runs of %s: %w", ended.WorkflowID, err)
		}
		for _, info := range answer.GetExecutions() {
			runID := info.GetExecution().GetRunId()
			if runID == ended.RunID || runID == asking.RunID || !info.GetStartTime().AsTime().After(started) {
				continue
			}
			standing, err := RelationOf(ctx, a.Temporal, logger, info, ended, owner.FirstRunID)
			if err != nil || standing == Recovers {
				return runID, err
			}
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return "", nil
		}
	}
}
