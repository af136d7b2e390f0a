package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"segue/client"
	"segue/contract"
	"segue/delivery"
)

// HandOver appends requests to the Delivery workflow of their lane, which it
// starts when none is open. A repeat after an error is harmless: see client.Client.Append.
func (a *Activities) HandOver(ctx context.Context, in contract.HandOver) error {
	lanes := &client.Client{Temporal: a.Temporal, TaskQueue: a.taskQueue(ctx)}
	appended, err := lanes.Append(ctx, in)
	if appended > 0 && in.Part == "" {
		a.Metrics.HandedOver(in.Call, appended)
	}
	if err != nil {
		return err
	}
	if in.Failed != nil && in.Failed.Verdict == contract.VerdictFinal && len(in.Requests) > 0 {
		a.Alerts.Parked(ctx, in.Owner, in.Requests[0], *in.Failed)
	}
	return nil
}

func (a *Activities) taskQueue(ctx context.Context) string {
	if a.TaskQueue != "" {
		return a.TaskQueue
	}
	return activity.GetInfo(ctx).TaskQueue
}

// handOver appends what belongs to Delivery workflows, a lane at a time. What
// cannot be appended waits, so that the workflow hands it over later.
func (d *dispatching) handOver() {
	ctx, cancel := context.WithTimeout(d.ctx, appendWithin)
	defer cancel()
	var trouble error
	for _, l := range d.order {
		parcels := l.handedOver()
		if len(parcels) == 0 {
			continue
		}
		if trouble == nil {
			trouble = d.HandOver(ctx, d.handOverOf(l, parcels))
			if trouble != nil {
				activity.GetLogger(d.ctx).Warn("handing over failed, the interaction does it later", "call", l.call, "error", trouble)
			}
		}
		for i, p := range parcels {
			if trouble == nil {
				p.status = contract.StatusInLane
				continue
			}
			p.wait(nil)
			if i == 0 && l.state == "" && p.failsUnsent(d.Sender) {
				p.outcome = d.knownFailure(p)
			}
		}
	}
}

func (l *lane) handedOver() []*outgoing {
	var parcels []*outgoing
	for _, p := range l.outgoing {
		if p.route == routeHandOver {
			parcels = append(parcels, p)
		}
	}
	return parcels
}

// handOverOf says of a lane's first delivery why it was not even tried, so that its
// workflow need not find out by itself.
func (d *dispatching) handOverOf(l *lane, parcels []*outgoing) contract.HandOver {
	in := contract.HandOver{Owner: d.in.Owner, Call: l.call, Priority: d.rules().Priority}
	for _, p := range parcels {
		request := p.request
		request.Source = contract.SourceOf(p.view, p.event)
		in.Requests = append(in.Requests, request)
	}
	if first := parcels[0]; l.state == "" && first == l.outgoing[0] && first.failsUnsent(d.Sender) {
		in.Failed = d.knownFailure(first)
	}
	return in
}

// failsUnsent tells whether an attempt now would only say what is known already.
func (p *outgoing) failsUnsent(sender *delivery.Sender) bool {
	return p.request.Fault != "" || sender.Health(p.policy).Refuses()
}

// knownFailure tells a workflow what an attempt of a hopeless one, the first of a lane
// that was idle, would say.
func (d *dispatching) knownFailure(p *outgoing) *contract.Outcome {
	if p.request.Fault != "" {
		outcome := delivery.Unrendered(p.policy, p.request)
		return &outcome
	}
	outcome := d.Sender.Reject(p.policy, p.request)
	return &outcome
}
