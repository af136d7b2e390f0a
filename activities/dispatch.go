package activities

import (
	"context"
	"time"

	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/interaction"
)

const (
	// inlineBudget is how long one Dispatch may be about sending: a workflow task
	// waits for it, and the server redoes the task when too much arrives meanwhile.
	inlineBudget = delivery.Overrun
	// inlineMost is how many requests one Dispatch starts, and how many events
	// with deliveries it may have to start any.
	inlineMost = 8
	// maxRendered bounds the requests of one Dispatch, in bytes, beyond its first event.
	maxRendered = 256 << 10
	// appendWithin bounds the appends of one Dispatch to Delivery workflows.
	appendWithin = 2500 * time.Millisecond
)

// Dispatch is a local activity: it deals with the events after in.After, renders
// the calls that they fire, sends what may be sent at once, hands over what belongs
// to a Delivery workflow, and leaves the rest to the workflow. What a receiver, a
// template or a trigger does is in the result, never an error. It only reads in.
func (a *Activities) Dispatch(ctx context.Context, in *contract.DispatchInput) (*contract.DispatchResult, error) {
	d := &dispatching{
		Activities: a,
		ctx:        ctx,
		in:         in,
		set:        a.Config(),
		started:    time.Now(),
		lanes:      map[string]*lane{},
		through:    in.After,
	}
	d.plan()
	d.route()
	d.sendInline()
	d.handOver()
	d.overrideVersioning()
	d.measure()
	return d.result(), nil
}

// dispatching is one Dispatch at work.
type dispatching struct {
	*Activities
	ctx     context.Context
	in      *contract.DispatchInput
	set     *config.Set
	started time.Time

	outgoing []*outgoing // by event, then by trigger: the order of the result
	lanes    map[string]*lane
	order    []*lane // by their first parcel
	through  int64

	unpinned bool
}

// outgoing is one event × one call on its way.
type outgoing struct {
	request contract.Request
	view    *interaction.View // what it is rendered from
	event   *interaction.Event
	policy  delivery.Policy
	dryRun  bool
	route   route
	flight  *delivery.Attempt // set when this process has sent it before

	status  contract.DeliveryStatus
	outcome *contract.Outcome
}

// lane is the parcels of one call, in order.
type lane struct {
	call     string
	state    contract.LaneState
	outgoing []*outgoing
	forced   route // where the next parcel has to go because of those before it
}

func (d *dispatching) result() *contract.DispatchResult {
	result := &contract.DispatchResult{Version: d.set.Version, Through: d.through, Unpinned: d.unpinned}
	if rules := d.rules(); d.in.Known == nil || *d.in.Known != rules {
		result.Rules = &rules
	}
	for _, p := range d.outgoing {
		if p.status == contract.StatusDelivered && p.outcome.Version == result.Version {
			p.outcome.Version = "" // the result says it for all
		}
		done := contract.Delivery{
			ID: p.request.ID, Call: p.request.Call, Moment: p.request.Moment, Sequence: p.request.Sequence,
			Status: p.status, Outcome: p.outcome,
		}
		if p.status == contract.StatusWaiting || p.route == routeRecord {
			done.Request = &p.request
		}
		result.Deliveries = append(result.Deliveries, done)
		result.Sent = result.Sent || p.wasSent()
	}
	return result
}

// wasSent tells whether the parcel's request left the process inside this Dispatch, for
// its receiver or its lane workflow.
func (p *outgoing) wasSent() bool {
	return p.status == contract.StatusInLane || p.route == routeInline && p.outcome != nil && !p.outcome.Free
}

// rules are those of the channel and queue that the interaction is in by now.
func (d *dispatching) rules() contract.Rules {
	var facts interaction.Facts
	if n := len(d.in.Turns); n > 0 {
		facts = d.in.Turns[n-1].View.Interaction
	}
	rules := contract.Rules{
		Timeouts: d.set.TimeoutsForQueue(facts.Channel, facts.Queue),
		Priority: d.set.Priority(d.in.Owner.ContactCenter, facts.Channel, facts.Queue),
	}
	if queue, ok := d.set.Queue(facts.Queue); ok {
		rules.Overflow, rules.MaxMisses = queue.Overflow, queue.MaxMisses
	}
	return rules
}

// wait leaves the parcel to the workflow.
func (p *outgoing) wait(outcome *contract.Outcome) {
	p.status, p.outcome = contract.StatusWaiting, outcome
}

// delivered ends the parcel; only what a reader of the history needs is kept.
func (p *outgoing) delivered(outcome contract.Outcome) {
	outcome = withoutSchedule(outcome)
	p.status, p.outcome = contract.StatusDelivered, &outcome
}

// withoutSchedule drops what an outcome holds for a next attempt: a delivered one has none.
func withoutSchedule(o contract.Outcome) contract.Outcome {
	if o.Verdict == contract.VerdictDelivered {
		o.Of, o.Order, o.Retention = 0, "", 0
	}
	return o
}
