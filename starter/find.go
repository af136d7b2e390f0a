package main

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"segue/client"
)

// find lists the first workflows that match a query in Temporal's list language, at most limit.
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

// errEnough ends each before the end of the list.
var errEnough = errors.New("enough")

// each visits the workflows that match a query, page by page, until a visit returns an error. expected is the number
// of workflows that the caller needs, so that a page is no larger.
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

// Lanes visits the lane workflows that match a query.
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

// count counts the workflows that match a query. It returns 0 if the count fails, because it only sizes progress bars.
func (s *session) count(ctx context.Context, query string) int {
	answer, err := s.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: s.settings.Namespace, Query: query})
	if err != nil {
		return 0
	}
	return int(answer.GetCount())
}

// findError adds the remedy to an error of a list or count.
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
