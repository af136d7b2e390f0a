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

// maxMoved bounds what is held in memory; the same command again moves the rest.
const maxMoved = 100_000

// moves is the result of moving interactions.
type moves struct {
	done   int
	failed []replayFailure
}

func (m *moves) fail(entry listEntry, err error) {
	m.failed = append(m.failed, replayFailure{History: entry.WorkflowID + " " + entry.RunID, Error: err.Error()})
}

// move takes what is pinned to one version over to another, or back with --undo. What the other version cannot replay
// stays where it was.
func (a *app) move(ctx context.Context, d *deployment, f deployFlags, to string) (moves, error) {
	from := f.move
	if f.undo {
		from, to = to, from
	}
	m := moves{failed: []replayFailure{}}
	runs, err := d.find(ctx, d.on(from, pinned), maxMoved)
	if err != nil {
		return m, err
	}
	if len(runs) > 0 && !f.dryRun {
		if err := d.requirePollers(ctx, to, f.wait); err != nil {
			return m, err
		}
	}
	bar := newProgress(a.errs, "looked at", len(runs))
	defer bar.end()
	for _, run := range runs {
		if err := a.moveOne(ctx, d, f, run, from, to, &m); err != nil {
			return m, fmt.Errorf("moving %s: %w; run the same command again to go on", run.WorkflowID, err)
		}
		bar.step()
	}
	return m, nil
}

func (a *app) moveOne(ctx context.Context, d *deployment, f deployFlags, run listEntry, from, to string, m *moves) error {
	described, err := d.Temporal.DescribeWorkflowExecution(ctx, run.WorkflowID, run.RunID)
	if isGone(err) || err == nil && described.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
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
	// One that has not gone on since it was moved is back as soon as nothing overrides its own version.
	failing := described.GetPendingWorkflowTask().GetAttempt() > 1
	target := to
	if pendingTarget(info) == from && f.undo {
		target = ""
	}
	if err := d.override(ctx, run, target); err != nil {
		if isGone(err) {
			return nil
		}
		return err
	}
	if err := d.replays(ctx, run); err != nil && !(failing && errors.Is(err, client.ErrStuck)) {
		if undone := d.override(ctx, run, pendingTarget(info)); undone != nil && !isGone(undone) {
			return errors.Join(err, undone)
		}
		m.fail(run, fmt.Errorf("the workers of %s cannot replay it: %w", to, err))
		return ctx.Err()
	}
	m.done++
	return nil
}

// override sends the next task of a run to a version, once, so that it stays there as if it had begun there. An empty
// build id takes back an override that has had no effect yet.
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

// replays asks a run a query: the workers of its version have to replay it to answer.
func (d *deployment) replays(ctx context.Context, run listEntry) error {
	ctx, cancel := limited(ctx)
	defer cancel()
	// The worker that did its last task has it in its cache, and would be asked first.
	_, err := d.Temporal.WorkflowService().ResetStickyTaskQueue(ctx, &workflowservice.ResetStickyTaskQueueRequest{
		Namespace: d.settings.Namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: run.WorkflowID, RunId: run.RunID},
	})
	if err == nil {
		_, err = d.State(ctx, client.Name{ContactCenter: run.ContactCenter, ID: run.ID})
	}
	if isGone(err) || errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrCompleted) {
		return nil // over meanwhile
	}
	return err
}

func isGone(err error) bool {
	var gone *serviceerror.NotFound
	return errors.As(err, &gone)
}

// pendingTarget is the version that an override sends the next task to.
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

// movedFrom is the version that did the last task before a run was moved to another one; empty if it never was.
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

// lookLimit is how long a deploy looks at what other versions began; an audit looks at all of it.
const lookLimit = 15 * time.Second

var errLookedLong = errors.New("looked long enough")

// stranded finds what follows the current version and cannot be replayed by it: what another version began, with
// workflows that the current one does not have. The latest begun is looked at first.
func (a *app) stranded(ctx context.Context, d *deployment, current string) ([]audit.Stuck, error) {
	looking, cancel := context.WithTimeoutCause(ctx, lookLimit, errLookedLong)
	defer cancel()
	auditor := &audit.Auditor{Temporal: d.Temporal, Namespace: d.settings.Namespace, Log: a.replayLog()}
	bar := newProgress(a.errs, "replayed", 0)
	stuck, err := auditor.Stranded(looking, audit.Filter{}, d.name, current, bar.step)
	bar.end()
	if errors.Is(err, errLookedLong) || err != nil && ctx.Err() == nil && looking.Err() != nil {
		fmt.Fprintf(a.errs, "Not all that other versions began was looked at within %s; `segue audit` looks at the rest\n", lookLimit)
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%s is current, and what other versions began was not all looked at (`segue audit` does): %w", d.label(current), err)
	}
	return list(stuck), err
}

// segueTypes names the types of Segue's workflows in Temporal's list language.
var segueTypes = "'" + strings.Join(audit.WorkflowTypes, "', '") + "'"

// How a workflow meets another version, in Temporal's list language.
const (
	pinned      = "Pinned"
	autoUpgrade = "AutoUpgrade"
)
