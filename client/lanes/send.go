package lanes

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/time/rate"

	"segue/client"
	"segue/contract"
)

// Operation is what an operator requests for many deliveries.
type Operation struct {
	// Signal is contract.SignalRedeliver or contract.SignalDiscard.
	Signal string
	// Rerender makes a redelivery render the requests again, with the workers' current
	// configuration; they keep their ids.
	Rerender bool
	// By names the operator, for the record.
	By string
	// Rate limits the signals a second; 0 is no limit. The limits of the calls hold in any
	// case.
	Rate float64
	// Done, if set, is called after each delivery.
	Done func()
}

// Result counts the outcomes of an operation.
type Result struct {
	// Matched counts the deliveries that were found.
	Matched int `json:"matched"`
	// Sent counts the deliveries whose lane has received the signal.
	Sent int `json:"sent"`
	// Skipped counts the deliveries that no longer matched when they were next.
	Skipped int `json:"skipped"`
	// Failed counts the deliveries whose signal failed, and the lanes that did not answer.
	Failed int `json:"failed"`
	// Failures are the first 100 of those that Failed counts.
	Failures []Failure `json:"failures,omitempty"`
	// More reports that the filter matches more deliveries: run the operation again.
	More bool `json:"more,omitempty"`
	// DryRun reports that the caller sent nothing.
	DryRun bool `json:"dry_run,omitempty"`
}

// keptFailures bounds Result.Failures.
const keptFailures = 100

// ResultOf returns the result of a search before anything is sent.
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

// Send signals the lanes of the found deliveries, one delivery at a time. It queries the lane
// of each delivery again first, and skips a delivery that the filter no longer matches because
// an operator, a retry or the end of its retention has settled it. If Send returns
// an error, it has stopped early: the result counts what was done; repeat the search and Send for
// the rest.
func Send(ctx context.Context, source Source, f Filter, found Found, op Operation) (Result, error) {
	done := orNothing(op.Done)
	result := ResultOf(found)
	pace := rate.NewLimiter(rate.Inf, 1)
	if op.Rate > 0 {
		pace.SetLimit(rate.Limit(op.Rate))
	}
	for _, d := range found.Deliveries {
		sent, err := send(ctx, source, f, d, op, pace)
		switch {
		case ofEveryLane(ctx, err) != nil:
			return result, fmt.Errorf("%s broke off after %d of %d: %w", op.Signal, result.Sent, result.Matched, ofEveryLane(ctx, err))
		case err != nil:
			result.fail(Failure{WorkflowID: d.WorkflowID, ID: d.ID, Reason: err.Error()})
		case sent:
			result.Sent++
		default:
			result.Skipped++
		}
		done()
	}
	return result, nil
}

// errNoSource reports a delivery whose lane would refuse to render it again.
var errNoSource = errors.New("cannot be rendered again: its source is not kept, because the source, or all that waits in its lane, was too large; " +
	"redeliver it as it is")

// send signals one lane, unless the delivery no longer waits there.
func send(ctx context.Context, source Source, f Filter, d Delivery, op Operation, pace *rate.Limiter) (bool, error) {
	if op.Rerender && !d.CanRerender {
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
	err = source.SignalLane(ctx, lane, op.Signal, contract.OperatorRequest{ID: d.ID, Rerender: op.Rerender, By: op.By})
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
