package activities

import (
	"segue/contract"
	"segue/delivery"
)

// route is how a parcel gets to its receiver.
type route int

const (
	routeUndecided route = iota // not decided yet
	routeRecord                 // nowhere: it is only recorded
	routeInline                 // sent inside this Dispatch
	routeWait                   // attempted by the interaction
	routeHandOver               // appended to the Delivery workflow
)

// dispatchCaller is Dispatch towards the flights: a failure that one Dispatch has reported
// is the same for a Dispatch that the server has redone.
const dispatchCaller = "dispatch"

// route chooses each parcel's way. Order holds inside a lane: behind one that
// waits all wait, behind one that is handed over all are.
func (d *dispatching) route() {
	few := d.firingEvents() <= inlineMost && !d.isMore()
	started, held := 0, 0
	for _, p := range d.outgoing {
		l := d.laneOf(p.request.Call)
		l.outgoing = append(l.outgoing, p)
		p.route = d.chooseRoute(l, p, few && started < inlineMost, held)
		switch p.route {
		case routeInline:
			if p.flight == nil {
				started++
			}
		case routeWait:
			held += p.request.Size()
			l.forced = routeWait
		case routeHandOver:
			l.forced = routeHandOver
		}
	}
}

func (d *dispatching) chooseRoute(l *lane, p *outgoing, mayStart bool, held int) route {
	switch {
	case p.dryRun:
		return routeRecord
	case l.forced != routeUndecided:
		return l.forced
	case p.request.Fault != "":
		return routeHandOver // it is parked there
	}
	if flight, ok := d.Sender.Find(p.request.ID, 1, dispatchCaller); ok {
		// The server has this Dispatch redone: what was sent stays sent.
		p.flight = flight
		return routeInline
	}
	health := d.Sender.Health(p.policy)
	switch {
	case health.Refuses():
		return routeHandOver
	case held+p.request.Size() > 2*maxRendered:
		return routeHandOver // one event with so many large calls would not fit into a history
	case mayStart && p.policy.Idempotent && !p.policy.NotInline && health.Inline():
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

// firingEvents counts the events that have something to send; most fire nothing.
func (d *dispatching) firingEvents() int {
	n, last := 0, int64(0)
	for _, p := range d.outgoing {
		if !p.dryRun && p.request.Sequence != last {
			n, last = n+1, p.request.Sequence
		}
	}
	return n
}

// isMore reports whether events are left for a next Dispatch: there is a backlog.
func (d *dispatching) isMore() bool {
	n := len(d.in.Turns)
	if n == 0 || len(d.in.Turns[n-1].Events) == 0 {
		return false
	}
	events := d.in.Turns[n-1].Events
	return events[len(events)-1].Sequence > d.through
}

// settleUnsent settles the parcels that are not sent anywhere now.
func (p *outgoing) settleUnsent() {
	switch p.route {
	case routeRecord:
		p.delivered(delivery.DryRun(p.policy, p.request))
	case routeWait:
		p.wait(nil)
	}
}
