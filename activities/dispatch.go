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
	// inlineBudget is how long one Dispatch may be sending: a workflow task waits for it,
	// and the server has the task done again if too much arrives in the meantime.
	inlineBudget = delivery.Overrun
	// inlineMost is how many requests one Dispatch sends at most. A Dispatch with more
	// events that fire calls sends none.
	inlineMost = 8
	// maxRendered bounds the requests of one Dispatch, in bytes, beyond its first event.
	maxRendered = 256 << 10
	// appendWithin bounds the appends of one Dispatch to Delivery workflows.
	appendWithin = 2500 * time.Millisecond
)

// Dispatch is a local activity. It takes the events after in.After, renders the calls that
// they fire, sends what may be sent inline, hands over what belongs to a Delivery workflow,
// and leaves the rest to the workflow. Failures of receivers, templates and triggers are in
// the result, never an error. Dispatch does not change in.
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

// dispatching is the state of one Dispatch.
type dispatching struct {
	*Activities
	ctx     context.Context
	in      *contract.DispatchInput
	set     *config.Set
	started time.Time

	outgoing []*outgoing // by event, then by trigger: the order of the result
	lanes    map[string]*lane
	order    []*lane // by their first delivery
	through  int64

	unpinned bool
}

// outgoing is the delivery of one event to one call while Dispatch decides about it.
type outgoing struct {
	request contract.Request
	view    *interaction.View // what the request is rendered from, with event
	event   *interaction.Event
	policy  delivery.Policy
	dryRun  bool
	route   route
	attempt *delivery.Attempt // set if this process has sent the request before

	status  contract.DeliveryStatus
	outcome *contract.Outcome
}

// lane holds the deliveries of one call, in order.
type lane struct {
	call     string
	state    contract.LaneState
	outgoing []*outgoing
	forced   route // the route of the next delivery, if those before it decide it
}

func (d *dispatching) result() *contract.DispatchResult {
	result := &contract.DispatchResult{Version: d.set.Version, Through: d.through, Unpinned: d.unpinned}
	if rules := d.rules(); d.in.Known == nil || *d.in.Known != rules {
		result.Rules = &rules
	}
	for _, out := range d.outgoing {
		if out.status == contract.StatusDelivered && out.outcome.Version == result.Version {
			out.outcome.Version = "" // it is the result's
		}
		done := contract.Delivery{
			ID: out.request.ID, Call: out.request.Call, Moment: out.request.Moment, Sequence: out.request.Sequence,
			Status: out.status, Outcome: out.outcome,
		}
		if out.status == contract.StatusWaiting || out.route == routeRecord {
			done.Request = &out.request
		}
		result.Deliveries = append(result.Deliveries, done)
		result.Sent = result.Sent || out.wasSent()
	}
	return result
}

// wasSent reports whether this Dispatch sent the request to its receiver, or handed it over
// to its lane.
func (out *outgoing) wasSent() bool {
	return out.status == contract.StatusInLane || out.route == routeInline && out.outcome != nil && !out.outcome.Free
}

// rules returns the rules of the interaction's current channel and queue.
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

// wait leaves the delivery to the workflow.
func (out *outgoing) wait(outcome *contract.Outcome) {
	out.status, out.outcome = contract.StatusWaiting, outcome
}

// delivered completes the delivery and keeps what a reader of the history needs.
func (out *outgoing) delivered(outcome contract.Outcome) {
	outcome = withoutSchedule(outcome)
	out.status, out.outcome = contract.StatusDelivered, &outcome
}

// withoutSchedule drops the fields that serve a next attempt from a delivered outcome.
func withoutSchedule(o contract.Outcome) contract.Outcome {
	if o.Verdict == contract.VerdictDelivered {
		o.Of, o.Order, o.Retention = 0, "", 0
	}
	return o
}
