package lanes

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/time/rate"

	"segue/client"
	"segue/contract"
)

// Operation is an operator's wish for many deliveries.
type Operation struct {
	// Signal is workflows.SignalRedeliver or workflows.SignalDiscard.
	Signal string
	// Rerender asks for new bytes, of the workers' present configuration.
	Rerender bool
	// By is who asks, for the record.
	By string
	// Rate is how many signals are sent in a second at most; 0 leaves it to the limits
	// of the calls, which hold in any case.
	Rate float64
	// Done is told of each delivery that is dealt with.
	Done func()
}

// Result is what became of an order.
type Result struct {
	// Matched counts the deliveries that the filter means.
	Matched int `json:"matched"`
	// Sent counts those whose lane has the signal.
	Sent int `json:"sent"`
	// Skipped counts those that did not wait any more when their turn came.
	Skipped int `json:"skipped"`
	Failed  int `json:"failed"`
	// Failures tells of the first ones that failed, and of lanes that did not answer.
	Failures []Failure `json:"failures,omitempty"`
	// More says that the filter means still others: run it again.
	More bool `json:"more,omitempty"`
	// DryRun says that nothing was to be sent.
	DryRun bool `json:"dry_run,omitempty"`
}

// keptFailures bounds what a result tells of.
const keptFailures = 100

// ResultOf is the result before anything is sent.
func ResultOf(found Found) Result {
	r := Result{Matched: len(found.Deliveries), More: found.More}
	for _, failure := range found.Failures {
		r.fail(failure)
	}
	return r
}

func (r *Result) fail(failure Failure) {
	r.Failed++
	if len(r.Failures) < keptFailures {
		r.Failures = append(r.Failures, failure)
	}
}

// Send passes an order on to the lanes of what was found, one delivery at a time.
// Each is looked at once more before its turn: what an operator, a retry or the end
// of its retention has dealt with meanwhile is skipped. An error means that it
// broke off: the result counts what was done, and the same search and order again
// do the rest.
func Send(ctx context.Context, source Source, f Filter, found Found, order Operation) (Result, error) {
	result := ResultOf(found)
	pace := rate.NewLimiter(rate.Inf, 1)
	if order.Rate > 0 {
		pace.SetLimit(rate.Limit(order.Rate))
	}
	for _, d := range found.Deliveries {
		sent, err := send(ctx, source, f, d, order, pace)
		switch {
		case ofEveryLane(ctx, err) != nil:
			return result, fmt.Errorf("%s broke off after %d of %d: %w", order.Signal, result.Sent, result.Matched, ofEveryLane(ctx, err))
		case err != nil:
			result.fail(Failure{WorkflowID: d.WorkflowID, ID: d.ID, Reason: err.Error()})
		case sent:
			result.Sent++
		default:
			result.Skipped++
		}
		order.Done()
	}
	return result, nil
}

// errNoSource is for a delivery whose lane would not take the signal.
var errNoSource = errors.New("cannot be rendered anew: what it was made from is not kept, because it, or all that waits in its lane, was too large; " +
	"redeliver it as it is")

// send signals one lane, unless the delivery does not wait there any more.
func send(ctx context.Context, source Source, f Filter, d Delivery, order Operation, pace *rate.Limiter) (bool, error) {
	if order.Rerender && !d.CanRerender {
		return false, errNoSource
	}
	lane := d.Lane()
	waits, err := stillWaits(ctx, source, f, lane, d.ID)
	if err != nil || !waits {
		return false, err
	}
	if err := pace.Wait(ctx); err != nil {
		return false, err
	}
	err = source.SignalLane(ctx, lane, order.Signal, contract.OperatorRequest{ID: d.ID, Rerender: order.Rerender, By: order.By})
	if err != nil && isClosed(err) {
		return false, nil
	}
	return err == nil, err
}

func stillWaits(ctx context.Context, source Source, f Filter, lane client.Lane, id string) (bool, error) {
	records, err := source.LaneDeliveries(ctx, lane)
	if err != nil {
		if isClosed(err) {
			err = nil
		}
		return false, err
	}
	for _, record := range records {
		if record.ID == id {
			return f.Match(record), nil
		}
	}
	return false, nil
}
