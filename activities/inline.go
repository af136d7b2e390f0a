package activities

import (
	"sync"
	"time"

	"segue/alerts"
	"segue/contract"
	"segue/delivery"
)

// sendInline sends the inline deliveries, the lanes in parallel and each lane in order. It
// ends when inlineBudget is used up; requests that have started go on.
func (d *dispatching) sendInline() {
	over := make(chan struct{})
	var lanes sync.WaitGroup
	sending := false
	for _, l := range d.order {
		for _, out := range l.outgoing {
			out.settleUnsent()
		}
		if l.hasInline() {
			sending = true
			lanes.Go(func() { d.sendLane(l, over) })
		}
	}
	if !sending {
		return
	}
	budget := time.AfterFunc(inlineBudget-time.Since(d.started), func() { close(over) })
	lanes.Wait()
	budget.Stop()
}

func (l *lane) hasInline() bool {
	for _, out := range l.outgoing {
		if out.route == routeInline {
			return true
		}
	}
	return false
}

// sendLane sends a lane's deliveries until one of them is not delivered in time. Those behind
// that one wait, whatever their route was.
func (d *dispatching) sendLane(l *lane, over <-chan struct{}) {
	blocked := false
	for _, out := range l.outgoing {
		switch {
		case out.route == routeRecord:
		case blocked:
			out.route = routeWait
			out.wait(nil)
		case out.route == routeInline:
			d.sendRequest(out, over)
			blocked = out.status != contract.StatusDelivered
		}
	}
}

// sendRequest sends one request and waits for its outcome until the budget is used up. A
// request that has started goes on after that.
func (d *dispatching) sendRequest(out *outgoing, over <-chan struct{}) {
	if out.attempt == nil {
		select {
		case <-over:
			out.route = routeWait
			out.wait(nil)
			return
		default:
		}
		out.attempt = d.Sender.Start(out.policy, out.request, 1, dispatchCaller)
	}
	select {
	case <-out.attempt.Done():
	default:
		select {
		case <-out.attempt.Done():
		case <-over:
			outcome := delivery.InFlight(out.request)
			out.wait(&outcome)
			return
		}
	}
	outcome := out.attempt.Outcome()
	d.Alerts.Observe(alerts.Attempt{
		Owner: d.in.Owner, Request: out.request, Outcome: outcome, BreakerOpen: d.Sender.Health(out.policy).Open(),
	})
	switch {
	case outcome.Verdict == contract.VerdictDelivered:
		out.delivered(outcome)
	case outcome.Free:
		out.route = routeWait // nothing was sent, so it is no attempt
		out.wait(nil)
	default:
		d.Sender.Claim(out.request.ID, 1, dispatchCaller)
		out.wait(&outcome)
	}
}
