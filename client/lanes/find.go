package lanes

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"segue/client"
	"segue/contract"
)

// Source lists, queries and signals lanes. *client.Client implements the second and third
// method; Lanes lists workflows in Temporal.
type Source interface {
	// Lanes calls visit for each lane that matches a query in Temporal's list language, until
	// visit returns an error, which Lanes returns.
	Lanes(ctx context.Context, query string, visit func(client.Lane) error) error
	LaneDeliveries(ctx context.Context, l client.Lane) ([]contract.DeliveryRecord, error)
	SignalLane(ctx context.Context, l client.Lane, signal string, request contract.OperatorRequest) error
}

// Found is the result of a search.
type Found struct {
	// Deliveries are in the order of Source.Lanes, and within a lane in the lane's order.
	Deliveries []Delivery
	// More reports that there are more deliveries than the limit.
	More bool
	// Failures are the lanes that did not answer.
	Failures []Failure
}

// Failure is a lane, or a delivery of a lane, for which a query or a signal failed.
type Failure struct {
	WorkflowID string `json:"workflow_id"`
	// ID is the delivery; it is empty if the whole lane failed.
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason"`
}

const (
	// batch is how many lanes are queried before the next ones are listed.
	batch = 64
	// parallel is how many lanes are queried at once: a query costs a worker a replay.
	parallel = 8
)

// Find searches for at most limit deliveries. It calls queried, unless that is nil, for each
// lane that it has queried, from several goroutines. A lane that does not answer is in
// Found.Failures. Find returns an error, and what it has found until then, if the lanes cannot
// be listed, no worker or no Temporal answers, or the context ends.
func Find(ctx context.Context, source Source, f Filter, limit int, queried func()) (Found, error) {
	s := &search{source: source, filter: f, limit: limit, queried: orNothing(queried)}
	err := source.Lanes(ctx, f.Query(), func(l client.Lane) error {
		if s.lanes = append(s.lanes, l); len(s.lanes) < batch {
			return nil
		}
		return s.queryLanes(ctx)
	})
	if err == nil {
		err = s.queryLanes(ctx)
	}
	if err != nil && !errors.Is(err, errFull) {
		return s.found, fmt.Errorf("look for deliveries: %w", err)
	}
	return s.found, nil
}

func orNothing(do func()) func() {
	if do == nil {
		return func() {}
	}
	return do
}

// errFull ends a search that has found more than its limit.
var errFull = errors.New("found enough")

// search is the state of one Find.
type search struct {
	source  Source
	filter  Filter
	limit   int
	queried func()

	lanes []client.Lane // listed and not queried yet
	found Found
}

// queryLanes queries the listed lanes in parallel and collects what matches in their order.
func (s *search) queryLanes(ctx context.Context) error {
	answers, failures, err := queryAll(ctx, s.source, s.lanes, s.queried)
	if err != nil {
		return err
	}
	for i, lane := range s.lanes {
		if err := s.collect(lane, answers[i], failures[i]); err != nil {
			return err
		}
	}
	s.lanes = s.lanes[:0]
	return nil
}

// queryAll queries lanes in parallel. It returns the records and the error of each, or an error that
// all lanes have.
func queryAll(ctx context.Context, source Querier, lanes []client.Lane, queried func()) ([][]contract.DeliveryRecord, []error, error) {
	answers := make([][]contract.DeliveryRecord, len(lanes))
	failures := make([]error, len(lanes))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, lane := range lanes {
		group.Go(func() error {
			defer queried()
			answers[i], failures[i] = source.LaneDeliveries(asking, lane)
			return ofEveryLane(asking, failures[i])
		})
	}
	return answers, failures, group.Wait()
}

// Querier queries the deliveries of a lane.
type Querier interface {
	LaneDeliveries(ctx context.Context, l client.Lane) ([]contract.DeliveryRecord, error)
}

// note adds a lane that did not answer.
func (f *Found) note(lane client.Lane, failure error) {
	if failure != nil && !isClosed(failure) {
		f.Failures = append(f.Failures, Failure{WorkflowID: lane.WorkflowID, Reason: failure.Error()})
	}
}

func (s *search) collect(lane client.Lane, records []contract.DeliveryRecord, failure error) error {
	s.found.note(lane, failure)
	for _, record := range records {
		if !s.filter.Match(record) {
			continue
		}
		if len(s.found.Deliveries) == s.limit {
			s.found.More = true
			return errFull
		}
		s.found.Deliveries = append(s.found.Deliveries, DeliveryIn(lane, record))
	}
	return nil
}

// ofEveryLane returns an error that all other lanes would return as well, and nil for others.
func ofEveryLane(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, client.ErrNoWorker):
		return err
	}
	return nil
}

// isClosed reports whether the lane has closed in the meantime: nothing waits there.
func isClosed(err error) bool {
	return errors.Is(err, client.ErrCompleted) || errors.Is(err, client.ErrNotFound)
}
