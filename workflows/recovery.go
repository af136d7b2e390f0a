package workflows

import (
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
	"segue/interaction"
)

// Recovery replaces the workflows in a replayer, and keeps the state that the replayed
// workflow has at the end of its history, so that what a run left undone that was ended from
// outside can still be done. A Recovery serves one replay.
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

// Interaction returns the interaction as its run left it, and false if the start of the run
// was refused, or if the run is of another workflow type.
func (c *Recovery) Interaction() (Unfinished, bool) {
	if c.interaction == nil {
		return Unfinished{}, false
	}
	r := c.interaction
	return Unfinished{Owner: r.owner, Start: r.start, Carried: r.Carried}, true
}

// Lane returns the lane, or the part of a lane, as its run left it, and false if the run is of
// another workflow type.
func (c *Recovery) Lane() (UnfinishedLane, bool) {
	if c.lane == nil {
		return UnfinishedLane{}, false
	}
	return UnfinishedLane{Start: c.lane.start, lane: c.lane}, true
}

// Unfinished is an interaction as an ended run left it.
type Unfinished struct {
	Owner contract.Owner
	// Start is the input of the run, and Carried its state at the end.
	Start   converter.RawValue
	Carried *Carried
}

// State returns the state of the interaction.
func (l Unfinished) State() interaction.State { return l.Carried.Interaction.Facts().State }

// End ends the interaction, unless it has ended, as a cancellation at that time would have
// done: the resulting events wait to be dispatched. A run that takes the interaction up sends
// them with the ids that the ended run would have used.
func (l Unfinished) End(at time.Time, reason string) error {
	l.Carried.FirstRunID = l.Owner.FirstRunID
	for _, v := range l.Carried.Release(at, at) { // commands that wait for a missing number were accepted
		if v.Err == nil && !v.Duplicate {
			l.Carried.Revision++
			l.Carried.Outbox.addTurn(v.Effect.Turn)
			l.Carried.Children = append(l.Carried.Children, v.Effect.Children...)
		}
	}
	if l.Carried.Interaction.Completed() {
		return nil
	}
	command := interaction.TimerCommand(interaction.WorkflowCancel, interaction.Timer{})
	if reason != "" {
		command.Fields = map[string]any{"reason": excerpt.Of(reason, cancelReasonLimit)}
	}
	effect, err := l.Carried.Interaction.Apply(command, at)
	if err != nil {
		return err
	}
	l.Carried.Revision++
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

// Unstarted returns the interactions that a reply asked for and that were not started.
func (l Unfinished) Unstarted() []interaction.Start { return l.Carried.Children }

// errTooMuch is for an interaction that is too large for the input of a run.
var errTooMuch = errors.New("its state is larger than the input that a workflow can be started with")

// Fits returns an error if the interaction is too large for the input of a run.
func (l Unfinished) Fits() error {
	if !isCarriable(l.Carried) {
		return errTooMuch
	}
	return nil
}

// UnfinishedLane is a lane, or a part of a lane, as an ended run left it.
type UnfinishedLane struct {
	Start contract.DeliveryStart
	lane  *laneRun
}

// Discarded returns the last discarded deliveries, in order.
func (l UnfinishedLane) Discarded() ([]contract.DeliveryRecord, error) {
	records, err := l.lane.records()
	return slices.DeleteFunc(records, func(d contract.DeliveryRecord) bool { return d.Discarded == nil }), err
}

// Undelivered returns the requests that were neither delivered nor discarded, in order.
func (l UnfinishedLane) Undelivered() []contract.Request {
	var requests []contract.Request
	for _, it := range l.lane.Items {
		if !it.isSettled() {
			requests = append(requests, it.Request)
		}
	}
	return append(requests, l.lane.Overflow...)
}

// Knows reports whether a delivery was ever appended to the lane.
func (l UnfinishedLane) Knows(id string) bool { return l.lane.Known.Has(id) }

// Next returns the name of the part that follows, or "".
func (l UnfinishedLane) Next() string { return l.lane.Next }

// Tail returns the name of the chain's last part, which only the lane itself knows, or "".
func (l UnfinishedLane) Tail() string {
	if l.lane.Tail == nil {
		return ""
	}
	return l.lane.Tail.Name
}

// IsReleased reports whether a part was released.
func (l UnfinishedLane) IsReleased() bool { return l.lane.Released }

// HoldsUp reports whether the rest of the chain waits for this workflow: the part behind it to
// be released, or the lane for the report of its last part.
func (l UnfinishedLane) HoldsUp() bool {
	if !l.lane.isPart() && l.lane.Next == "" {
		return false
	}
	return l.lane.Passed != l.lane.passing()
}

// Continues reports whether this run, a later one of the same workflow, has the place in the
// chain that an ended run had. A part that waits for its recovery does not.
func (l UnfinishedLane) Continues(ended UnfinishedLane) bool {
	if l.lane.isPart() {
		return !l.lane.Incomplete
	}
	return l.lane.Next == ended.lane.Next
}

// HandOvers returns what gives requests of the ended run, and its place in the chain, to another
// run of the same workflow: first what the run held, and after that what it was forwarding, which
// belongs behind its parts.
func (l UnfinishedLane) HandOvers(requests []contract.Request) []contract.HandOver {
	r := l.lane
	held, forwarded := l.handOver(), l.handOver()
	held.Chain.Next, held.Chain.Released, held.Chain.Recovered.Tail = r.Next, r.Released, r.Tail
	for _, request := range requests {
		if slices.ContainsFunc(r.Overflow, func(o contract.Request) bool { return o.ID == request.ID }) {
			forwarded.Requests = append(forwarded.Requests, request)
			continue
		}
		held.Requests = append(held.Requests, request)
	}
	if len(forwarded.Requests) == 0 {
		return []contract.HandOver{held}
	}
	return []contract.HandOver{held, forwarded}
}

func (l UnfinishedLane) handOver() contract.HandOver {
	return contract.HandOver{
		Owner: l.Start.Owner, Call: l.Start.Call, Part: l.Start.Part, Priority: l.lane.Priority,
		Chain: &contract.Chain{Recovered: &contract.RecoveredChain{Last: l.lane.Last}},
	}
}
