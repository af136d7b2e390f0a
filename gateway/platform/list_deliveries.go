package platform

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"segue/client"
	"segue/client/lanes"
	"segue/contract"
	"segue/gateway/problem"
)

// deliveriesInput is the filters of a list of deliveries.
type deliveriesInput struct {
	Scoped
	Call   string `query:"call" maxLength:"255" doc:"Deliveries of this configured call." example:"crm"`
	Class  string `query:"class" maxLength:"64" doc:"Deliveries whose last failure is of this class." example:"http_5xx"`
	Status string `query:"status" enum:"waiting,attempting,parked,discarded" doc:"Deliveries with this status. Without it, all that are neither delivered nor discarded."`
	Since  string `query:"since" maxLength:"64" doc:"Deliveries whose last attempt is not older: a duration (2h) or a time (2026-01-31T08:00:00Z). Those without an attempt count from their event, discarded ones from when they were discarded." example:"2h"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" doc:"How many deliveries the answer has at most. Default 100."`
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next of the answer before. It is valid for the same filters and caller."`
}

// deliveriesAnswer is a page of deliveries.
type deliveriesAnswer struct {
	Body struct {
		Deliveries []listedDelivery `json:"deliveries"`
		Next       string           `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one. A page may be short, or empty, and not the last."`
		Failures   []lanes.Failure  `json:"failures,omitempty" doc:"The lanes that did not answer: their deliveries are missing."`
	}
}

// listedDelivery is a delivery, and the interaction that caused it.
type listedDelivery struct {
	ContactCenter string `json:"contact_center" doc:"The contact center of the interaction." example:"default"`
	Interaction   string `json:"interaction" doc:"The id of the interaction." example:"ixn-1"`
	contract.DeliveryRecord
}

func init() { about["ListedDelivery"] = about["DeliveryRecord"] }

// deliveryListRoutes registers the list of deliveries.
func deliveryListRoutes(a *api) {
	register(a, route{
		id: "list_deliveries", method: http.MethodGet, path: "/deliveries", tag: "deliveries", summary: "List deliveries",
		about: "Lists the deliveries of a contact center that its receivers have not got; the filters are combined. Deliveries of one interaction and " +
			"call are in their order; the interactions whose deliveries began to wait last come first. The list lags by a second or so. A delivery " +
			"whose state changes between two pages may be missing or come again. Discarded deliveries are the last 100 of each interaction and " +
			"call, as long as Temporal keeps them.",
		status: http.StatusOK,
	}, a.listDeliveries)
}

func (a *api) listDeliveries(ctx context.Context, in *deliveriesInput) (*deliveriesAnswer, error) {
	s, err := in.watcher(ctx)
	if err != nil {
		return nil, err
	}
	pages, err := in.pages(s, time.Now())
	if err != nil {
		return nil, err
	}
	list, err := in.identity(s)
	if err != nil {
		return nil, err
	}
	from, err := a.open(in.Cursor, list)
	if err != nil {
		return nil, err
	}
	pages.List = a.Client.ListPage
	// A search through lanes that do not match ends before the request's deadline, with a cursor.
	half, cancel := within(ctx, 2)
	defer cancel()
	found, next, err := pages.Find(ctx, a.Client, in.limit(), lanes.Place{Page: from.Page, WorkflowID: from.Workflow, Delivery: from.Delivery}, half.Done())
	if errors.Is(err, client.ErrQuery) && len(from.Page) > 0 {
		return nil, errCursor // another server has other pages
	}
	if err != nil {
		return nil, err
	}
	out := &deliveriesAnswer{}
	out.Body.Deliveries, out.Body.Failures = []listedDelivery{}, found.Failures
	for _, d := range found.Deliveries {
		out.Body.Deliveries = append(out.Body.Deliveries, listedDelivery{d.ContactCenter, d.Interaction, d.DeliveryRecord})
	}
	if next != nil {
		out.Body.Next, err = a.seal(cursor{Page: next.Page, Workflow: next.WorkflowID, Delivery: next.Delivery}, list)
	}
	return out, err
}

func (in *deliveriesInput) limit() int {
	if in.Limit == 0 {
		return usualLimit
	}
	return in.Limit
}

// pages returns the search for what the filters select.
func (in *deliveriesInput) pages(s scope, now time.Time) (*lanes.Pages, error) {
	if !client.CanFind(in.Call) {
		return nil, invalidAt("/query/call", "call: no call has this name")
	}
	since, err := sinceOf(in.Since, now)
	if err != nil {
		return nil, invalidAt("/query/since", problem.Of(err).Detail)
	}
	status := contract.DeliveryStatus(in.Status)
	pages := &lanes.Pages{Filter: lanes.Filter{
		ContactCenter: s.contactCenter, Call: in.Call, Class: in.Class, Since: since,
		Parked: status == contract.StatusParked, Discarded: status == contract.StatusDiscarded,
	}}
	if status != "" {
		pages.Match = func(r contract.DeliveryRecord) bool { return r.Status == status }
	}
	return pages, nil
}

// identity returns what a cursor is bound to: the filters and the caller.
func (in *deliveriesInput) identity(s scope) (string, error) {
	filters := *in
	filters.Scoped = Scoped{Header: s.contactCenter, Query: s.caller.Name}
	filters.Cursor, filters.Limit = "", 0
	text, err := json.Marshal(filters)
	return "deliveries " + string(text), err
}
