package lanes

import (
	"context"
	"fmt"
	"slices"

	"segue/client"
	"segue/contract"
)

// Lister lists the workflows that match a query in Temporal's list language, at most size, from a page
// on, and returns the next page; it is empty after the last one. client.Client.ListPage is one.
type Lister func(ctx context.Context, query string, size int, page []byte) (rows []client.Listed, next []byte, err error)

// Walk calls visit for each workflow that matches a query in Temporal's list language, size at a time.
func Walk(ctx context.Context, list Lister, query string, size int, visit func(client.Listed)) error {
	for page := []byte(nil); ; {
		rows, next, err := list(ctx, query, size, page)
		if err != nil {
			return err
		}
		for _, row := range rows {
			visit(row)
		}
		if page = next; len(page) == 0 {
			return nil
		}
	}
}

// Place is where a search goes on: after a delivery of a lane on a page of Temporal's list. The zero
// Place is the beginning.
type Place struct {
	Page []byte
	// WorkflowID is the lane, and Delivery the delivery; empty for the beginning of the page.
	WorkflowID, Delivery string
}

// Pages finds deliveries page by page.
type Pages struct {
	List   Lister
	Filter Filter
	// Match narrows the selection further; nil does not.
	Match func(contract.DeliveryRecord) bool
}

// Find returns at most limit deliveries from a place on, and the place of the next ones; nil after the
// last. It stops when enough is closed, between two pages of the list, and returns what it has found.
// Like the function Find it fails if the lanes cannot be listed, no worker or no Temporal answers, or
// the context ends. Nothing that stays as it is goes missing; if the lane of the place has closed or
// changed its place in the list, the deliveries of some lanes come again.
func (p *Pages) Find(ctx context.Context, source Querier, limit int, from Place, enough <-chan struct{}) (Found, *Place, error) {
	var found Found
	for {
		rows, next, err := p.List(ctx, p.Filter.Query(), batch, from.Page)
		if err != nil {
			return found, nil, fmt.Errorf("look for deliveries: %w", err)
		}
		last, err := p.collect(ctx, source, p.lanesOf(rows, from), from, limit, &found)
		switch {
		case err != nil:
			return found, nil, fmt.Errorf("look for deliveries: %w", err)
		case last != nil:
			return found, last, nil
		case len(next) == 0:
			return found, nil, nil
		}
		from = Place{Page: next}
		if isClosedNow(enough) || len(found.Deliveries) == limit {
			return found, &from, nil
		}
	}
}

// lanesOf returns the lanes of a page from a place on.
func (p *Pages) lanesOf(rows []client.Listed, from Place) []client.Lane {
	begin := slices.IndexFunc(rows, func(row client.Listed) bool { return from.WorkflowID != "" && row.WorkflowID == from.WorkflowID })
	var lanes []client.Lane
	for _, row := range rows[max(begin, 0):] {
		// Whatever the query finds: another contact center's lanes are nobody's business.
		if p.Filter.ContactCenter != "" && row.ContactCenter != p.Filter.ContactCenter {
			continue
		}
		lane := client.Lane{Name: row.Name, Receiver: row.Receiver, Call: row.Call, WorkflowID: row.WorkflowID}
		if row.ClosedAt != nil {
			lane.RunID = row.RunID
		}
		lanes = append(lanes, lane)
	}
	return lanes
}

// collect adds the selected deliveries of the lanes. If there are more than the limit, it returns the
// place after the last one that it has added.
func (p *Pages) collect(ctx context.Context, source Querier, lanes []client.Lane, from Place, limit int, found *Found) (*Place, error) {
	answers, failures, err := queryAll(ctx, source, lanes, func() {})
	if err != nil {
		return nil, err
	}
	last := from
	for i, lane := range lanes {
		found.note(lane, failures[i])
		records := answers[i]
		if lane.WorkflowID == from.WorkflowID {
			records = after(records, from.Delivery)
		}
		for _, record := range records {
			if !p.Filter.Match(record) || p.Match != nil && !p.Match(record) {
				continue
			}
			if len(found.Deliveries) == limit {
				found.More = true
				return &last, nil
			}
			found.Deliveries = append(found.Deliveries, DeliveryIn(lane, record))
			last.WorkflowID, last.Delivery = lane.WorkflowID, record.ID
		}
	}
	return nil, nil
}

// after returns the records behind the one with an id; all if it is not there any more.
func after(records []contract.DeliveryRecord, id string) []contract.DeliveryRecord {
	at := slices.IndexFunc(records, func(r contract.DeliveryRecord) bool { return r.ID == id })
	return records[at+1:]
}

func isClosedNow(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
