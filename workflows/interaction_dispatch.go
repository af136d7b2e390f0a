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
	// After is the last event of the first turn that has been dispatched already.
	After int64 `json:"after,omitempty"`
}

func (o *outbox) add(turn interaction.Turn) {
	if len(turn.Events) > 0 {
		o.Turns = append(o.Turns, turn)
	}
}

// settle drops what a Dispatch has dealt with.
func (o *outbox) settle(through int64) {
	o.After = through
	for len(o.Turns) > 0 {
		events := o.Turns[0].Events
		if events[len(events)-1].Sequence > through {
			return
		}
		o.Turns[0] = interaction.Turn{} // let go of its view
		o.Turns = o.Turns[1:]
	}
	o.Turns = nil // and of the room for all that waited at once
}

// outboxIsDue tells whether there is something to dispatch now. While a lane is being
// handed over, it is not: rendered now, it would wait as well, and stand in the history
// twice more than when Dispatch gives it to the lane workflow itself in a moment.
func (r *run) outboxIsDue() bool {
	return len(r.Outbox.Turns) > 0 && r.phase() != phaseRenewing && !r.Lanes.areHandingOver()
}

// dispatch gives all that waits in the outbox to one Dispatch and records what it
// did. Dispatch answers whatever happens outside; should it ever not, that is a
// defect, and the workflow task fails until it is mended: nothing is lost.
func (r *run) dispatch() {
	r.awaitRoom(r.ctx)
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
	summary := summaryOf("events %d to %d", in.After+1, r.Interaction.Sequence())
	if err := workflow.ExecuteLocalActivity(withDispatch(r.ctx, summary), contract.ActivityDispatch, in).Get(r.ctx, &result); err != nil {
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
	r.Outbox.settle(result.Through)
	if result.Rules != nil {
		r.Rules = result.Rules
	}
	r.unpinned = r.unpinned || result.Unpinned
	if result.Sent {
		r.task().sent = true
	}
	for _, delivery := range result.Deliveries {
		r.record(delivery, result.Version)
	}
	r.dispatching = false
	r.noteEarly()
}

// recordSize is roughly what a delivery without its request takes in a marker, in bytes.
const recordSize = 300

// keepSources gives each request that waits what it was rendered from: known here
// anyway, so that it stands in no marker, and needed only if the lane fails.
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

// record notes what Dispatch did with one delivery, and sets its lane to work
// where something is left to do.
func (r *run) record(d contract.Delivery, version string) {
	r.Deliveries.add(recordOf(d, version))
	switch d.Status {
	case contract.StatusDelivered:
		if d.Outcome != nil {
			r.writeReturns(d.Call, d.Outcome.Returns)
		}
	case contract.StatusInLane:
		r.Lanes.of(d.Call).appended(d.ID)
	case contract.StatusWaiting:
		l := r.Lanes.of(d.Call)
		l.Waiting = append(l.Waiting, *d.Request)
		if d.Outcome != nil && d.Outcome.Verdict != contract.VerdictInFlight {
			l.Failed = d.Outcome
			r.noteFault(d.Call, d.Moment, d.Outcome)
		}
		r.work(l)
	}
}

// writeReturns writes what a call returned into user data. What does not fit is
// left out: nobody is there to be told, and the call itself has succeeded.
func (r *run) writeReturns(call string, returns map[string]any) {
	if err := r.Interaction.Return(returns); err != nil {
		workflow.GetLogger(r.ctx).Warn("returned values left out", "call", call, "reason", err.Error())
	}
}

func recordOf(d contract.Delivery, version string) contract.DeliveryRecord {
	record := contract.DeliveryRecord{ID: d.ID, Call: d.Call, Moment: d.Moment, Sequence: d.Sequence, Status: d.Status, Version: version}
	if d.Status == contract.StatusWaiting {
		// What waits in the interaction is shown as under way: it is next in its lane.
		record.Status = contract.StatusAttempting
	}
	if d.Outcome != nil {
		record.Code, record.Class, record.At = d.Outcome.Code, d.Outcome.Class, stamp(d.Outcome.At)
		record.Version, record.Why = cmp.Or(d.Outcome.Version, version), d.Outcome.Message
	}
	return record
}
