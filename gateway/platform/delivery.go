package platform

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"segue/client"
	"segue/client/lanes"
	"segue/contract"
	"segue/gateway/problem"
)

// DeliveryInput is a request about one delivery.
type DeliveryInput struct {
	Targeted
	Delivery string `path:"delivery" maxLength:"64" doc:"The id of the delivery, which receivers see as webhook-id." example:"msg_Yk2Q0m9c3sXyqTn1UoRzVw7B"`
	rerender bool
	// contactCenter is the one that the body names.
	contactCenter string
}

// redeliverBody is how a delivery is sent again.
type redeliverBody struct {
	ContactCenter string `json:"contact_center,omitempty" doc:"The contact center, instead of the header."`
	Rerender      bool   `json:"rerender,omitempty" doc:"Render the request again."`
}

// redeliverInput also has the request's body.
type redeliverInput struct{ DeliveryInput }

// Resolve reads {"rerender": true}, or nothing. A misspelled rerender would send the delivery as it is.
func (in *redeliverInput) Resolve(ctx huma.Context) []error {
	var read redeliverBody
	given, err := readObjectBody(ctx, maxCommand)
	if err == nil {
		err = strictly(given, &read)
	}
	if err != nil {
		return []error{err}
	}
	in.rerender, in.contactCenter = read.Rerender, read.ContactCenter
	return nil
}

// accepted is the answer of what happens a little later.
type accepted struct{ Body acceptedBody }

type acceptedBody struct {
	Delivery string `json:"delivery" doc:"The id of the delivery."`
}

// deliveryRoutes registers the routes of one delivery.
func deliveryRoutes(a *api) {
	register(a, route{
		id: "get_delivery", method: http.MethodGet, path: "/interactions/{id}/deliveries/{delivery}", tag: "deliveries",
		summary: "Read a delivery with its request and response", status: http.StatusOK, problems: []string{problem.NotFound},
		about: "Returns a delivery with the request of its last attempt, or the one that waits for its first, and the result of the last attempt that has " +
			"ended. They are read from the histories in Temporal. A request that was sent within the workflow task is in none; request_not_kept then " +
			"states so. Credentials and signatures are on no record, and what looks like a credential is replaced by ***.",
	}, a.delivery)
	problems := []string{problem.NotFound, problem.NotParked, problem.UnsupportedMediaType, problem.TooLarge}
	register(a, route{
		id: "redeliver", method: http.MethodPost, path: "/interactions/{id}/deliveries/{delivery}/redeliver", tag: "deliveries",
		summary: "Send a parked delivery again", status: http.StatusAccepted, problems: problems,
		about: "Sends a parked delivery again, with the same id and bytes. With rerender, its request is rendered again from the same event with " +
			"the current configuration.",
		body: schemaOf[redeliverBody](a.huma.OpenAPI().Components.Schemas), example: map[string]any{"rerender": false},
	}, func(ctx context.Context, in *redeliverInput) (*accepted, error) {
		return a.operate(ctx, &in.DeliveryInput, contract.SignalRedeliver)
	})
	register(a, route{
		id: "discard", method: http.MethodPost, path: "/interactions/{id}/deliveries/{delivery}/discard", tag: "deliveries",
		summary: "Discard a parked delivery", status: http.StatusAccepted, problems: []string{problem.NotFound, problem.NotParked},
		about: "Discards a parked delivery. The deliveries behind it continue.",
	}, func(ctx context.Context, in *DeliveryInput) (*accepted, error) {
		return a.operate(ctx, in, contract.SignalDiscard)
	})
	bulkRoutes(a)
}

// deliveryAnswer is one delivery.
type deliveryAnswer struct{ Body contract.DeliveryDetail }

// delivery returns a delivery with its request and response.
func (a *api) delivery(ctx context.Context, in *DeliveryInput) (*deliveryAnswer, error) {
	n, records, err := a.records(ctx, &in.Targeted)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(records, func(r contract.DeliveryRecord) bool { return r.ID == in.Delivery })
	if at < 0 {
		return nil, noSuchDelivery()
	}
	exchanges, err := a.Client.Exchanges(ctx, n, records[at:at+1])
	if err != nil {
		return nil, unread(err)
	}
	shown := exchanges[in.Delivery].Shown(records[at], 0)
	return &deliveryAnswer{contract.DeliveryDetail{DeliveryRecord: records[at], DeliveryExchange: shown}}, nil
}

func noSuchDelivery() error { return fail(problem.NotFound, "the interaction has no such delivery") }

// operate signals the lane of one parked delivery.
func (a *api) operate(ctx context.Context, in *DeliveryInput, signal string) (*accepted, error) {
	s, n, err := in.targetIn(ctx, in.contactCenter)
	if err == nil {
		err = s.mayOperate()
	}
	if err != nil {
		return nil, err
	}
	lane, record, err := a.find(ctx, n, in.Delivery)
	switch {
	case err != nil:
		return nil, err
	case record.Status != contract.StatusParked:
		return nil, fail(problem.NotParked, "the delivery is "+string(record.Status)+", not parked")
	case in.rerender && !record.CanRerender:
		return nil, invalidAt("/rerender", "rerender: the source of the delivery is not kept; redeliver it as it is")
	}
	err = a.Client.SignalLane(ctx, lane, signal, contract.OperatorRequest{ID: in.Delivery, Rerender: in.rerender, By: s.caller.Name})
	if errors.Is(err, client.ErrCompleted) {
		return nil, fail(problem.NotParked, "the delivery is not parked any more")
	}
	if err != nil {
		return nil, err
	}
	return &accepted{Body: acceptedBody{Delivery: in.Delivery}}, nil
}

// find returns a delivery of an interaction and the lane that has it. A part of a lane is found by
// its listing, which lags by a second.
func (a *api) find(ctx context.Context, n client.Name, id string) (client.Lane, contract.DeliveryRecord, error) {
	records, err := a.Client.Deliveries(ctx, n)
	if err != nil {
		return client.Lane{}, contract.DeliveryRecord{}, unread(err)
	}
	at := slices.IndexFunc(records, func(r contract.DeliveryRecord) bool { return r.ID == id })
	if at < 0 {
		return client.Lane{}, contract.DeliveryRecord{}, noSuchDelivery()
	}
	record := records[at]
	lane := client.LaneOf(n, record.Call)
	if record.Status != contract.StatusParked {
		return lane, record, nil
	}
	in, err := a.Client.LaneDeliveries(ctx, lane)
	if err != nil {
		return lane, record, err
	}
	if slices.ContainsFunc(in, func(r contract.DeliveryRecord) bool { return r.ID == id }) {
		return lane, record, nil
	}
	found, err := lanes.Find(ctx, a.Client, lanes.Filter{ContactCenter: n.ContactCenter, Interaction: n.ID, IDs: []string{id}, Parked: true}, 1, nil)
	if err == nil && len(found.Deliveries) == 1 {
		lane = found.Deliveries[0].Lane()
	}
	return lane, record, err
}
