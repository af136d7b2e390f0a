package workflows

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/interaction/intake"
)

// Interaction is the workflow of one interaction. Its input is the "start" object, its
// signals and updates are the commands of the lifecycle. It completes with the last state of
// the interaction when nothing is left to dispatch.
//
// Clients start it with one argument, or give a contract.FirstCommands as well. Otherwise more is
// what an earlier run carried over, or a contract.RecoveryStart.
func Interaction(ctx workflow.Context, start, more converter.RawValue) (*contract.State, error) {
	return runInteraction(ctx, start, more, func(*run) {})
}

// runInteraction is the body of the workflow. It calls opened when the run has its state.
//
// Its coroutine, the first of the run, does the work and handles the signals: each coroutine more
// takes memory as long as the workflow is cached, and time in each pass of the SDK's dispatcher.
// So it must wait with inbox.await and inbox.get only.
func runInteraction(ctx workflow.Context, start, more converter.RawValue, opened func(*run)) (*contract.State, error) {
	given, err := givenTo(ctx, more)
	if err != nil {
		return nil, refusal(err)
	}
	r, err := openRun(ctx, start, given)
	if err != nil {
		return nil, err
	}
	opened(r)
	return r.loop()
}

// Carried is the state of a run, which the run carries over to the next one.
type Carried struct {
	// Intake is the interaction, and the order of its commands.
	intake.Intake
	Rejected   rejections  `json:"rejected"`
	Outbox     outbox      `json:"outbox"`
	Lanes      lanes       `json:"lanes,omitempty"`
	Deliveries deliveryLog `json:"deliveries"`
	// Early are reports of lanes that arrived before the Dispatch that they report on ended.
	Early []laneReport `json:"early,omitempty"`
	// RefusedEngagement is the sequence number of the event "engage" whose callback the backend has refused;
	// 0 for none.
	RefusedEngagement int64 `json:"refused_engagement,omitempty"`
	// Children are the drafts of replies that are not started yet.
	Children []interaction.Start `json:"children,omitempty"`
	// Rules are the settings of the timers, as of the last Dispatch.
	Rules *contract.Rules `json:"rules,omitempty"`
	// OrphanSince is when the signal that started the workflow was refused; zero once a
	// command has been applied.
	OrphanSince time.Time `json:"orphan_since,omitzero"`
	// Runs counts the runs of this interaction, this one included.
	Runs int `json:"runs"`
	// Revision counts the visible changes.
	Revision int64 `json:"revision"`
	// FirstRunID is set if the interaction was recovered: the first run of the chain that
	// this run continues, which Temporal does not know.
	FirstRunID string `json:"first_run_id,omitempty"`
}

// run is one run of an interaction.
type run struct {
	*Carried
	// ctx outlives a cancellation of the workflow, so that the end triggers are still sent.
	// cancelable does not.
	ctx        workflow.Context
	cancelable workflow.Context
	start      converter.RawValue
	owner      contract.Owner
	inbox      *inbox
	list       listEntry
	renewal
	inFlight int  // activities of lanes and of a cancellation, and the start of children
	present  task // see the method task
	updates  int
	replies  map[*intake.Arrival]*reply // of commands whose senders wait

	dispatching bool // Dispatch is running
	starting    bool // children are being started
	changed     bool // since the loop last published what operators see; wakes the loop
	ignored     int  // results of deliveries that are not known
	wakeups     []*wakeup
	applied     bool // a command was applied in this run
	canceling   bool // the workflow was canceled, and the interaction is being ended for it
	canceled    bool // the interaction has been ended for it
	unpinned    bool // the run continues with newer versions of the workers
	// agents are those with an open leg after the last change, if there is a sink for notices.
	agents []string
}

// openRun restores or opens the interaction, then handles the signals that have arrived,
// and before them the commands that came with the start, then admits updates: each is judged on the state that it finds.
func openRun(ctx workflow.Context, start converter.RawValue, given given) (*run, error) {
	info, carried := workflow.GetInfo(ctx), given.carried
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	r := &run{Carried: carried, ctx: lasting, cancelable: ctx, start: start, inbox: inboxOf(ctx), list: listEntry{visibility: visibilityOf(ctx)}}
	if carried == nil {
		r.Carried = &Carried{}
	}
	r.Runs++
	if carried == nil {
		if err := r.openInteraction(start); err != nil {
			return nil, refusal(err)
		}
	}
	r.watchChanges()
	facts := r.Interaction.Facts()
	r.owner = contract.Owner{
		ContactCenter: facts.ContactCenter, Interaction: facts.ID, FirstRunID: cmp.Or(r.FirstRunID, info.FirstRunID),
	}
	if err := r.registerQueries(ctx); err != nil {
		return nil, err
	}
	r.takeItems(lasting, given.commands)
	r.inbox.handleWith(lasting, r.receive)
	if carried == nil && given.commands == nil && !r.applied && (r.Rejected.Count > 0 || len(r.Sequence.Buffered) > 0) {
		r.OrphanSince = workflow.Now(ctx)
	}
	if err := r.registerUpdates(ctx); err != nil {
		return nil, err
	}
	for _, l := range r.Lanes {
		r.workOff(l)
	}
	r.changed = true
	return r, nil
}

// openInteraction opens a new interaction from the workflow's input. An id in the input must
// agree with the workflow id.
func (r *run) openInteraction(input converter.RawValue) error {
	payload, err := jsonOfRaw(input)
	if err != nil {
		return err
	}
	contactCenter, id, err := identityOf(workflow.GetInfo(r.ctx).WorkflowExecution.ID)
	if err != nil {
		return err
	}
	start, err := interaction.DecodeStart(payload)
	if err != nil {
		return err
	}
	if err := checkAgreement("contact_center", start.ContactCenter, contactCenter); err != nil {
		return err
	}
	if err := checkAgreement("id", start.ID, id); err != nil {
		return err
	}
	opened, effect, err := interaction.Open(start, workflow.Now(r.ctx))
	if err != nil {
		return err
	}
	r.Interaction, r.Sequence.Passed = opened, start.SourceSequence
	r.Seen.Add(start.EventID)
	r.keepEffect(effect)
	r.noteChange(cause{command: "start", eventID: start.EventID, by: start.By, events: effect.Turn.Events})
	return nil
}

// identityOf reads contact center and interaction id from the workflow id.
func identityOf(workflowID string) (contactCenter, id string, err error) {
	parts := strings.Split(workflowID, "/")
	if len(parts) != 3 || parts[0] != "interaction" {
		return "", "", &interaction.InvalidError{
			Field: "workflow id", Value: workflowID,
			Reason: "must be interaction/<contact center>/<interaction id>",
		}
	}
	return parts[1], parts[2], nil
}

// checkAgreement returns an error if an input contradicts the workflow id.
func checkAgreement(field, given, inID string) error {
	if given == inID {
		return nil
	}
	return &interaction.InvalidError{
		Field: field, Value: given, Reason: fmt.Sprintf("the workflow id has %q; make them agree", inID),
	}
}

// loop dispatches what commands cause until the run closes or continues as new.
func (r *run) loop() (*contract.State, error) {
	for {
		if err := r.inbox.await(r.ctx, r.hasWork); err != nil {
			return nil, fmt.Errorf("waiting for commands: %w", err)
		}
		r.dropFired()
		r.endOnCancel()
		r.endRefusedEngagement()
		r.startChildren()
		if r.outboxIsDue() {
			if r.task().isDone() {
				if err := r.awaitNextTask(); err != nil {
					return nil, err
				}
				continue // the run may have to be renewed first
			}
			r.dispatch()
		}
		isMet := r.meetDeadline()
		r.decideRenewal()
		if isMet || r.outboxIsDue() {
			continue // what operators see would change again in this task
		}
		phase := r.phase()
		r.publish(phase)
		r.setWakeup()
		switch phase {
		case phaseRenewing:
			return nil, r.renew()
		case phaseSettling:
			if err := r.awaitNextTask(); err != nil {
				return nil, err
			}
		case phaseClosing:
			status := r.status()
			return &status, nil
		}
	}
}

func (r *run) hasWork() bool {
	return r.changed || r.isAwake() || r.isToCancel() || r.outboxIsDue() || r.childrenAreDue() || r.phase().isDue()
}

// refusal returns a domain error as an application error, which callers in any SDK
// distinguish by its type. Its detail is a contract.Refusal.
func refusal(err error) error {
	options := temporal.ApplicationErrorOptions{NonRetryable: true, Category: temporal.ApplicationErrorCategoryBenign}
	if reason, ok := contract.RefusalOf(err); ok {
		options.Details = []any{reason}
	}
	return temporal.NewApplicationErrorWithOptions(err.Error(), typeOf(err), options)
}
