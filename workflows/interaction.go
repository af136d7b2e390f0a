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

// Interaction is the workflow of one interaction: its input is the "start" object,
// its signals and updates are the commands of the lifecycle, and it completes with
// the interaction's last state once nothing of it is left to dispatch.
//
// Clients start it with one argument. more is what an earlier run left, when a run
// continues that, or a contract.Recovery.
func Interaction(ctx workflow.Context, start, more converter.RawValue) (*contract.State, error) {
	return runInteraction(ctx, start, more, func(*run) {})
}

// runInteraction is the workflow's body; opened is given the run once it has its state.
func runInteraction(ctx workflow.Context, start, more converter.RawValue, opened func(*run)) (status *contract.State, err error) {
	err = inboxOf(ctx).serve(ctx, func(ctx workflow.Context) error {
		carried, err := carriedInteraction(ctx, more)
		if err != nil {
			return refusal(err)
		}
		r, err := openRun(ctx, start, carried)
		if err != nil {
			return err
		}
		opened(r)
		status, err = r.loop()
		return err
	})
	return status, err
}

// Carried is what one run of an interaction leaves to the next, and what a run
// works on meanwhile.
type Carried struct {
	// Desk is the interaction, and what it knows of the commands that came.
	intake.Intake
	Rejected   rejections  `json:"rejected"`
	Outbox     outbox      `json:"outbox"`
	Lanes      lanes       `json:"lanes,omitempty"`
	Deliveries deliveryLog `json:"deliveries"`
	// Early are reports of lanes that came before it was known what they have.
	Early []laneReport `json:"early,omitempty"`
	// Children are interactions that a reply asked for and that are not started yet.
	Children []interaction.Start `json:"children,omitempty"`
	// Rules are the configuration's for the timers, as of the last Dispatch.
	Rules *contract.Rules `json:"rules,omitempty"`
	// OrphanSince is when the signal that started the workflow with it was refused;
	// zero once any command was applied.
	OrphanSince time.Time `json:"orphan_since,omitzero"`
	// Runs counts the runs of this interaction, this one included.
	Runs int `json:"runs"`
	// FirstRunID is set where a client took up again what was broken off: the first
	// run of the chain that this one belongs to, which Temporal does not know.
	FirstRunID string `json:"first_run_id,omitempty"`
}

// run is one run of an interaction.
type run struct {
	*Carried
	// ctx outlives a cancellation of the workflow: the end triggers still go out.
	// asked does not.
	ctx   workflow.Context
	asked workflow.Context
	start converter.RawValue
	owner contract.Owner
	inbox *inbox
	visibility

	renewalDue bool // the run is to continue as new once nothing is in flight
	inFlight   int  // activities of lanes and of a cancellation, and the start of children
	present    task // see the method task
	updates    int
	replies    map[*intake.Arrival]*reply // of commands whose senders wait

	dispatching bool // Dispatch is running
	starting    bool // children are being started
	touched     bool // something that operators see may have changed
	ignored     int  // results of deliveries that are not known
	alarms      []*alarm
	applied     bool // a command was applied in this run
	canceled    bool // the workflow was canceled, and the interaction has been ended for it
	unpinned    bool // the run continues with newer versions of the workers
}

// openRun restores or opens the interaction, then lets the signals that came
// before it in, then the updates: each is judged on the state it finds.
func openRun(ctx workflow.Context, start converter.RawValue, carried *Carried) (*run, error) {
	info := workflow.GetInfo(ctx)
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	r := &run{Carried: carried, ctx: lasting, asked: ctx, start: start, inbox: inboxOf(ctx), visibility: visibilityOf(ctx)}
	if carried == nil {
		r.Carried = &Carried{}
		if err := r.begin(start); err != nil {
			return nil, refusal(err)
		}
	}
	r.Runs++
	facts := r.Interaction.Facts()
	r.owner = contract.Owner{
		ContactCenter: facts.ContactCenter, Interaction: facts.ID, FirstRunID: cmp.Or(r.FirstRunID, info.FirstRunID),
	}
	if err := r.answerQueries(ctx); err != nil {
		return nil, err
	}
	r.inbox.open(lasting, r.receive)
	if carried == nil && !r.applied && (r.Rejected.Count > 0 || len(r.Sequence.Buffered) > 0) {
		r.OrphanSince = workflow.Now(ctx)
	}
	if err := r.takeUpdates(ctx); err != nil {
		return nil, err
	}
	workflow.Go(ctx, r.endOnCancel)
	for _, l := range r.Lanes {
		r.work(l)
	}
	r.touched = true
	return r, nil
}

// begin opens a new interaction from the workflow's input. The workflow id says
// which one it is; an id in the input must agree.
func (r *run) begin(input converter.RawValue) error {
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
	if err := agree("contact_center", start.ContactCenter, contactCenter); err != nil {
		return err
	}
	if err := agree("id", start.ID, id); err != nil {
		return err
	}
	opened, effect, err := interaction.Open(start, workflow.Now(r.ctx))
	if err != nil {
		return err
	}
	r.Interaction, r.Sequence.Passed = opened, start.SourceSequence
	r.keepEffect(effect)
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

// agree refuses an input that contradicts the workflow id.
func agree(field, given, inID string) error {
	if given == inID {
		return nil
	}
	return &interaction.InvalidError{
		Field: field, Value: given, Reason: fmt.Sprintf("the workflow id says %q; make them agree", inID),
	}
}

// loop dispatches what commands cause until the interaction is over or the run
// has grown too long.
func (r *run) loop() (*contract.State, error) {
	for {
		if err := workflow.Await(r.ctx, r.hasWork); err != nil {
			return nil, fmt.Errorf("waiting for commands: %w", err)
		}
		r.startChildren()
		if r.outboxIsDue() {
			r.dispatch()
		}
		r.setTimers()
		r.considerRenewing()
		r.publish()
		switch r.phase() {
		case phaseRenewing:
			return nil, r.renew()
		case phaseSettling:
			r.awaitNextTask()
		case phaseClosing:
			status := r.status()
			return &status, nil
		}
	}
}

func (r *run) hasWork() bool {
	return r.touched || r.outboxIsDue() || r.childrenAreDue() || r.phase().isDue()
}

// refusal turns a domain error into the application error that a caller in any
// SDK can tell apart by its type.
func refusal(err error) error {
	return temporal.NewApplicationErrorWithOptions(err.Error(), typeOf(err), temporal.ApplicationErrorOptions{
		NonRetryable: true,
		Category:     temporal.ApplicationErrorCategoryBenign,
	})
}
