package workflows

import (
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// The server suggests continuing as new by events and bytes, but does not count
// signals, of which it takes 10,000 a run, nor leave much room below its 2,000
// updates; so the run has bounds of its own, well inside.
const (
	renewAfterSignals = 4000
	renewAfterUpdates = 1500
	renewAfterEvents  = 7000
	// carryLimit is what may be carried over, in bytes; the server takes 2 MiB.
	carryLimit = 1 << 20
	// carryTurns is how many undispatched turns may be carried at all.
	carryTurns = 200
)

// considerRenewing decides whether the run is to continue as new: when it is long and
// the next run can be given everything. Until then the run works off what it has.
func (r *run) considerRenewing() {
	r.renewalDue = r.isOverBounds() && r.fitsCarrying()
	if !r.renewalDue {
		for _, l := range r.Lanes {
			r.work(l)
		}
	}
}

// renew continues the run as new. One that is pinned to a version of the workers
// takes the occasion to go over to the newest: what is carried says nothing of the
// commands that led to it.
func (r *run) renew() error {
	options := workflow.ContinueAsNewErrorOptions{}
	if workflow.GetInfo(r.ctx).GetTargetWorkerDeploymentVersionChanged() {
		options.InitialVersioningBehavior = workflow.ContinueAsNewVersioningBehaviorAutoUpgrade
	}
	return workflow.NewContinueAsNewErrorWithOptions(r.ctx, options, contract.WorkflowInteraction, r.start, r.Carried)
}

// isOverBounds reports whether the run should be renewed.
func (r *run) isOverBounds() bool {
	return workflow.GetInfo(r.ctx).GetContinueAsNewSuggested() || r.exceeds(100)
}

// exceeds tells whether the run is at least that many percent as long as it should be.
func (r *run) exceeds(percent int) bool {
	return workflow.GetInfo(r.ctx).GetCurrentHistoryLength() >= renewAfterEvents*percent/100 ||
		r.inbox.received >= renewAfterSignals*percent/100 || r.updates >= renewAfterUpdates*percent/100
}

// fitsCarrying tells whether the next run can be given everything. Before it says
// no, it lets go of what requests were rendered from: that they could be rendered
// anew is worth less than going on.
func (r *run) fitsCarrying() bool {
	if len(r.Outbox.Turns) > carryTurns || r.Lanes.size() > 2*carryLimit {
		return false // to tell so by encoding it all would take long
	}
	if isCarriable(r.Carried) {
		return true
	}
	for _, l := range r.Lanes {
		for i := range l.Waiting {
			l.Waiting[i].Source = nil
		}
	}
	return isCarriable(r.Carried)
}

func isCarriable(state any) bool {
	carried, err := json.Marshal(state)
	return err == nil && len(carried) <= carryLimit
}

func (r *run) childrenAreDue() bool {
	return len(r.Children) > 0 && !r.starting && r.phase() == phaseRunning
}

// startChildren starts the interactions that replies asked for. They live on when
// this one ends.
func (r *run) startChildren() {
	if !r.childrenAreDue() {
		return
	}
	r.starting = true
	r.inFlight++
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		for len(r.Children) > 0 {
			r.startChild(ctx, r.Children[0])
			r.Children = r.Children[1:]
		}
		r.starting = false
		r.inFlight--
		r.touched = true
	})
}

func (r *run) startChild(ctx workflow.Context, child interaction.Start) {
	started := workflow.ExecuteChildWorkflow(r.withChild(ctx, child), contract.WorkflowInteraction, child).GetChildWorkflowExecution()
	if err := started.Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Error("child interaction not started", "child", child.ID, "error", fmt.Errorf("start: %w", err))
	}
}
