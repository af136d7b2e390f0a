package activities

import (
	"segue/contract"
	"segue/delivery"
)

// route is how a delivery gets to its receiver.
type route int

const (
	routeUndecided route = iota
	routeRecord          // not sent, only recorded
	routeInline          // sent inside this Dispatch
	routeWait            // attempted by the interaction
	routeHandOver        // appended to the Delivery workflow
)

// dispatchCaller names Dispatch to the sender. A Dispatch that the server has done again has
// the same name, and so gets the outcome that was reported to the first.
const dispatchCaller = "dispatch"

// route chooses each delivery's route. It keeps the order within a lane: behind a delivery
// that waits or is handed over, all others are as well.
func (d *dispatching) route() {
	few := d.firingEvents() <= inlineMost && !d.isMore()
	started, waitingBytes := 0, 0
	for _, out := range d.outgoing {
		l := d.laneOf(out.request.Call)
		l.outgoing = append(l.outgoing, out)
		out.route = d.chooseRoute(l, out, few && started < inlineMost, waitingBytes)
		switch out.route {
		case routeInline:
			if out.attempt == nil {
				started++
			}
		case routeWait:
			waitingBytes += out.request.Size()
			l.forced = routeWait
		case routeHandOver:
			l.forced = routeHandOver
		}
	}
}

func (d *dispatching) chooseRoute(l *lane, out *outgoing, mayStart bool, waitingBytes int) route {
	switch {
	case out.dryRun:
		return routeRecord
	case l.forced != routeUndecided:
		return l.forced
	case out.request.Fault != "":
		return routeHandOver // the lane parks it
	}
	if attempt, ok := d.Sender.Find(out.request.ID, 1, dispatchCaller); ok {
		// The server has this Dispatch done again: what was sent stays sent.
		out.attempt = attempt
		return routeInline
	}
	health := d.Sender.Health(out.policy)
	switch {
	case health.Refuses():
		return routeHandOver
	case waitingBytes+out.request.Size() > 2*maxRendered:
		return routeHandOver // so many large calls of one event would not fit into a history
	case mayStart && out.policy.Idempotent && !out.policy.NotInline && health.Inline():
		return routeInline
	}
	return routeWait
}

func (d *dispatching) laneOf(call string) *lane {
	l, ok := d.lanes[call]
	if !ok {
		l = &lane{call: call, state: d.in.Lanes[call]}
		switch l.state {
		case contract.LaneBusy:
			l.forced = routeWait
		case contract.LaneHandedOver:
			l.forced = routeHandOver
		}
		d.lanes[call] = l
		d.order = append(d.order, l)
	}
	return l
}

// firingEvents counts the events that have something to send; most events fire nothing.
func (d *dispatching) firingEvents() int {
	n, last := 0, int64(0)
	for _, out := range d.outgoing {
		if !out.dryRun && out.request.Sequence != last {
			n, last = n+1, out.request.Sequence
		}
	}
	return n
}

// isMore reports whether events are left for a next Dispatch.
func (d *dispatching) isMore() bool {
	n := len(d.in.Turns)
	if n == 0 || len(d.in.Turns[n-1].Events) == 0 {
		return false
	}
	events := d.in.Turns[n-1].Events
	return events[len(events)-1].Sequence > d.through
}

// settleUnsent completes a dry run, and leaves a waiting delivery to the workflow.
func (out *outgoing) settleUnsent() {
	switch out.route {
	case routeRecord:
		out.delivered(delivery.DryRun(out.policy, out.request))
	case routeWait:
		out.wait(nil)
	}
}
