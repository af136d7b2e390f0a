package lanes

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"segue/client"
	"segue/contract"
)

// Source is where lanes are; a connection to Temporal is the real one.
type Source interface {
	// Lanes visits the lanes that a query means, until a visit fails.
	Lanes(ctx context.Context, query string, visit func(client.Lane) error) error
	LaneDeliveries(ctx context.Context, l client.Lane) ([]contract.DeliveryRecord, error)
	SignalLane(ctx context.Context, l client.Lane, signal string, wish contract.OperatorRequest) error
}

// Found is what a search found.
type Found struct {
	// Deliveries are in the order of the list of lanes, and in a lane in its own.
	Deliveries []Delivery
	// More says that there are more than were asked for.
	More bool
	// Failures are the lanes that did not answer; the others did.
	Failures []Failure
}

// Failure is a lane, or a delivery of it, with which something went wrong.
type Failure struct {
	WorkflowID string `json:"workflow_id"`
	ID         string `json:"id,omitempty"`
	Reason     string `json:"reason"`
}

const (
	// batch is how many lanes are looked into before the next ones are listed.
	batch = 64
	// parallel is how many lanes are asked at once: a query costs a worker a replay.
	parallel = 8
)

// Find looks for at most limit deliveries; looked is told of each lane that was
// looked into, from several goroutines.
func Find(ctx context.Context, source Source, f Filter, limit int, looked func()) (Found, error) {
	s := &search{source: source, filter: f, limit: limit, looked: looked}
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

// errFull ends a search that found more than it was to.
var errFull = errors.New("found enough")

// search is one Find at work.
type search struct {
	source Source
	filter Filter
	limit  int
	looked func()

	lanes []client.Lane // listed and not looked into yet
	found Found
}

// queryLanes asks the listed lanes, side by side, and takes what matches in their order.
func (s *search) queryLanes(ctx context.Context) error {
	answers := make([][]contract.DeliveryRecord, len(s.lanes))
	failures := make([]error, len(s.lanes))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, lane := range s.lanes {
		group.Go(func() error {
			defer s.looked()
			answers[i], failures[i] = s.source.LaneDeliveries(asking, lane)
			return ofEveryLane(asking, failures[i])
		})
	}
	if err := group.Wait(); err != nil {
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

func (s *search) collect(lane client.Lane, records []contract.DeliveryRecord, failure error) error {
	if failure != nil && !isClosed(failure) {
		s.found.Failures = append(s.found.Failures, Failure{WorkflowID: lane.WorkflowID, Reason: failure.Error()})
	}
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

// ofEveryLane keeps an error that the other lanes would meet, too.
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

// isClosed tells whether the lane has closed meanwhile: nothing waits there.
func isClosed(err error) bool {
	return errors.Is(err, client.ErrCompleted) || errors.Is(err, client.ErrNotFound)
}
