package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/interaction/intake"
)

// Delivery is the workflow of one lane whose receiver fails. It attempts its deliveries in
// order, on the schedule of the call, for days. A delivery that no attempt can help is
// parked until an operator redelivers or discards it, or its retention ends. Delivery
// completes when nothing is left, and returns the ids of its deliveries. A cancellation of
// the workflow discards nothing: only the signal discard does.
//
// more is what an earlier run carried over, if this run continues one.
func Delivery(ctx workflow.Context, start contract.DeliveryStart, more converter.RawValue) (*contract.DeliveryResult, error) {
	return runDelivery(ctx, start, more, func(*laneRun) {})
}

// runDelivery is the body of the workflow; it calls opened once the run has its state.
func runDelivery(ctx workflow.Context, start contract.DeliveryStart, more converter.RawValue, opened func(*laneRun)) (result *contract.DeliveryResult, err error) {
	err = inboxOf(ctx).runWithSignals(ctx, func(ctx workflow.Context) error {
		carried, err := carriedOver[CarriedLane](ctx, more)
		if err != nil {
			return refusal(err)
		}
		r, err := openLane(ctx, start, carried)
		if err != nil {
			return err
		}
		opened(r)
		if err := r.loop(); err != nil {
			return err
		}
		result = &contract.DeliveryResult{Known: r.Known}
		return nil
	})
	return result, err
}

// CarriedLane is what one run of a lane carries over to the next.
type CarriedLane struct {
	Items []*item `json:"items,omitempty"`
	// Last is the delivery that was appended last.
	Last string `json:"last,omitempty"`
	// Results are outcomes that have not been reported to the interaction.
	Results []laneResult `json:"results,omitempty"`
	// Orphaned says that the interaction has ended: nothing is reported to it.
	Orphaned bool        `json:"orphaned,omitempty"`
	Known    intake.Seen `json:"known"`
	// GivenUp counts the discarded deliveries; Items has the last of them.
	GivenUp int `json:"given_up,omitempty"`
	// CancelAsked is when a cancellation of the workflow was requested.
	CancelAsked time.Time `json:"cancel_asked,omitzero"`
	// Refused are the last signals that changed nothing.
	Refused []contract.Rejected `json:"refused,omitempty"`
	// Priority is the interaction's, as of the last append.
	Priority contract.Priority `json:"priority,omitzero"`
	chain
}

// laneRun is one run of a lane.
type laneRun struct {
	*CarriedLane
	start   contract.DeliveryStart
	ctx     workflow.Context // outlives a cancellation of the workflow
	inbox   *inbox
	woken   bool // a signal or a cancellation may have changed the phase
	changed bool // something that operators see may have changed
	refused int  // signals of this run that were refused
	// forwarding is how many deliveries of the overflow are being forwarded.
	forwarding int
	// catchingUp says that the receiver took the last attempt.
	catchingUp bool
	visibility
	sleeper
}

func openLane(ctx workflow.Context, start contract.DeliveryStart, carried *CarriedLane) (*laneRun, error) {
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	r := &laneRun{CarriedLane: carried, start: start, ctx: lasting, inbox: inboxOf(ctx), changed: true, visibility: visibilityOf(ctx)}
	if carried == nil {
		r.CarriedLane = &CarriedLane{}
	}
	options := workflow.QueryHandlerOptions{Description: "every delivery of the lane with its attempts"}
	if err := workflow.SetQueryHandlerWithOptions(ctx, contract.QueryDeliveries, r.records, options); err != nil {
		return nil, fmt.Errorf("query %s: %w", contract.QueryDeliveries, err)
	}
	options = workflow.QueryHandlerOptions{Description: "the workflow that has further deliveries of the lane: the part that is sent now or next"}
	if err := workflow.SetQueryHandlerWithOptions(ctx, contract.QueryParts, r.partIDs, options); err != nil {
		return nil, fmt.Errorf("query %s: %w", contract.QueryParts, err)
	}
	r.inbox.handleWith(lasting, r.receiveSignal)
	workflow.Go(ctx, r.noteCancel)
	return r, nil
}

// noteCancel notes for the current details that a cancellation was requested. It discards
// nothing: a cancellation does not say which deliveries it means, and most of them may never
// have been attempted.
func (r *laneRun) noteCancel(ctx workflow.Context) {
	ctx.Done().Receive(ctx, nil)
	r.CancelAsked = workflow.Now(r.ctx)
	r.woken, r.changed = true, true
}

// receiveSignal handles one signal: an append, a request of an operator, or a report of a
// part. A malformed signal changes nothing.
func (r *laneRun) receiveSignal(ctx workflow.Context, s signal) {
	r.woken, r.changed = true, true // a refused signal also counts towards the run's length
	payload, err := r.inbox.jsonOf(s.args)
	if err == nil {
		err = r.handleSignal(s.name, payload)
	}
	if err != nil {
		r.refused++
		logRefusal(ctx, s.name, r.refused, err)
		r.listRefused(s.name, err)
	}
}

func (r *laneRun) handleSignal(name string, payload []byte) error {
	switch name {
	case contract.SignalAppend:
		var in contract.HandOver
		if err := json.Unmarshal(payload, &in); err != nil {
			return unreadable(name, err)
		}
		r.appendDeliveries(in)
		return nil
	case contract.SignalRedeliver, contract.SignalDiscard:
		var request contract.OperatorRequest
		if len(payload) > 0 {
			if err := json.Unmarshal(payload, &request); err != nil {
				return unreadable(name, err)
			}
		}
		return r.applyRequest(name, request)
	case signalPartPassed:
		return r.notePassed(payload)
	default:
		return &interaction.InvalidError{Reason: fmt.Sprintf("unknown signal; send %s or %s", contract.SignalRedeliver, contract.SignalDiscard)}
	}
}

// appendDeliveries appends the deliveries that the lane does not know: a repeated hand-over
// adds nothing.
func (r *laneRun) appendDeliveries(in contract.HandOver) {
	r.Priority = in.Priority
	if len(in.Requests) > 0 {
		r.Orphaned = r.start.Owner.Receiver != "" // otherwise an interaction appends, and gets reports
	}
	before := r.Last // as it was before recovered deliveries, which are older
	for i, request := range in.Requests {
		if r.Known.Has(request.ID) {
			continue
		}
		r.Known.Add(request.ID)
		r.Last = request.ID
		if r.overflows(request) {
			r.Overflow = append(r.Overflow, request)
			continue
		}
		added := &item{Request: request, Status: contract.StatusWaiting}
		if i == 0 && in.Failed != nil {
			added.fail(*in.Failed, workflow.Now(r.ctx))
		}
		r.place(added, in.Chain)
	}
	r.joinChain(in.Chain, before)
}
