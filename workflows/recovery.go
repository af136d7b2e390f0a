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

// Recovery replaces the workflows in a replayer and keeps the state that the replayed one has
// at the end of its history, so that the rest of the work of a terminated run can be done. It
// serves one replay.
type Recovery struct {
	interaction *run
	lane        *laneRun
}

// Register adds the workflows to a replayer, instead of the function Register.
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

// Interaction returns the interaction as its run left it; false if the run never had one,
// because its start was refused, or if it was the run of a lane.
func (c *Recovery) Interaction() (Unfinished, bool) {
	if c.interaction == nil {
		return Unfinished{}, false
	}
	r := c.interaction
	return Unfinished{Owner: r.owner, Start: r.start, Carried: r.Carried}, true
}

// Lane returns the lane as its run left it; false if it was not the run of a lane.
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
	// Start is the input of the run, Carried its state at its end.
	Start   converter.RawValue
	Carried *Carried
}

// State returns the state of the interaction.
func (l Unfinished) State() interaction.State { return l.Carried.Interaction.Facts().State }

// End ends the interaction as a cancellation at that time would have, unless it has ended. The
// events wait to be dispatched, with all others. A run that continues the interaction sends
// their requests with the ids that the ended run would have used.
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

// Undispatched returns the events that no Dispatch has processed.
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

// Unsent returns the rendered requests that wait in the interaction, or whose outcome is not
// known.
func (l Unfinished) Unsent() []contract.Request {
	var requests []contract.Request
	for _, lane := range l.Carried.Lanes {
		requests = append(requests, lane.Waiting...)
	}
	return requests
}

// Unstarted returns the drafts of replies that were not started.
func (l Unfinished) Unstarted() []interaction.Start { return l.Carried.Children }

// errTooMuch is the error for an interaction that is too large for the input of a run.
var errTooMuch = errors.New("the state that the run left is too large for the input of a workflow")

// Fits returns an error if the interaction is too large for the input of a run.
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

// Discarded returns the discarded deliveries, the last ones, in order.
func (l UnfinishedLane) Discarded() ([]contract.DeliveryRecord, error) {
	records, err := l.lane.records()
	return slices.DeleteFunc(records, func(d contract.DeliveryRecord) bool { return d.Discarded == nil }), err
}

// Undelivered returns the requests that were neither delivered nor discarded, in order.
func (l UnfinishedLane) Undelivered() []contract.Request {
	var requests []contract.Request
	for _, it := range l.items {
		if !it.isSettled() {
			requests = append(requests, it.Request)
		}
	}
	return requests
}

// Knows reports whether the lane has ever had the delivery.
func (l UnfinishedLane) Knows(id string) bool { return l.known.Has(id) }
