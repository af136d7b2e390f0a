package main

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"

	"segue/starter/drive"
)

// find lists the workflows that a query in Temporal's list language means.
func (s *session) find(ctx context.Context, query string, limit int) ([]listEntry, error) {
	var entries []listEntry
	for page := []byte(nil); ; {
		answer, err := s.Temporal.ListWorkflow(ctx, s.request(query, limit, page))
		if err != nil {
			return entries, s.findError(err, query)
		}
		for _, info := range answer.GetExecutions() {
			if entries = append(entries, entryOf(info)); len(entries) == limit {
				return entries, nil
			}
		}
		if page = answer.GetNextPageToken(); len(page) == 0 {
			return entries, nil
		}
	}
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
		return fmt.Errorf("%w: %w", drive.ErrUnreachable, err)
	}
	return err
}
