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
	// Temporal lists what is open first, and orders by the start only within that. So
	// the newest are looked for in a time that is widened until it has enough of them.
	firstWindow = time.Second
	widenBy     = 4
	lastWindow  = 10 * 365 * 24 * time.Hour
)

// newest lists the workflows that a query means, at most limit, the one that started last
// first. What a closed interaction still owes is what its lanes have; with owing, those
// that owe nothing are left out.
func (s *session) newest(ctx context.Context, query string, limit int, owing bool) ([]listEntry, error) {
	now := time.Now()
	for window := firstWindow; ; window *= widenBy {
		within := query
		if window < lastWindow {
			within = fmt.Sprintf("%s AND StartTime > '%s'", query, now.Add(-window).UTC().Format(time.RFC3339Nano))
			enough, err := s.has(ctx, within, limit)
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
			entries, err = s.correct(ctx, entries, owing)
		}
		if err != nil {
			return nil, err
		}
		if owing && len(entries) < limit && window < lastWindow {
			continue // of those that closed, some owe nothing any more
		}
		slices.SortFunc(entries, func(a, b listEntry) int {
			return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(a.WorkflowID, b.WorkflowID))
		})
		return entries[:min(limit, len(entries))], nil
	}
}

// has reports whether a query means so many workflows.
func (s *session) has(ctx context.Context, query string, many int) (bool, error) {
	answer, err := s.Temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: s.settings.Namespace, Query: query})
	if err != nil {
		return false, s.findError(err, query)
	}
	return answer.GetCount() >= int64(many), nil
}

// correct sets what closed interactions owe: nothing where no lane of theirs is open. What
// their workflows wrote last was true when they closed.
func (s *session) correct(ctx context.Context, entries []listEntry, owing bool) ([]listEntry, error) {
	isDoubtful := func(e listEntry) bool { return e.ClosedAt != nil && e.Undelivered > 0 && !isCutOff(e.Workflow) }
	if !slices.ContainsFunc(entries, isDoubtful) {
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
		if isDoubtful(e) && !open[client.Name{ContactCenter: e.ContactCenter, ID: e.ID}] {
			entries[i].Undelivered = 0
		}
	}
	if owing {
		entries = slices.DeleteFunc(entries, func(e listEntry) bool { return e.Undelivered == 0 })
	}
	return entries, nil
}
