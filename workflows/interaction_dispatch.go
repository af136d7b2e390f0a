package workflows

import (
	"cmp"
	"fmt"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// outbox holds the turns whose events are still to be dispatched, oldest first.
type outbox struct {
	Turns []interaction.Turn `json:"turns,omitempty"`
	// After is the last event of the first turn that has been dispatched.
	After int64 `json:"after,omitempty"`
}

func (o *outbox) addTurn(turn interaction.Turn) {
	if len(turn.Events) > 0 {
		o.Turns = append(o.Turns, turn)
	}
}

// dropDispatched drops the events that a Dispatch has processed.
func (o *outbox) dropDispatched(through int64) {
	o.After = through
	for len(o.Turns) > 0 {
		events := o.Turns[0].Events
		if events[len(events)-1].Sequence > through {
			return
		}
		o.Turns[0] = interaction.Turn{} // releases its view
		o.Turns = o.Turns[1:]
	}
	o.Turns = nil // releases the array
}

// outboxIsDue reports whether events are to be dispatched now. While a lane is being handed
// over, they are not: a request that is rendered now would have to wait for that, and be in
// the history twice more than if Dispatch itself appends it to the lane workflow afterwards.
func (r *run) outboxIsDue() bool {
	return len(r.Outbox.Turns) > 0 && r.phase() != phaseRenewing && !r.Lanes.anyToHandOver()
}

// dispatch gives the whole outbox to one Dispatch and records what it did. Dispatch answers
// whatever happens outside of Segue. If it does not, that is a defect: the workflow task
// fails until the defect is fixed, and nothing is lost.
func (r *run) dispatch() {
	turns := r.Outbox.Turns
	in := &contract.DispatchInput{
		Owner:    r.owner,
		Turns:    turns[:len(turns):len(turns)],
		After:    r.Outbox.After,
		Lanes:    r.Lanes.states(),
		Known:    r.Rules,
		Unpinned: r.unpinned,
	}
	var result contract.DispatchResult
	r.dispatching = true
	done := workflow.ExecuteLocalActivity(withDispatch(r.ctx, dispatchSummary(in)), contract.ActivityDispatch, in)
	if err := r.inbox.get(r.ctx, done, &result); err != nil {
		panic(fmt.Errorf("dispatching events after %d: %w", in.After, err))
	}
	if result.Through <= in.After {
		panic(fmt.Errorf("dispatching events after %d: no progress", in.After))
	}
	for _, delivery := range result.Deliveries {
		r.task().size += recordSize
		if delivery.Request != nil {
			r.task().size += delivery.Request.Size()
		}
	}
	keepSources(turns, result.Deliveries)
	r.Outbox.dropDispatched(result.Through)
	if result.Rules != nil {
		r.Rules = result.Rules
		r.amendNotice()
	}
	r.unpinned = r.unpinned || result.Unpinned
	if result.Sent {
		r.task().sent = true
	}
	for _, delivery := range result.Deliveries {
		r.recordDelivery(delivery, result.Version)
	}
	r.dispatching = false
	r.noteEarly()
}

// recordSize is roughly what a delivery without its request takes in a marker, in bytes.
const recordSize = 300

// keepSources gives each waiting request its source, which is needed only if the lane
// fails. The workflow has it anyway, so it does not have to be in the marker of Dispatch.
func keepSources(turns []interaction.Turn, deliveries []contract.Delivery) {
	for _, delivery := range deliveries {
		if delivery.Status != contract.StatusWaiting {
			continue
		}
		for i := range turns {
			for j := range turns[i].Events {
				if turns[i].Events[j].Sequence == delivery.Sequence {
					delivery.Request.Source = contract.SourceOf(&turns[i].View, &turns[i].Events[j])
				}
			}
		}
	}
}

// recordDelivery notes what Dispatch did with one delivery, and starts its lane if something
// is left to do.
func (r *run) recordDelivery(d contract.Delivery, version string) {
	r.Deliveries.addRecord(recordOf(d, version))
	switch d.Status {
	case contract.StatusDelivered:
		if d.Outcome != nil {
			r.writeReturns(d.Call, d.Outcome.Returns)
		}
	case contract.StatusInLane:
		r.Lanes.laneOf(d.Call).noteAppended(d.ID)
	case contract.StatusWaiting:
		l := r.Lanes.laneOf(d.Call)
		l.Waiting = append(l.Waiting, *d.Request)
		if d.Outcome != nil && d.Outcome.Verdict != contract.VerdictInFlight {
			l.Failed = d.Outcome
			r.noteFault(d.Call, d.Moment, d.Outcome)
		}
		r.workOff(l)
	}
}

// writeReturns writes the return values of a call into user data. Values that do not fit
// are only logged: the call itself has succeeded.
func (r *run) writeReturns(call string, returns map[string]any) {
	changed, err := r.Interaction.Return(returns)
	if err != nil {
		workflow.GetLogger(r.ctx).Warn("returned values do not fit into user data", "call", call, "reason", err.Error())
	}
	if changed {
		r.changed = true
		r.noteChange(cause{command: "return"})
	}
}

func recordOf(d contract.Delivery, version string) contract.DeliveryRecord {
	record := contract.DeliveryRecord{ID: d.ID, Call: d.Call, Moment: d.Moment, Sequence: d.Sequence, Status: d.Status, Version: version}
	if d.Status == contract.StatusWaiting {
		// A request that waits in the interaction is shown as attempting: it is next in its lane.
		record.Status = contract.StatusAttempting
	}
	if d.Outcome != nil {
		record.Code, record.Class, record.At = d.Outcome.Code, d.Outcome.Class, stamp(d.Outcome.At)
		record.Version, record.Why = cmp.Or(d.Outcome.Version, version), d.Outcome.Message
	}
	return record
}
