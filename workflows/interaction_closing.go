package workflows

import (
	"encoding/json"
	"fmt"
	"time"

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

func (r *run) isIdle() bool {
	return r.attempting == 0 && r.Lanes.areIdle() && len(r.Children) == 0 && !r.starting && workflow.AllHandlersFinished(r.ctx)
}

// mayClose tells whether the interaction is over and nothing of it is left to do here.
func (r *run) mayClose() bool {
	return r.Interaction.Completed() && len(r.Outbox.Turns) == 0 && r.isIdle() && !r.awaitsLateEvents() && len(r.Sequence.Held) == 0
}

// sentInThisTask tells whether requests were sent in the present workflow task.
// Such a task must not also end the run: a command that arrives meanwhile makes
// the server refuse the end and redo the whole task, requests included.
func (r *run) sentInThisTask() bool {
	return r.lastSend != 0 && r.lastSend == workflow.GetInfo(r.ctx).GetCurrentHistoryLength()
}

// awaitNextTask lets the present task complete; a timer makes the next one.
func (r *run) awaitNextTask() {
	timer := workflow.NewTimerWithOptions(r.ctx, time.Millisecond, workflow.TimerOptions{Summary: "all sent, closing"})
	if err := timer.Get(r.ctx, nil); err != nil {
		workflow.GetLogger(r.ctx).Warn("closing early", "error", err)
	}
	r.lastSend = 0
}

// taskSize bounds what the commands of one workflow task carry, in bytes: of more
// than 4 MB in one answer the server makes an end of the whole workflow.
const taskSize = 1 << 20

// spend notes what a command of the present workflow task carries.
func (r *run) spend(size int) {
	if length := workflow.GetInfo(r.ctx).GetCurrentHistoryLength(); length != r.spentIn {
		r.spentIn, r.spent = length, 0
	}
	r.spent += size
}

// awaitRoom lets the present task complete when it carries as much as it may.
func (r *run) awaitRoom(ctx workflow.Context) {
	if r.spent <= taskSize || r.spentIn != workflow.GetInfo(ctx).GetCurrentHistoryLength() {
		return
	}
	timer := workflow.NewTimerWithOptions(ctx, time.Millisecond, workflow.TimerOptions{Summary: "much at once, going on"})
	if err := timer.Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Warn("not waiting for the next task", "error", err)
	}
	r.spent = 0
}

// considerRenewing begins to wind the run down once it is long enough and has
// little enough to carry; until then it works off what it has.
func (r *run) considerRenewing() {
	r.renewing = r.isLong() && r.fitsCarrying()
	if !r.renewing {
		for _, l := range r.Lanes {
			r.work(l)
		}
	}
}

// mayRenew tells whether nothing is under way any more in a run that winds down.
// What is not dispatched yet is carried over, so that under a stream of commands
// the run is renewed at the beginning of a task, before that sends anything.
func (r *run) mayRenew() bool {
	return r.renewing && r.attempting == 0 && !r.starting && !r.isBeingCanceled() && !r.sentInThisTask() && workflow.AllHandlersFinished(r.ctx)
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

func (r *run) isLong() bool {
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

func (r *run) childrenAreDue() bool { return len(r.Children) > 0 && !r.starting && !r.renewing }

// startChildren starts the interactions that replies asked for. They live on when
// this one ends.
func (r *run) startChildren() {
	if !r.childrenAreDue() {
		return
	}
	r.starting = true
	workflow.Go(r.ctx, func(ctx workflow.Context) {
		for len(r.Children) > 0 {
			r.startChild(ctx, r.Children[0])
			r.Children = r.Children[1:]
		}
		r.starting = false
		r.touched = true
	})
}

func (r *run) startChild(ctx workflow.Context, child interaction.Start) {
	started := workflow.ExecuteChildWorkflow(r.withChild(ctx, child), contract.WorkflowInteraction, child).GetChildWorkflowExecution()
	if err := started.Get(ctx, nil); err != nil {
		workflow.GetLogger(ctx).Error("child interaction not started", "child", child.ID, "error", fmt.Errorf("start: %w", err))
	}
}
