package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"segue/client"
	"segue/contract"
)

const (
	// Temporal lists open workflows first, and orders by start time only among these and among the closed ones. So
	// newest searches a time window and widens it until it contains enough workflows.
	firstWindow = time.Second
	widenBy     = 4
	lastWindow  = 10 * 365 * 24 * time.Hour
)

// newest lists the workflows that match a query, at most limit, the newest first. The undelivered count of a closed
// interaction is corrected from its lanes. With undelivered, entries whose count is 0 are left out.
func (s *session) newest(ctx context.Context, query string, limit int, undelivered bool) ([]listEntry, error) {
	now := time.Now()
	for window := firstWindow; ; window *= widenBy {
		within := query
		if window < lastWindow {
			within = fmt.Sprintf("%s AND StartTime > '%s'", query, now.Add(-window).UTC().Format(time.RFC3339Nano))
			enough, err := s.hasAtLeast(ctx, within, limit)
			if err != nil {
				return nil, err
			}
			if !enough {
				continue
			}
		}
		var entries []listEntry
		err := s.each(ctx, within, pageSize, func(entry listEntry) error {
			entries = append(entries, entry)
			return nil
		})
		if err == nil {
			entries, err = s.correctUndelivered(ctx, entries, undelivered)
		}
		if err != nil {
			return nil, err
		}
		if undelivered && len(entries) < limit && window < lastWindow {
			continue // some of the closed interactions have nothing undelivered
		}
		slices.SortFunc(entries, func(a, b listEntry) int {
			return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(a.WorkflowID, b.WorkflowID))
		})
		return entries[:min(limit, len(entries))], nil
	}
}

// hasAtLeast reports whether at least n workflows match a query.
func (s *session) hasAtLeast(ctx context.Context, query string, n int) (bool, error) {
	answer, err := s.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: s.settings.Namespace, Query: query})
	if err != nil {
		return false, s.findError(err, query)
	}
	return answer.GetCount() >= int64(n), nil
}

// correctUndelivered sets the undelivered count of closed interactions without an open lane to 0: the count that a
// workflow wrote last was right when the workflow closed.
func (s *session) correctUndelivered(ctx context.Context, entries []listEntry, undelivered bool) ([]listEntry, error) {
	isStale := func(e listEntry) bool {
		return e.ClosedAt != nil && e.Undelivered > 0 && !wasEndedFromOutside(e.Workflow)
	}
	if !slices.ContainsFunc(entries, isStale) {
		return entries, nil
	}
	open := map[client.Name]bool{}
	query := fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '%s'",
		contract.WorkflowDelivery, contract.InteractionLanePrefix)
	if err := s.Lanes(ctx, query, func(l client.Lane) error {
		open[l.Name] = true
		return nil
	}); err != nil {
		return nil, err
	}
	for i, e := range entries {
		if isStale(e) && !open[client.Name{ContactCenter: e.ContactCenter, ID: e.ID}] {
			entries[i].Undelivered = 0
		}
	}
	if undelivered {
		entries = slices.DeleteFunc(entries, func(e listEntry) bool { return e.Undelivered == 0 })
	}
	return entries, nil
}
