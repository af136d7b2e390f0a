package activities

import (
	"segue/contract"
	"segue/metrics"
)

// measure counts what this Dispatch dealt with.
func (d *dispatching) measure() {
	for i := range d.in.Turns {
		for _, event := range d.in.Turns[i].Events {
			if event.Sequence > d.in.After && event.Sequence <= d.through {
				d.Metrics.Event(string(event.Moment))
			}
		}
	}
	for _, p := range d.outgoing {
		d.Metrics.Dispatched(p.request.Call, p.metricsRoute())
	}
}

// metricsRoute is how the parcel has left Dispatch; what could not be appended to its
// lane is left to the interaction.
func (p *outgoing) metricsRoute() metrics.Route {
	switch {
	case p.route == routeRecord:
		return metrics.RouteRecorded
	case p.route == routeInline:
		return metrics.RouteInline
	case p.status == contract.StatusInLane:
		return metrics.RouteLane
	default:
		return metrics.RouteAttempt
	}
}

// countUnsent counts an attempt that this run does not send.
func (t *attempting) countUnsent(r contract.Request, o contract.Outcome) contract.Outcome {
	call := r.Call
	if _, ok := t.set.Call(call); !ok {
		call = metrics.Removed
	}
	t.Metrics.Attempted(metrics.Attempt{Call: call, Class: o.Class, At: r.At})
	return o
}

// inFlight notes what the activity has in hand: the requests it has no outcome for yet.
func (t *attempting) inFlight() *metrics.Batch {
	left := t.in.Requests[len(t.outcomes):]
	if len(left) == 0 {
		return nil
	}
	return t.Metrics.InFlight(t.in.Call, len(left), left[0].At)
}
