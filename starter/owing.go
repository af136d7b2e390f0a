package main

import (
	"context"
	"errors"
	"strings"

	"segue/dispatch"
	"segue/workflows"
)

// owingBatch is how many interactions are looked up together: their ids are in one query.
const owingBatch = 50

// interactions lists what a filter means. What a closed interaction left to its lanes
// is delivered or discarded after it closed, so that what it wrote of itself says
// nothing any more: it owes nothing once none of its lanes is open.
func (s *session) interactions(ctx context.Context, query string, f listFilter) ([]listEntry, error) {
	if f.parked {
		return s.find(ctx, query, f.limit)
	}
	var found, batch []listEntry
	look := func() error {
		if err := s.settle(ctx, batch); err != nil {
			return err
		}
		for _, e := range batch {
			if len(found) < f.limit && (!f.undelivered || e.Undelivered > 0) {
				found = append(found, e)
			}
		}
		batch = batch[:0]
		if len(found) == f.limit {
			return errEnough
		}
		return nil
	}
	err := s.each(ctx, query, f.limit, func(entry listEntry) error {
		if batch = append(batch, entry); len(batch) < min(owingBatch, f.limit) {
			return nil
		}
		return look()
	})
	if err == nil {
		err = look()
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

// settle takes off the account of closed interactions what their lanes have settled.
func (s *session) settle(ctx context.Context, entries []listEntry) error {
	closed := func(e listEntry) bool { return e.ClosedAt != nil && e.Undelivered > 0 }
	var ids []string
	for _, e := range entries {
		if closed(e) {
			ids = append(ids, "'"+e.ID+"'") // an id has no quote
		}
	}
	if len(ids) == 0 {
		return nil
	}
	open := map[string]bool{}
	query := "WorkflowType = '" + workflows.TypeDelivery + "' AND ExecutionStatus = 'Running' AND " +
		dispatch.AttributeInteraction.GetName() + " IN (" + strings.Join(ids, ", ") + ")"
	err := s.each(ctx, query, pageSize, func(lane listEntry) error {
		open[lane.ContactCenter+"/"+lane.ID] = true
		return nil
	})
	for i := range entries {
		if closed(entries[i]) && !open[entries[i].ContactCenter+"/"+entries[i].ID] {
			entries[i].Undelivered = 0
		}
	}
	return err
}
