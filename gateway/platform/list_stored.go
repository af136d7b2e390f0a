package platform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

// listStored lists interactions as Temporal has stored them, ended ones too.
func (a *api) listStored(ctx context.Context, s scope, in *listInput, from cursor) ([]listItem, *cursor, error) {
	query := in.query(s.contactCenter)
	list := fmt.Sprintf("%s\x00%d\x00%s", query, in.Limit, from.Page)
	found, err := a.stored.get(ctx, list, func(ctx context.Context) (page, error) {
		rows, next, err := a.Client.ListPage(ctx, query, in.Limit, from.Page)
		return page{rows: rows, next: next}, err
	})
	if errors.Is(err, client.ErrQuery) && len(from.Page) > 0 {
		return nil, nil, errCursor // another server has other pages
	}
	if err != nil {
		return nil, nil, err
	}
	rows := make([]client.Listed, 0, len(found.rows))
	for _, row := range found.rows {
		if row.ContactCenter == s.contactCenter { // whatever the query finds
			rows = append(rows, row)
		}
	}
	var next *cursor
	if len(found.next) > 0 {
		next = &cursor{Page: found.next}
	}
	items, err := a.itemsOf(ctx, s, in, rows)
	return items, next, err
}

func (a *api) itemsOf(ctx context.Context, s scope, in *listInput, rows []client.Listed) ([]listItem, error) {
	if in.Fields != "" {
		return a.states(ctx, s, rows)
	}
	items := make([]listItem, len(rows))
	for i, row := range rows {
		items[i] = listItem{summary: summaryOfRow(row)}
	}
	return items, nil
}

// query returns the filters in Temporal's list language.
func (in *listInput) query(contactCenter string) string {
	conditions := []string{
		"WorkflowType = '" + contract.WorkflowInteraction + "'",
		"ExecutionStatus != 'ContinuedAsNew'", // the next run is the same interaction
		client.Equals(contract.AttributeContactCenter.GetName(), contactCenter),
	}
	if in.Open == "false" {
		// An interaction that has ended may still take late data.
		conditions = append(conditions, fmt.Sprintf("(%s OR ExecutionStatus != 'Running')",
			client.Equals(contract.AttributeState.GetName(), string(interaction.StateCompleted))))
	}
	for _, keyword := range []struct {
		attribute string
		values    []string
	}{
		{contract.AttributeState.GetName(), in.State}, {contract.AttributeChannel.GetName(), in.Channel},
		{contract.AttributeQueue.GetName(), given([]string{in.Queue})}, {contract.AttributeAgents.GetName(), given([]string{in.Agent})},
		{contract.AttributeWorkbin.GetName(), given([]string{in.Workbin})}, {contract.AttributeOutcome.GetName(), in.Outcome},
	} {
		if len(keyword.values) > 0 {
			conditions = append(conditions, oneOf(keyword.attribute, keyword.values))
		}
	}
	if !in.StartedAfter.IsZero() {
		conditions = append(conditions, "StartTime >= '"+stamp(in.StartedAfter)+"'")
	}
	if !in.StartedBefore.IsZero() {
		conditions = append(conditions, "StartTime < '"+stamp(in.StartedBefore)+"'")
	}
	return strings.Join(conditions, " AND ")
}

// oneOf is the condition that an attribute has one of the values.
func oneOf(attribute string, values []string) string {
	equal := make([]string, len(values))
	for i, value := range values {
		equal[i] = client.Equals(attribute, value)
	}
	return "(" + strings.Join(equal, " OR ") + ")"
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func summaryOfRow(row client.Listed) *summary {
	item := &summary{
		ID: row.ID, ContactCenter: row.ContactCenter, State: interaction.State(row.State), Channel: interaction.Channel(row.Channel),
		Queue: row.Queue, Agent: row.Agent, Workbin: row.Workbin, Outcome: interaction.Outcome(row.Outcome),
		StartedAt: row.StartedAt, EndedAt: row.ClosedAt, Undelivered: row.Undelivered,
	}
	if row.Workflow != "running" && row.Workflow != "completed" {
		item.Workflow = row.Workflow
	}
	return item
}
