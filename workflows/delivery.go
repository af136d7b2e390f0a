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

// Delivery is the workflow of one lane whose receiver fails: it tries what it is
// given in order, on the call's schedule, for days; what no attempt will help is
// parked until an operator redelivers or discards it, or its retention ends. It
// completes when nothing is left, with the ids that it knew. A cancellation of the
// workflow gives nothing up: only discard does.
//
// more is what an earlier run left, when a run continues that.
func Delivery(ctx workflow.Context, start contract.DeliveryStart, more converter.RawValue) (*contract.DeliveryResult, error) {
	return runDelivery(ctx, start, more, func(*laneRun) {})
}

// runDelivery is the workflow's body; opened is given the run once it has its state.
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

// CarriedLane is what one run of a lane leaves to the next.
type CarriedLane struct {
	Items []*item `json:"items,omitempty"`
	// Last is the delivery that was appended last.
	Last string `json:"last,omitempty"`
	// Results are settled deliveries that the interaction has not been told of.
	Results []laneResult `json:"results,omitempty"`
	// Orphaned says that the interaction has ended: nobody is told any more.
	Orphaned bool        `json:"orphaned,omitempty"`
	Known    intake.Seen `json:"known"`
	// GivenUp counts the deliveries that were discarded; Items has the last of them.
	GivenUp int `json:"given_up,omitempty"`
	// CancelAsked is when somebody canceled the workflow; nothing is given up for that.
	CancelAsked time.Time `json:"cancel_asked,omitzero"`
	// Refused are the last signals that changed nothing.
	Refused []contract.Rejected `json:"refused,omitempty"`
	// Priority is the interaction's, as of the last append.
	Priority contract.Priority `json:"priority,omitzero"`
	// Overflow came when the lane was full, and goes to a part at once; Parts hold what
	// did, in order.
	Overflow []contract.Request `json:"overflow,omitempty"`
	Parts    []*part            `json:"parts,omitempty"`
	// Released says that it is this part's turn; Told is the delivery up to which
	// the lane was told that it has had it.
	Released bool   `json:"released,omitempty"`
	Told     string `json:"told,omitempty"`
}

// laneRun is one run of a lane.
type laneRun struct {
	*CarriedLane
	start   contract.DeliveryStart
	ctx     workflow.Context // outlives a cancellation of the workflow
	inbox   *inbox
	woken   bool // something came that may change what is next
	changed bool // something that operators see may have changed
	refused int  // signals of this run that were refused
	// strangers are parts that ask whether it is their turn, and are not known.
	strangers []string
	asks      time.Time // when another workflow of the lane is asked next
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
	options = workflow.QueryHandlerOptions{Description: "the workflows that have what this one cannot hold, in their turn"}
	if err := workflow.SetQueryHandlerWithOptions(ctx, contract.QueryParts, r.partIDs, options); err != nil {
		return nil, fmt.Errorf("query %s: %w", contract.QueryParts, err)
	}
	r.asks = workflow.Now(ctx).Add(askEvery)
	r.inbox.handleWith(lasting, r.receive)
	workflow.Go(ctx, r.noteCancel)
	return r, nil
}

// noteCancel notes that somebody canceled the workflow, for the current details. It
// gives nothing up: a cancellation does not say which deliveries it means, and most of
// them may never have been tried.
func (r *laneRun) noteCancel(ctx workflow.Context) {
	ctx.Done().Receive(ctx, nil)
	r.CancelAsked = workflow.Now(r.ctx)
	r.woken, r.changed = true, true
}

// receive takes one signal: an append from the interaction or an operator's wish.
// One that is malformed changes nothing.
func (r *laneRun) receive(ctx workflow.Context, s signal) {
	r.woken, r.changed = true, true // a refused one counts towards the run's length, too
	payload, err := r.inbox.jsonOf(s.args)
	if err == nil {
		err = r.obey(s.name, payload)
	}
	if err != nil {
		r.refused++
		logRefusal(ctx, s.name, r.refused, err)
		r.refuse(s.name, err)
	}
}

func (r *laneRun) obey(name string, payload []byte) error {
	switch name {
	case contract.SignalAppend:
		var more contract.HandOver
		if err := json.Unmarshal(payload, &more); err != nil {
			return unreadable(name, err)
		}
		r.add(more)
		return nil
	case contract.SignalRedeliver, contract.SignalDiscard:
		var wish contract.OperatorRequest
		if len(payload) > 0 {
			if err := json.Unmarshal(payload, &wish); err != nil {
				return unreadable(name, err)
			}
		}
		return r.grant(name, wish)
	case signalRelease:
		r.Released, r.Told = true, ""
		return nil
	case signalPartPassed:
		return r.takePassed(payload)
	case signalPartWaits:
		return r.takeWaits(payload)
	default:
		return &interaction.InvalidError{Reason: fmt.Sprintf("unknown signal; send %s or %s", contract.SignalRedeliver, contract.SignalDiscard)}
	}
}

// add appends what the lane does not know yet: a repeated append adds nothing.
func (r *laneRun) add(more contract.HandOver) {
	r.Priority = more.Priority
	r.Orphaned = r.start.Owner.Receiver != "" // else somebody appends, so there is somebody to tell
	for i, request := range more.Requests {
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
		if i == 0 && more.Failed != nil {
			added.take(*more.Failed, workflow.Now(r.ctx))
		}
		r.Items = append(r.Items, added)
	}
}

// loop works the lane off.
func (r *laneRun) loop() error {
	for {
		r.woken = false
		now := workflow.Now(r.ctx)
		expiry := r.expire(now)
		r.publish()
		next := r.next()
		switch {
		case r.isLong() && r.fitsCarrying():
			return workflow.NewContinueAsNewError(r.ctx, contract.WorkflowDelivery, r.start, r.CarriedLane)
		case len(r.Overflow) > 0:
			r.forward()
		case len(r.strangers) > 0:
			r.releaseStranger()
		case r.awaitsOther() && !now.Before(r.asks):
			r.ask(now)
		case next != nil && next.isDue(now):
			r.attempt(next)
		case r.mayRelease():
			r.release()
		case r.isDrained() && len(r.Parts) == 0:
			r.reportDrained()
			if !r.woken {
				return nil
			}
		default:
			r.report(signalLaneResult)
			r.tellPassed()
			if err := r.wait(next, expiry); err != nil {
				return fmt.Errorf("lane of %s: %w", r.start.Call, err)
			}
		}
	}
}

// fitsCarrying tells whether the backlog is small enough to carry over, if need be
// without what it was rendered from, and with no more than the last attempt of each.
// Only one delivery that is too large by itself is not; then this run goes on. What is
// to be forwarded in a moment need not be carried.
func (r *laneRun) fitsCarrying() bool {
	overflow := 0
	for _, request := range r.Overflow {
		overflow += request.SizeWithSource()
	}
	if overflow > batchSize {
		return false
	}
	if isCarriable(r.CarriedLane) {
		return true
	}
	for _, it := range r.Items {
		it.Request.Source = nil
	}
	if isCarriable(r.CarriedLane) {
		return true
	}
	for _, it := range r.Items {
		it.Attempts = it.Attempts[max(0, len(it.Attempts)-1):]
	}
	return isCarriable(r.CarriedLane)
}

func (r *laneRun) isLong() bool {
	info := workflow.GetInfo(r.ctx)
	return info.GetContinueAsNewSuggested() || info.GetCurrentHistoryLength() >= renewAfterEvents || r.inbox.received >= renewAfterSignals
}
