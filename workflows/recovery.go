package workflows

import (
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/interaction/intake"
)

// Recovery stands in for the workflows in a replayer, and remembers what the one that
// is replayed has at the end of its history: so what a run left undone that was
// ended from outside can still be done. It serves one replay.
type Recovery struct {
	interaction *run
	lane        *laneRun
}

// Register adds the workflows to a replayer, in the place of the function Register.
func (c *Recovery) Register(registry worker.WorkflowRegistry) {
	registry.RegisterWorkflowWithOptions(c.runInteraction, workflow.RegisterOptions{Name: contract.WorkflowInteraction})
	registry.RegisterWorkflowWithOptions(c.runDelivery, workflow.RegisterOptions{Name: contract.WorkflowDelivery})
}

func (c *Recovery) runInteraction(ctx workflow.Context, start, more converter.RawValue) (*contract.State, error) {
	return runInteraction(ctx, start, more, func(r *run) { c.interaction = r })
}

func (c *Recovery) runDelivery(ctx workflow.Context, start contract.DeliveryStart, more converter.RawValue) (*contract.DeliveryResult, error) {
	return runDelivery(ctx, start, more, func(r *laneRun) { c.lane = r })
}

// Interaction is the interaction as its run left it; false where the run never had
// one, because its start was refused, or where it was a lane's.
func (c *Recovery) Interaction() (Unfinished, bool) {
	if c.interaction == nil {
		return Unfinished{}, false
	}
	r := c.interaction
	return Unfinished{Owner: r.owner, Start: r.start, Carried: r.Carried}, true
}

// Lane is a lane as its run left it.
func (c *Recovery) Lane() (UnfinishedLane, bool) {
	if c.lane == nil {
		return UnfinishedLane{}, false
	}
	items := c.lane.Items
	for _, request := range c.lane.Overflow {
		items = append(items, &item{Request: request})
	}
	return UnfinishedLane{Start: c.lane.start, known: c.lane.Known, items: items, lane: c.lane}, true
}

// Unfinished is an interaction that a run left behind.
type Unfinished struct {
	Owner contract.Owner
	// Start is the input of the run, Carried what it had at its end.
	Start   converter.RawValue
	Carried *Carried
}

// State is how the interaction stands.
func (l Unfinished) State() interaction.State { return l.Carried.Interaction.Facts().State }

// End ends the interaction as a cancellation at that time would have, if it has not
// ended: what that fires waits with all else to be dispatched. A run that takes it
// up again sends it with the ids that the run which left it would have used.
func (l Unfinished) End(at time.Time, reason string) error {
	l.Carried.FirstRunID = l.Owner.FirstRunID
	for _, verdict := range l.Carried.Release(at, at) { // commands that still wait for a missing number
		if verdict.Err == nil && !verdict.Duplicate {
			l.Carried.Outbox.addTurn(verdict.Effect.Turn)
			l.Carried.Children = append(l.Carried.Children, verdict.Effect.Children...)
		}
	}
	if l.Carried.Interaction.Completed() {
		return nil
	}
	command := interaction.TimerCommand(interaction.WorkflowCancel, interaction.Timer{})
	if reason != "" {
		command.Fields = map[string]any{"reason": excerpt(reason, cancelReasonLimit)}
	}
	effect, err := l.Carried.Interaction.Apply(command, at)
	if err != nil {
		return err
	}
	l.Carried.Outbox.addTurn(effect.Turn)
	return nil
}

// Undispatched are the events that no Dispatch has dealt with.
func (l Unfinished) Undispatched() []interaction.Event {
	var events []interaction.Event
	for _, turn := range l.Carried.Outbox.Turns {
		for _, event := range turn.Events {
			if event.Sequence > l.Carried.Outbox.After {
				events = append(events, event)
			}
		}
	}
	return events
}

// Unsent are the rendered requests that wait in the interaction, or of which it is
// not known what came.
func (l Unfinished) Unsent() []contract.Request {
	var requests []contract.Request
	for _, lane := range l.Carried.Lanes {
		requests = append(requests, lane.Waiting...)
	}
	return requests
}

// Unstarted are the interactions that a reply asked for and that were not started.
func (l Unfinished) Unstarted() []interaction.Start { return l.Carried.Children }

// errTooMuch is for an interaction that no run can be given.
var errTooMuch = errors.New("what it has left is more than a workflow can be started with")

// Fits tells whether a run can be given the interaction.
func (l Unfinished) Fits() error {
	if !isCarriable(l.Carried) {
		return errTooMuch
	}
	return nil
}

// UnfinishedLane is a lane that a run left behind.
type UnfinishedLane struct {
	Start contract.DeliveryStart
	known intake.Seen
	items []*item
	lane  *laneRun
}

// Discarded are the deliveries that were given up, the last ones, in their order.
func (l UnfinishedLane) Discarded() ([]contract.DeliveryRecord, error) {
	records, err := l.lane.records()
	return slices.DeleteFunc(records, func(d contract.DeliveryRecord) bool { return d.Discarded == nil }), err
}

// Undelivered are the requests that have neither arrived nor been given up, in their
// order.
func (l UnfinishedLane) Undelivered() []contract.Request {
	var requests []contract.Request
	for _, it := range l.items {
		if !it.isSettled() {
			requests = append(requests, it.Request)
		}
	}
	return requests
}

// Knows tells whether a delivery was ever given to the lane.
func (l UnfinishedLane) Knows(id string) bool { return l.known.Has(id) }
