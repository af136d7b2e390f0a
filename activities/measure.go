package activities

import (
	"segue/contract"
	"segue/metrics"
)

// measure counts the events and deliveries of this Dispatch.
func (d *dispatching) measure() {
	for i := range d.in.Turns {
		for _, event := range d.in.Turns[i].Events {
			if event.Sequence > d.in.After && event.Sequence <= d.through {
				d.Metrics.Event(string(event.Moment))
			}
		}
	}
	for _, out := range d.outgoing {
		d.Metrics.Dispatched(out.request.Call, out.metricsRoute())
	}
}

// metricsRoute returns the route that the delivery has taken. What could not be appended to
// its lane is left to the interaction.
func (out *outgoing) metricsRoute() metrics.Route {
	switch {
	case out.route == routeRecord:
		return metrics.RouteRecorded
	case out.route == routeInline:
		return metrics.RouteInline
	case out.status == contract.StatusInLane:
		return metrics.RouteLane
	default:
		return metrics.RouteAttempt
	}
}

// countUnsent counts an attempt that failed without a request being sent.
func (t *attempting) countUnsent(r contract.Request, o contract.Outcome) contract.Outcome {
	call := r.Call
	if _, ok := t.set.Call(call); !ok {
		call = metrics.Removed
	}
	t.Metrics.Attempted(metrics.Attempt{Call: call, Class: o.Class, At: r.At})
	return o
}

// inFlight registers the activity's requests that have no outcome yet as in flight.
func (t *attempting) inFlight() *metrics.Batch {
	open := t.in.Requests[len(t.outcomes):]
	if len(open) == 0 {
		return nil
	}
	return t.Metrics.InFlight(t.in.Call, len(open), open[0].At)
}
