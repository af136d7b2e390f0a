package workflows

import (
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// Bounds of a run. The server suggests to continue as new by events and bytes. It does not
// count signals, of which it takes 10,000 a run, and leaves little room below its limit of
// 2,000 updates; these bounds are well below the limits.
const (
	renewAfterSignals = 4000
	renewAfterUpdates = 1500
	renewAfterEvents  = 7000
	// carryLimit is what may be carried over, in bytes; the server takes 2 MiB.
	carryLimit = 1 << 20
	// carryTurns is how many undispatched turns may be carried over.
	carryTurns = 200
)

// renewal is what a run knows about its continuation as new.
type renewal struct {
	renewalDue bool // the run is to continue as new once nothing is in flight
	measured   measure
}

// measure is whether the run could carry everything over, and what it had then: its age, which
// only grows, and its backlog.
type measure struct {
	carriable    bool
	age, backlog int
}

// isValid reports whether a measure still tells what a new one would, roughly: the whole state is
// encoded for one. The state of a run that works off its backlog becomes smaller within one task.
func (m measure) isValid(age, backlog int) bool {
	return m.age > 0 && age < m.age+100 && (m.carriable || backlog > m.backlog-m.backlog/8)
}

// decideRenewal decides whether the run is to continue as new: if it is long and can carry
// everything over. Until then the run works off its backlog.
func (r *run) decideRenewal() {
	r.renewalDue = r.isOverBounds() && r.mayCarry()
	if r.phase() == phaseRenewing { // much may have come since it was measured
		r.measure()
		r.renewalDue = r.measured.carriable
	}
	if !r.renewalDue {
		for _, l := range r.Lanes {
			r.workOff(l)
		}
	}
}

// mayCarry reports whether everything can be carried over, as of the last measure.
func (r *run) mayCarry() bool {
	if len(r.Outbox.Turns) > carryTurns || r.Lanes.size() > 2*carryLimit {
		return false // encoding it all would take too long
	}
	if !r.measured.isValid(r.age(), r.backlog()) {
		r.measure()
	}
	return r.measured.carriable
}

func (r *run) measure() {
	r.measured = measure{carriable: r.fitsCarrying(), age: r.age(), backlog: r.backlog()}
}

// age counts what the run has had so far.
func (r *run) age() int {
	return workflow.GetInfo(r.ctx).GetCurrentHistoryLength() + r.inbox.received + r.updates
}

// turnSize is roughly what a turn takes, in bytes.
const turnSize = 4 << 10

// backlog estimates the part of the state that becomes smaller, in bytes.
func (r *run) backlog() int { return r.Lanes.size() + len(r.Outbox.Turns)*turnSize }

// renew continues the run as new. A run that is pinned to a version of the workers moves to
// the current version: the carried state does not depend on the commands that led to it.
func (r *run) renew() error {
	options := workflow.ContinueAsNewErrorOptions{}
	if workflow.GetInfo(r.ctx).GetTargetWorkerDeploymentVersionChanged() {
		options.InitialVersioningBehavior = workflow.ContinueAsNewVersioningBehaviorAutoUpgrade
	}
	return workflow.NewContinueAsNewErrorWithOptions(r.ctx, options, contract.WorkflowInteraction, r.start, r.Carried)
}

// isOverBounds reports whether the run should continue as new.
func (r *run) isOverBounds() bool {
	return workflow.GetInfo(r.ctx).GetContinueAsNewSuggested() || r.exceeds(100)
}

// exceeds reports whether the run has reached that percentage of its bounds.
func (r *run) exceeds(percent int) bool {
	return workflow.GetInfo(r.ctx).GetCurrentHistoryLength() >= renewAfterEvents*percent/100 ||
		r.inbox.received >= renewAfterSignals*percent/100 || r.updates >= renewAfterUpdates*percent/100
}

// fitsCarrying reports whether everything can be carried over. If the state is too large,
// it drops the sources of the waiting requests first: continuing is worth more than being
// able to render them again.
func (r *run) fitsCarrying() bool {
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

// startChildren starts the drafts of replies. They continue when this interaction ends.
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
		r.changed = true
	})
}

func (r *run) startChild(ctx workflow.Context, child interaction.Start) {
	started := workflow.ExecuteChildWorkflow(r.withChild(ctx, child), contract.WorkflowInteraction, child).GetChildWorkflowExecution()
	if err := started.Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Error("child interaction not started", "child", child.ID, "error", fmt.Errorf("start: %w", err))
	}
}
