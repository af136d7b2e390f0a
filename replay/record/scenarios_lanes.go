package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"segue/contract"
)

// lanes are paths of Delivery workflows on which operators act, or which hold too much.
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
			for i := range 24 {
				large := strings.Repeat(fmt.Sprint(i%10), 50<<10)
				if err := r.signals(ctx, "bulky", "update_user_data", fmt.Sprintf(`{"user_data":{"large":%q}}`, large)); err != nil {
					return err
				}
			}
			lane := laneID("bulky", "bulk")
			chain := []string{lane}
			err := errors.Join(
				r.updates(ctx, "bulky", "complete", none),
				r.awaitEnd(ctx, interactionID("bulky")),
				r.awaitDeliveries(ctx, lane, has(contract.StatusParked, "bulk")))
			for i := 1; err == nil && i <= 2; i++ {
				err = await(ctx, r, chain[i-1], contract.QueryParts, func(next []string) bool {
					chain = append(chain[:i], next...)
					return len(next) > 0
				})
			}
			if err != nil {
				return err
			}
			for i, id := range chain {
				if i > 0 {
					r.also[fmt.Sprintf("lane_part_%d", i)] = id
				}
				if err := r.discardAll(ctx, id); err != nil {
					return err
				}
			}
			return r.awaitEnd(ctx, lane) // it closes after its parts have passed
		},
	},
}

// park makes the lane of an interaction for the call gone have a parked delivery.
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

// parkedLane is the scenario of a lane with a parked delivery: an operator sends a signal, if
// one is given, and then discards the delivery.
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

// discardAll discards the deliveries of a lane or a part until none is open.
func (r *recorder) discardAll(ctx context.Context, lane string) error {
	return await(ctx, r, lane, contract.QueryDeliveries, func(records []contract.DeliveryRecord) bool {
		open := 0
		for _, record := range records {
			if record.Status == contract.StatusDelivered || record.Status == contract.StatusDiscarded {
				continue
			}
			open++
			// A delivery that has been settled meanwhile is refused; the next query shows it.
			_ = r.client.SignalWorkflow(ctx, lane, "", contract.SignalDiscard, contract.OperatorRequest{ID: record.ID})
		}
		return open == 0
	})
}
