package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/client"
	"segue/replay"
	"segue/starter/audit"
)

// maxMoved bounds the list in memory. Running the same command again moves the rest.
const maxMoved = 100_000

// moves is the result of moving interactions.
type moves struct {
	done   int
	failed []replayFailure
}

func (m *moves) fail(entry listEntry, err error) {
	m.failed = append(m.failed, replayFailure{History: entry.WorkflowID + " " + entry.RunID, Error: err.Error()})
}

// move moves the interactions that are pinned to one version to another, or back with --undo. Interactions that the target
// version cannot replay stay on their version.
func (a *app) move(ctx context.Context, d *deployment, f deployFlags, to string) (moves, error) {
	from := f.move
	if f.undo {
		from, to = to, from
	}
	m := moves{failed: []replayFailure{}}
	runs, err := d.find(ctx, d.runningOn(from, pinned), maxMoved)
	if err != nil {
		return m, err
	}
	if len(runs) > 0 && !f.dryRun {
		if err := d.requirePollers(ctx, to, f.wait); err != nil {
			return m, err
		}
	}
	bar := newProgress(a.errs, "checked", len(runs))
	defer bar.end()
	for _, run := range runs {
		if err := a.moveOne(ctx, d, f, run, from, to, &m); err != nil {
			return m, fmt.Errorf("move %s: %w; run the same command again to continue", run.WorkflowID, err)
		}
		bar.step()
	}
	return m, nil
}

// moveOne moves one run, and counts it as done or failed in m.
func (a *app) moveOne(ctx context.Context, d *deployment, f deployFlags, run listEntry, from, to string, m *moves) error {
	described, err := d.Temporal.DescribeWorkflowExecution(ctx, run.WorkflowID, run.RunID)
	if isNotFound(err) || err == nil && described.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil
	}
	if err != nil {
		return err
	}
	info := described.GetWorkflowExecutionInfo()
	if f.undo {
		was, err := d.cameFrom(ctx, run, info, to, from)
		if err != nil || !was {
			return err
		}
	} else if err := replay.Execution(ctx, d.Temporal, workflow.Execution{ID: run.WorkflowID, RunID: run.RunID}, a.replayLog()); err != nil {
		m.fail(run, err)
		return ctx.Err()
	}
	if f.dryRun {
		m.done++
		return nil
	}
	// A run without a task since its move is moved back by removing the override of its version.
	failing := described.GetPendingWorkflowTask().GetAttempt() > 1
	target := to
	if pendingTarget(info) == from && f.undo {
		target = ""
	}
	if err := d.override(ctx, run, target); err != nil {
		if isNotFound(err) {
			return nil
		}
		return err
	}
	if err := d.checkReplay(ctx, run); err != nil && !(failing && errors.Is(err, client.ErrStuck)) {
		if undone := d.override(ctx, run, pendingTarget(info)); undone != nil && !isNotFound(undone) {
			return errors.Join(err, undone)
		}
		m.fail(run, fmt.Errorf("the workers of version %s cannot replay it: %w", to, err))
		return ctx.Err()
	}
	m.done++
	return nil
}

// override sends the next task of a run to a version once; the run then stays there as if it had begun there. An empty
// build id removes an override that has had no effect yet.
func (d *deployment) override(ctx context.Context, run listEntry, build string) error {
	change := sdkclient.VersioningOverrideChange{}
	if build != "" {
		change.Value = &sdkclient.OneTimeVersioningOverride{TargetVersion: worker.WorkerDeploymentVersion{DeploymentName: d.name, BuildID: build}}
	}
	_, err := d.Temporal.UpdateWorkflowExecutionOptions(ctx, sdkclient.UpdateWorkflowExecutionOptionsRequest{
		WorkflowId: run.WorkflowID, RunId: run.RunID,
		WorkflowExecutionOptionsChanges: sdkclient.WorkflowExecutionOptionsChanges{VersioningOverride: &change},
	})
	return err
}

// checkReplay queries a run: the workers of its version replay it to answer.
func (d *deployment) checkReplay(ctx context.Context, run listEntry) error {
	ctx, cancel := limited(ctx)
	defer cancel()
	// Without this, the query would go to the worker that did the last task and has the run in its cache.
	_, err := d.Temporal.WorkflowService().ResetStickyTaskQueue(ctx, &workflowservice.ResetStickyTaskQueueRequest{
		Namespace: d.settings.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: run.WorkflowID, RunId: run.RunID},
	})
	if err == nil {
		_, err = d.State(ctx, client.Name{ContactCenter: run.ContactCenter, ID: run.ID})
	}
	if isNotFound(err) || errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrCompleted) {
		return nil // it has ended meanwhile
	}
	return err
}

func isNotFound(err error) bool {
	var gone *serviceerror.NotFound
	return errors.As(err, &gone)
}

// pendingTarget returns the version that an override sends the next task to.
func pendingTarget(info *workflowpb.WorkflowExecutionInfo) string {
	return info.GetVersioningInfo().GetVersioningOverride().GetOneTime().GetTargetDeploymentVersion().GetBuildId()
}

// cameFrom reports whether a run that is pinned to a version was moved there from another one.
func (d *deployment) cameFrom(ctx context.Context, run listEntry, info *workflowpb.WorkflowExecutionInfo, from, now string) (bool, error) {
	if pendingTarget(info) == now {
		return info.GetVersioningInfo().GetDeploymentVersion().GetBuildId() == from, nil
	}
	history, err := replay.Fetch(ctx, d.Temporal, workflow.Execution{ID: run.WorkflowID, RunID: run.RunID})
	if err != nil {
		return false, err
	}
	return movedFrom(history, now) == from, nil
}

// movedFrom returns the version that did the last task before the run was moved to another version, or "" if the run was
// never moved there.
func movedFrom(history *historypb.History, to string) string {
	from, last := "", ""
	for _, event := range history.GetEvents() {
		if completed := event.GetWorkflowTaskCompletedEventAttributes(); completed != nil {
			last = completed.GetDeploymentVersion().GetBuildId()
		}
		target := event.GetWorkflowExecutionOptionsUpdatedEventAttributes().GetVersioningOverride().GetOneTime().GetTargetDeploymentVersion()
		if target.GetBuildId() == to && last != to {
			from = last
		}
	}
	return from
}

// strandedLimit bounds the check of a deploy; an audit checks all workflows.
const strandedLimit = 15 * time.Second

var errStrandedLimit = errors.New("the time for the check has passed")

// stranded finds the workflows that follow the current version and that it cannot replay, because another version began
// them with workflow code that the current one does not have. It checks the newest first.
func (a *app) stranded(ctx context.Context, d *deployment, current string) ([]audit.Stuck, error) {
	checking, cancel := context.WithTimeoutCause(ctx, strandedLimit, errStrandedLimit)
	defer cancel()
	auditor := &audit.Auditor{Temporal: d.Temporal, Namespace: d.settings.Namespace, Log: a.replayLog()}
	bar := newProgress(a.errs, "replayed", 0)
	stuck, err := auditor.Stranded(checking, audit.Filter{}, d.name, current, bar.step)
	bar.end()
	if errors.Is(err, errStrandedLimit) || err != nil && ctx.Err() == nil && checking.Err() != nil {
		fmt.Fprintf(a.errs, "Not all workflows of other versions were checked within %s; `segue audit` checks the rest.\n", strandedLimit)
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%s is current, but not all workflows of other versions were checked (`segue audit` checks them): %w", d.label(current), err)
	}
	return list(stuck), err
}

// segueTypes names the types of Segue's workflows in Temporal's list language.
var segueTypes = "'" + strings.Join(audit.WorkflowTypes, "', '") + "'"

// The versioning behaviors of workflows, in Temporal's list language.
const (
	pinned      = "Pinned"
	autoUpgrade = "AutoUpgrade"
)
