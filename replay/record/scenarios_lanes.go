package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"segue/contract"
)

// lanes are paths of Delivery workflows that operators act on, or that hold too much.
var lanes = []scenario{
	parkedLane("redelivered", contract.SignalRedeliver),
	parkedLane("discarded", ""),
	{
		name:      "lane_continue_as_new",
		histories: map[string]string{"lane_continue_as_new": laneID("flooded", "gone")},
		play: func(ctx context.Context, s *studio) error {
			lane := laneID("flooded", "gone")
			return errors.Join(
				s.park(ctx, "flooded"),
				s.flood(ctx, lane, "unknown", unknown),
				s.client.SignalWorkflow(ctx, lane, "", contract.SignalDiscard, nil),
				s.finished(ctx, lane))
		},
	},
	{
		name:      "lane_parts",
		histories: map[string]string{"lane_parts": laneID("bulky", "bulk")},
		play: func(ctx context.Context, s *studio) error {
			if err := s.start(ctx, "bulky", "sms", ""); err != nil {
				return err
			}
			for i := range 16 {
				large := strings.Repeat(fmt.Sprint(i%10), 50<<10)
				if err := s.signals(ctx, "bulky", "update_user_data", fmt.Sprintf(`{"user_data":{"large":%q}}`, large)); err != nil {
					return err
				}
			}
			lane := laneID("bulky", "bulk")
			var parts []string
			err := errors.Join(
				s.steps(ctx, "bulky", "complete", none),
				s.finished(ctx, interactionID("bulky")),
				ask(ctx, s, lane, contract.QueryParts, func(ids []string) bool { parts = ids; return len(ids) > 0 }),
				s.until(ctx, lane, has(contract.StatusParked, "bulk")))
			if err != nil {
				return err
			}
			for i, part := range parts {
				s.also[fmt.Sprintf("lane_part_%d", i+1)] = part
			}
			for _, id := range append([]string{lane}, parts...) {
				if err := s.discardAll(ctx, id); err != nil {
					return err
				}
			}
			return s.finished(ctx, lane) // once its parts are
		},
	},
}

// park brings the lane of an interaction for the call gone to a parked delivery.
func (s *studio) park(ctx context.Context, id string) error {
	if err := s.start(ctx, id, "inbound", ""); err != nil {
		return err
	}
	return errors.Join(
		s.steps(ctx, id, "queue_event", `{"event":"PLAY"}`),
		s.until(ctx, laneID(id, "gone"), has(contract.StatusParked, "gone")),
		s.steps(ctx, id, "abandon", none),
		s.finished(ctx, interactionID(id)))
}

// parkedLane is a scenario of a lane that an operator sends a signal, if any, and whose
// delivery is discarded at last.
func parkedLane(name, signal string) scenario {
	return scenario{
		name:      name,
		histories: map[string]string{"lane_" + name: laneID(name, "gone")},
		play: func(ctx context.Context, s *studio) error {
			lane := laneID(name, "gone")
			if err := s.park(ctx, name); err != nil {
				return err
			}
			if signal != "" {
				tries := func(records []contract.DeliveryRecord) bool {
					return len(records[0].Attempts) > 1 && records[0].Status == contract.StatusParked
				}
				if err := errors.Join(s.client.SignalWorkflow(ctx, lane, "", signal, nil), s.until(ctx, lane, tries)); err != nil {
					return err
				}
			}
			return errors.Join(s.discardAll(ctx, lane), s.finished(ctx, lane))
		},
	}
}

// discardAll gives up what a lane holds until its workflow is done.
func (s *studio) discardAll(ctx context.Context, lane string) error {
	return ask(ctx, s, lane, contract.QueryDeliveries, func(records []contract.DeliveryRecord) bool {
		open := 0
		for _, record := range records {
			if record.Status == contract.StatusDelivered || record.Status == contract.StatusDiscarded {
				continue
			}
			open++
			// One that has gone meanwhile is refused; a query tells.
			_ = s.client.SignalWorkflow(ctx, lane, "", contract.SignalDiscard, contract.OperatorRequest{ID: record.ID})
		}
		return open == 0
	})
}
