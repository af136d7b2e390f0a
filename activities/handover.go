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

// handOver appends deliveries to the Delivery workflows of their lanes, one lane at a time.
// After the first error, all others wait: the workflow hands them over later.
func (d *dispatching) handOver() {
	ctx, cancel := context.WithTimeout(d.ctx, appendWithin)
	defer cancel()
	var failed error
	for _, l := range d.order {
		deliveries := l.handedOver()
		if len(deliveries) == 0 {
			continue
		}
		if failed == nil {
			failed = d.HandOver(ctx, d.handOverOf(l, deliveries))
			if failed != nil {
				activity.GetLogger(d.ctx).Warn("the hand-over failed; the interaction repeats it later", "call", l.call, "error", failed)
			}
		}
		for i, out := range deliveries {
			if failed == nil {
				out.status = contract.StatusInLane
				continue
			}
			out.wait(nil)
			if i == 0 && l.state == "" && out.failsUnsent(d.Sender) {
				out.outcome = d.knownFailure(out)
			}
		}
	}
}

func (l *lane) handedOver() []*outgoing {
	var deliveries []*outgoing
	for _, out := range l.outgoing {
		if out.route == routeHandOver {
			deliveries = append(deliveries, out)
		}
	}
	return deliveries
}

// handOverOf returns the hand-over of a lane's deliveries. It carries the failure of the
// lane's first one if that is known without an attempt.
func (d *dispatching) handOverOf(l *lane, deliveries []*outgoing) contract.HandOver {
	in := contract.HandOver{Owner: d.in.Owner, Call: l.call, Priority: d.rules().Priority}
	for _, out := range deliveries {
		request := out.request
		request.Source = contract.SourceOf(out.view, out.event)
		in.Requests = append(in.Requests, request)
	}
	if first := deliveries[0]; l.state == "" && first == l.outgoing[0] && first.failsUnsent(d.Sender) {
		in.Failed = d.knownFailure(first)
	}
	return in
}

// failsUnsent reports whether an attempt now would fail without sending anything.
func (out *outgoing) failsUnsent(sender *delivery.Sender) bool {
	return out.request.Fault != "" || sender.Health(out.policy).Refuses()
}

// knownFailure returns the outcome that an attempt would have of a delivery that failsUnsent.
func (d *dispatching) knownFailure(out *outgoing) *contract.Outcome {
	if out.request.Fault != "" {
		outcome := delivery.Unrendered(out.policy, out.request)
		return &outcome
	}
	outcome := d.Sender.Reject(out.policy, out.request)
	return &outcome
}
