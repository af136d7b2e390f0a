package main

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"segue/client"
)

// find lists the workflows that a query in Temporal's list language means.
func (s *session) find(ctx context.Context, query string, limit int) ([]listEntry, error) {
	var entries []listEntry
	err := s.each(ctx, query, limit, func(entry listEntry) error {
		if entries = append(entries, entry); len(entries) == limit {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return entries, err
}

// errEnough ends a walk over a list before its end.
var errEnough = errors.New("enough")

// each visits the workflows that a query means, page by page, until a visit fails;
// expected is how many are wanted, so that a page is no larger.
func (s *session) each(ctx context.Context, query string, expected int, visit func(listEntry) error) error {
	for page := []byte(nil); ; {
		answer, err := s.Temporal.ListWorkflow(ctx, s.request(query, expected, page))
		if err != nil {
			return s.findError(err, query)
		}
		for _, info := range answer.GetExecutions() {
			if err := visit(entryOf(info)); err != nil {
				return err
			}
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return nil
		}
	}
}

// Lanes visits the lane workflows that a query means.
func (s *session) Lanes(ctx context.Context, query string, visit func(client.Lane) error) error {
	return s.each(ctx, query, pageSize, func(entry listEntry) error {
		lane := client.Lane{
			Name: client.Name{ContactCenter: entry.ContactCenter, ID: entry.ID}, Receiver: entry.Receiver, Call: entry.Call, WorkflowID: entry.WorkflowID,
		}
		if entry.ClosedAt != nil {
			lane.RunID = entry.RunID
		}
		return visit(lane)
	})
}

// count tells how many workflows a query means; 0 if that cannot be told, for it
// only feeds progress bars.
func (s *session) count(ctx context.Context, query string) int {
	answer, err := s.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: s.settings.Namespace, Query: query})
	if err != nil {
		return 0
	}
	return int(answer.GetCount())
}

func (s *session) findError(err error, query string) error {
	var namespace *serviceerror.NamespaceNotFound
	var invalid *serviceerror.InvalidArgument
	var unavailable *serviceerror.Unavailable
	switch {
	case errors.As(err, &namespace):
		return fmt.Errorf("%w (`segue setup` registers it)", err)
	case errors.As(err, &invalid):
		return fmt.Errorf("query %s: %w (`segue setup` registers Segue's search attributes)", query, err)
	case errors.As(err, &unavailable):
		return fmt.Errorf("%w: %w", client.ErrUnreachable, err)
	}
	return err
}
