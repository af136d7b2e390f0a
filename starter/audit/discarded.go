package audit

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"segue/client"
	"segue/contract"
	"segue/replay"
)

// Discarded is one discarded delivery. An operator discarded it, or its retention ended while
// it was parked.
type Discarded struct {
	Delivery
	WorkflowID    string    `json:"workflow_id"`
	ContactCenter string    `json:"contact_center"`
	Interaction   string    `json:"interaction"`
	At            time.Time `json:"at"`
	By            string    `json:"by,omitempty"`
}

// discardedQuery returns a query for the lanes with discarded deliveries. It leaves out runs
// that continued as new, which have passed on what they list.
func (f Filter) discardedQuery() string {
	return and(f.conditions(endedTypes, "ExecutionStatus != 'ContinuedAsNew'",
		client.Equals(contract.AttributeOutcome.GetName(), string(contract.StatusDiscarded))))
}

// Discarded lists the discarded deliveries, of each lane the last 100. A lane that cannot be
// examined is in failures.
func (a *Auditor) Discarded(ctx context.Context, f Filter) (discarded []Discarded, failures []Failure, err error) {
	runs, err := a.list(ctx, f.discardedQuery())
	if err != nil {
		return nil, nil, err
	}
	for _, r := range runs {
		if !isLane(r.id) || !f.matches(r) {
			continue
		}
		inLane, err := a.discardedIn(ctx, f, r)
		switch {
		case err != nil && (ctx.Err() != nil || isUnavailable(err)):
			return discarded, failures, err
		case err != nil:
			failures = append(failures, Failure{WorkflowID: r.id, RunID: r.runID, Reason: err.Error()})
		}
		discarded = append(discarded, inLane...)
	}
	return discarded, failures, nil
}

func (a *Auditor) discardedIn(ctx context.Context, f Filter, r run) ([]Discarded, error) {
	history, err := replay.Fetch(ctx, a.Temporal, r.execution())
	if err != nil {
		return nil, err
	}
	recalled, err := replay.Recall(proto.CloneOf(history), a.Log)
	if err != nil {
		return nil, fmt.Errorf("its history does not replay with this version: %w", err)
	}
	left, ok := recalled.Lane()
	if !ok {
		return nil, nil
	}
	records, err := left.Discarded()
	if err != nil {
		return nil, err
	}
	var discarded []Discarded
	for _, record := range records {
		at, err := time.Parse(time.RFC3339Nano, record.Discarded.At)
		if err != nil {
			return nil, fmt.Errorf("delivery %s: %w", record.ID, err)
		}
		if at.Before(f.Since) {
			continue
		}
		discarded = append(discarded, Discarded{
			Delivery:   Delivery{ID: record.ID, Call: record.Call, Moment: record.Moment, Sequence: record.Sequence},
			WorkflowID: r.id, ContactCenter: left.Start.Owner.ContactCenter, Interaction: left.Start.Owner.Interaction,
			At: at, By: client.DiscardedBy(history, record),
		})
	}
	return discarded, nil
}
