package activities

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"segue/contract"
	"segue/delivery"
	"segue/interaction/intake"
)

// maxAppend bounds the requests of one append, in bytes.
const maxAppend = 256 << 10

// HandOver appends requests to the Delivery workflow of their lane, which it
// starts when there is none. A repeat after an error is harmless: the workflow
// drops the deliveries that it knows, and so does one that is started after it closed.
func (a *Activities) HandOver(ctx context.Context, in contract.HandOver) error {
	for _, chunk := range chunks(in) {
		if err := a.appendTo(ctx, chunk); err != nil {
			return fmt.Errorf("appending %d requests to %s: %w", len(chunk.Requests), laneOf(chunk), err)
		}
		if in.Part == "" {
			a.Metrics.HandedOver(in.Call, len(chunk.Requests))
		}
	}
	if in.Failed != nil && in.Failed.Verdict == contract.VerdictFinal && len(in.Requests) > 0 {
		a.Alerts.Parked(ctx, in.Owner, in.Requests[0], *in.Failed)
	}
	return nil
}

func laneOf(in contract.HandOver) string { return contract.PartWorkflowID(in.Owner, in.Call, in.Part) }

// appendTo appends to the open workflow of a lane, else to one that it starts. Temporal
// tells repeats of a signal apart while the workflow is open only; afterwards the result
// that it left does.
func (a *Activities) appendTo(ctx context.Context, in contract.HandOver) error {
	var closed *serviceerror.NotFound
	err := a.Temporal.SignalWorkflow(ctx, laneOf(in), "", contract.SignalAppend, in)
	if !errors.As(err, &closed) {
		return err
	}
	known, err := a.lastKnown(ctx, laneOf(in))
	if errors.Is(err, errOpen) { // an earlier attempt has started it meanwhile
		return a.Temporal.SignalWorkflow(ctx, laneOf(in), "", contract.SignalAppend, in)
	}
	if err != nil {
		return err
	}
	if in = without(in, known); len(in.Requests) == 0 {
		return nil
	}
	start := contract.DeliveryStart{Owner: in.Owner, Call: in.Call, Part: in.Part}
	_, err = a.Temporal.SignalWithStartWorkflow(ctx, laneOf(in), contract.SignalAppend, in, a.deliveryOptions(ctx, in), contract.WorkflowDelivery, start)
	return err
}

// errOpen says that the lane has an open workflow.
var errOpen = errors.New("the lane is open")

// lastKnown are the deliveries that the lane's last workflow knew when it completed. One
// that was ended from outside leaves nothing, and neither does one that never was.
func (a *Activities) lastKnown(ctx context.Context, laneID string) (intake.Seen, error) {
	var missing *serviceerror.NotFound
	described, err := a.Temporal.DescribeWorkflowExecution(ctx, laneID, "")
	if errors.As(err, &missing) {
		return intake.Seen{}, nil
	}
	if err != nil {
		return intake.Seen{}, err
	}
	switch last := described.GetWorkflowExecutionInfo(); last.GetStatus() {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
		return intake.Seen{}, errOpen // to wait for its result would take as long as it is open
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		var result contract.DeliveryResult
		err := a.Temporal.GetWorkflow(ctx, laneID, last.GetExecution().GetRunId()).Get(ctx, &result)
		return result.Known, err
	}
	return intake.Seen{}, nil
}

// without leaves out the deliveries that are known. The failed outcome is the first one's.
func without(in contract.HandOver, known intake.Seen) contract.HandOver {
	if len(in.Requests) > 0 && known.Has(in.Requests[0].ID) {
		in.Failed = nil
	}
	in.Requests = slices.DeleteFunc(slices.Clone(in.Requests), func(r contract.Request) bool { return known.Has(r.ID) })
	return in
}

func (a *Activities) deliveryOptions(ctx context.Context, in contract.HandOver) client.StartWorkflowOptions {
	owner, call := in.Owner, in.Call
	return client.StartWorkflowOptions{
		ID:                       laneOf(in),
		TaskQueue:                a.taskQueue(ctx),
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            call + " for " + cmp.Or(owner.Interaction, "alerts about "+owner.Receiver),
		TypedSearchAttributes:    laneAttributes(owner, call),
		Priority:                 priorityOf(in),
	}
}

// priorityOf is a lane's: behind its interaction, but people hear of a receiver that
// fails in time.
func priorityOf(in contract.HandOver) temporal.Priority {
	if in.Owner.Receiver != "" {
		return in.Priority.Of(in.Owner.ContactCenter)
	}
	return in.Priority.Behind().Of(in.Owner.ContactCenter)
}

func (a *Activities) taskQueue(ctx context.Context) string {
	if a.TaskQueue != "" {
		return a.TaskQueue
	}
	return activity.GetInfo(ctx).TaskQueue
}

// laneAttributes are those by which the lane is found; one of alerts belongs to
// nobody's interaction.
func laneAttributes(owner contract.Owner, call string) temporal.SearchAttributes {
	if owner.Receiver != "" {
		return temporal.NewSearchAttributes(contract.AttributeCall.ValueSet(call))
	}
	return temporal.NewSearchAttributes(
		contract.AttributeCall.ValueSet(call),
		contract.AttributeInteraction.ValueSet(owner.Interaction),
		contract.AttributeContactCenter.ValueSet(owner.ContactCenter),
	)
}

// chunks splits an append into signals of a bounded size. The failed outcome
// belongs to the first request.
func chunks(in contract.HandOver) []contract.HandOver {
	var list []contract.HandOver
	for len(in.Requests) > 0 {
		n, size := 0, 0
		for n < len(in.Requests) {
			size += in.Requests[n].SizeWithSource()
			if n > 0 && size > maxAppend {
				break
			}
			n++
		}
		chunk := in
		chunk.Requests = in.Requests[:n:n]
		list = append(list, chunk)
		in.Requests, in.Failed = in.Requests[n:], nil
	}
	return list
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
			trouble = d.HandOver(ctx, d.appendOf(l, parcels))
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
			if i == 0 && l.state == "" && p.isHopeless(d.Sender) {
				p.outcome = d.whyHandOver(p)
			}
		}
	}
}

func (l *lane) handedOver() []*outgoing {
	var parcels []*outgoing
	for _, p := range l.parcels {
		if p.route == routeHandOver {
			parcels = append(parcels, p)
		}
	}
	return parcels
}

// appendOf says of a lane's first delivery why it was not even tried, so that its
// workflow need not find out by itself.
func (d *dispatching) appendOf(l *lane, parcels []*outgoing) contract.HandOver {
	in := contract.HandOver{Owner: d.in.Owner, Call: l.call, Priority: d.rules().Priority}
	for _, p := range parcels {
		request := p.request
		request.Source = contract.SourceOf(p.view, p.event)
		in.Requests = append(in.Requests, request)
	}
	if first := parcels[0]; l.state == "" && first == l.parcels[0] && first.isHopeless(d.Sender) {
		in.Failed = d.whyHandOver(first)
	}
	return in
}

// isHopeless tells whether an attempt now would only say what is known already.
func (p *outgoing) isHopeless(sender *delivery.Sender) bool {
	return p.request.Fault != "" || sender.Health(p.policy).Refuses()
}

// whyHandOver tells a workflow what an attempt of a hopeless one, the first of a lane
// that was idle, would say.
func (d *dispatching) whyHandOver(p *outgoing) *contract.Outcome {
	if p.request.Fault != "" {
		outcome := delivery.Unrendered(p.policy, p.request)
		return &outcome
	}
	outcome := d.Sender.Reject(p.policy, p.request)
	return &outcome
}
