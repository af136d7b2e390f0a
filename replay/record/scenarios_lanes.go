package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"segue/contract"
)

// lanes are paths of Delivery workflows that operators act on, or that hold so much that they split or continue as new.
var lanes = []scenario{
	parkedLane("redelivered", contract.SignalRedeliver),
	parkedLane("discarded", ""),
	{
		name:      "lane_continue_as_new",
		histories: map[string]string{"lane_continue_as_new": laneID("flooded", "gone")},
		play: func(ctx context.Context, r *recorder) error {
			lane := laneID("flooded", "gone")
			return errors.Join(
				r.park(ctx, "flooded"),
				r.flood(ctx, lane, "unknown", noPayload),
				r.client.SignalWorkflow(ctx, lane, "", contract.SignalDiscard, nil),
				r.awaitEnd(ctx, lane))
		},
	},
	{
		name:      "lane_parts",
		histories: map[string]string{"lane_parts": laneID("bulky", "bulk")},
		play: func(ctx context.Context, r *recorder) error {
			if err := r.start(ctx, "bulky", "sms", ""); err != nil {
				return err
			}
			for i := range 16 {
				large := strings.Repeat(fmt.Sprint(i%10), 50<<10)
				if err := r.signals(ctx, "bulky", "update_user_data", fmt.Sprintf(`{"user_data":{"large":%q}}`, large)); err != nil {
					return err
				}
			}
			lane := laneID("bulky", "bulk")
			var parts []string
			err := errors.Join(
				r.updates(ctx, "bulky", "complete", none),
				r.awaitEnd(ctx, interactionID("bulky")),
				await(ctx, r, lane, contract.QueryParts, func(ids []string) bool { parts = ids; return len(ids) > 0 }),
				r.awaitDeliveries(ctx, lane, has(contract.StatusParked, "bulk")))
			if err != nil {
				return err
			}
			for i, part := range parts {
				r.also[fmt.Sprintf("lane_part_%d", i+1)] = part
			}
			for _, id := range append([]string{lane}, parts...) {
				if err := r.discardAll(ctx, id); err != nil {
					return err
				}
			}
			return r.awaitEnd(ctx, lane) // after its parts
		},
	},
}

// park completes an interaction whose lane for the call gone has a parked delivery.
func (r *recorder) park(ctx context.Context, id string) error {
	if err := r.start(ctx, id, "inbound", ""); err != nil {
		return err
	}
	return errors.Join(
		r.updates(ctx, id, "queue_event", `{"event":"PLAY"}`),
		r.awaitDeliveries(ctx, laneID(id, "gone"), has(contract.StatusParked, "gone")),
		r.updates(ctx, id, "abandon", none),
		r.awaitEnd(ctx, interactionID(id)))
}

// parkedLane is a scenario of a lane to which an operator sends a signal, if there is one, and whose delivery is then
// discarded.
func parkedLane(name, signal string) scenario {
	return scenario{
		name:      name,
		histories: map[string]string{"lane_" + name: laneID(name, "gone")},
		play: func(ctx context.Context, r *recorder) error {
			lane := laneID(name, "gone")
			if err := r.park(ctx, name); err != nil {
				return err
			}
			if signal != "" {
				tries := func(records []contract.DeliveryRecord) bool {
					return len(records[0].Attempts) > 1 && records[0].Status == contract.StatusParked
				}
				if err := errors.Join(r.client.SignalWorkflow(ctx, lane, "", signal, nil), r.awaitDeliveries(ctx, lane, tries)); err != nil {
					return err
				}
			}
			return errors.Join(r.discardAll(ctx, lane), r.awaitEnd(ctx, lane))
		},
	}
}

// discardAll discards all deliveries of a lane.
func (r *recorder) discardAll(ctx context.Context, lane string) error {
	return await(ctx, r, lane, contract.QueryDeliveries, func(records []contract.DeliveryRecord) bool {
		open := 0
		for _, record := range records {
			if record.Status == contract.StatusDelivered || record.Status == contract.StatusDiscarded {
				continue
			}
			open++
			// An error does not matter: the delivery may have left the lane meanwhile, and the next query shows it.
			_ = r.client.SignalWorkflow(ctx, lane, "", contract.SignalDiscard, contract.OperatorRequest{ID: record.ID})
		}
		return open == 0
	})
}
