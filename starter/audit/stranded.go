package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"segue/contract"
	"segue/replay"
)

// WorkflowTypes are the types of workflows that may be stuck.
var WorkflowTypes = []string{contract.WorkflowInteraction, contract.WorkflowDelivery, contract.WorkflowReceiver}

// endedTypes are the types of workflows that may leave something undone when they are ended from outside.
var endedTypes = []string{contract.WorkflowInteraction, contract.WorkflowDelivery}

// metadataQuery is a query that the SDK answers for every workflow.
const metadataQuery = "__temporal_workflow_metadata"

// Stranded lists the workflows that follow the current version of a deployment, did their last task on another version, and
// cannot be replayed by the current one: their next task fails. It queries the workers of the current version, because a
// worker answers a query only if it can replay the history; this binary's own replay gives the reason. An empty build id
// means unversioned workers, of which one must run. Stranded calls looked for each workflow.
func (a *Auditor) Stranded(ctx context.Context, f Filter, deployment, current string, looked func()) ([]Stuck, error) {
	conditions := f.conditions(WorkflowTypes, "ExecutionStatus = 'Running'", "TemporalWorkflowVersioningBehavior = 'AutoUpgrade'",
		fmt.Sprintf("TemporalWorkerDeployment = '%s'", deployment))
	if current != "" {
		conditions = append(conditions, fmt.Sprintf("TemporalWorkerDeploymentVersion != '%s:%s'", deployment, current))
	}
	runs, err := a.list(ctx, and(conditions))
	if err != nil {
		return nil, err
	}
	var stuck []Stuck
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelQueries)
	for _, r := range runs {
		if !f.matches(r) {
			continue
		}
		group.Go(func() error {
			reason, err := a.whyStranded(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			if reason != "" {
				stuck = append(stuck, Stuck{WorkflowID: r.id, RunID: r.runID, Problems: append(slices.Clip(r.problems), reason)})
			}
			looked()
			return err
		})
	}
	err = group.Wait()
	slices.SortFunc(stuck, func(a, b Stuck) int { return cmp.Compare(a.WorkflowID, b.WorkflowID) })
	return stuck, err
}

const (
	// parallelQueries is how many workflows are queried in parallel.
	parallelQueries = 8
	// queryLimit bounds the wait for an answer.
	queryLimit = 10 * time.Second
	// unreplayedLimit bounds it for a workflow that this binary cannot replay either.
	unreplayedLimit = 3 * time.Second
)

// whyStranded returns why the workers of the version that a run follows cannot continue it, or "" if they can.
func (a *Auditor) whyStranded(ctx context.Context, r run) (string, error) {
	limit := queryLimit
	failed := replay.Execution(ctx, a.Temporal, r.execution(), a.Log)
	if failed != nil {
		limit = unreplayedLimit
	}
	querying, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// The worker of the last task has the workflow in its cache, and would be queried first.
	_, err := a.Temporal.WorkflowService().ResetStickyTaskQueue(querying, &workflowservice.ResetStickyTaskQueueRequest{
		Namespace: a.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: r.id, RunId: r.runID},
	})
	if err == nil {
		_, err = a.Temporal.QueryWorkflow(querying, r.id, r.runID, metadataQuery)
	}
	var gone *serviceerror.NotFound
	switch {
	case err == nil, errors.As(err, &gone):
		return "", nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case isUnavailable(err):
		return "", fmt.Errorf("query %s: %w", r.id, err)
	case failed != nil:
		return "the current version cannot replay it: " + failed.Error(), nil
	}
	return "the current version does not answer for it: " + err.Error(), nil
}
