package activities

import (
	"sync"
	"time"

	"segue/alerts"
	"segue/contract"
	"segue/delivery"
)

// sendInline sends what may be sent at once, the lanes side by side, each in order.
func (d *dispatching) sendInline() {
	over := make(chan struct{})
	var lanes sync.WaitGroup
	sending := false
	for _, l := range d.order {
		for _, p := range l.outgoing {
			p.settleUnsent()
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
	for _, p := range l.outgoing {
		if p.route == routeInline {
			return true
		}
	}
	return false
}

// sendLane sends a lane's parcels until one of them is not delivered in time;
// what is behind that one waits, wherever it was to go.
func (d *dispatching) sendLane(l *lane, over <-chan struct{}) {
	stuck := false
	for _, p := range l.outgoing {
		switch {
		case p.route == routeRecord:
		case stuck:
			p.route = routeWait
			p.wait(nil)
		case p.route == routeInline:
			d.sendRequest(p, over)
			stuck = p.status != contract.StatusDelivered
		}
	}
}

// sendRequest sends one request and waits for its outcome as long as the budget
// lasts. A request that has started goes on after that.
func (d *dispatching) sendRequest(p *outgoing, over <-chan struct{}) {
	if p.flight == nil {
		select {
		case <-over:
			p.route = routeWait
			p.wait(nil)
			return
		default:
		}
		p.flight = d.Sender.Start(p.policy, p.request, 1, dispatchCaller)
	}
	select {
	case <-p.flight.Done():
	default:
		select {
		case <-p.flight.Done():
		case <-over:
			outcome := delivery.InFlight(p.request)
			p.wait(&outcome)
			return
		}
	}
	outcome := p.flight.Outcome()
	d.Alerts.Observe(alerts.Attempt{
		Owner: d.in.Owner, Request: p.request, Outcome: outcome, BreakerOpen: d.Sender.Health(p.policy).Open(),
	})
	switch {
	case outcome.Verdict == contract.VerdictDelivered:
		p.delivered(outcome)
	case outcome.Free:
		p.route = routeWait // nothing was sent, so it is no attempt
		p.wait(nil)
	default:
		d.Sender.Claim(p.request.ID, 1, dispatchCaller)
		p.wait(&outcome)
	}
}
