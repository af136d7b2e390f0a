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

// endedTypes are those that may leave something undone when they are ended from outside.
var endedTypes = []string{contract.WorkflowInteraction, contract.WorkflowDelivery}

// metadataQuery is one that the SDK answers for every workflow.
const metadataQuery = "__temporal_workflow_metadata"

// Stranded lists the workflows that follow the current version of a deployment, did their last task on another one, and
// cannot be replayed by the current one: their next task fails, whether it has come yet or not. The workers of the current
// version are asked, for they answer a query by replaying the history, or not at all; this binary's own replay gives the
// reason. An empty build id means unversioned workers, and some worker must run. looked is called for each workflow.
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
	group.SetLimit(askedAtOnce)
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

// askedAtOnce is how many workflows are asked side by side; askLimit and doubtLimit are how long a worker has to answer for
// one that this binary replays, and for one that it does not.
const (
	askedAtOnce = 8
	askLimit    = 10 * time.Second
	doubtLimit  = 3 * time.Second
)

// whyStranded is why the workers of the version that a run follows cannot go on with it; empty if they can.
func (a *Auditor) whyStranded(ctx context.Context, r run) (string, error) {
	limit := askLimit
	replayed := replay.Execution(ctx, a.Temporal, r.execution(), a.Log)
	if replayed != nil {
		limit = doubtLimit
	}
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// The worker that did its last task has it in its cache, and would be asked first.
	_, err := a.Temporal.WorkflowService().ResetStickyTaskQueue(asking, &workflowservice.ResetStickyTaskQueueRequest{
		Namespace: a.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: r.id, RunId: r.runID},
	})
	if err == nil {
		_, err = a.Temporal.QueryWorkflow(asking, r.id, r.runID, metadataQuery)
	}
	var gone *serviceerror.NotFound
	switch {
	case err == nil, errors.As(err, &gone):
		return "", nil
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case isUnavailable(err):
		return "", fmt.Errorf("ask %s: %w", r.id, err)
	case replayed != nil:
		return "the current version cannot replay it: " + replayed.Error(), nil
	}
	return "the current version does not answer for it: " + err.Error(), nil
}
