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
			for i := range 24 {
				large := strings.Repeat(fmt.Sprint(i%10), 50<<10)
				if err := s.signals(ctx, "bulky", "update_user_data", fmt.Sprintf(`{"user_data":{"large":%q}}`, large)); err != nil {
					return err
				}
			}
			lane := laneID("bulky", "bulk")
			chain := []string{lane}
			err := errors.Join(
				s.steps(ctx, "bulky", "complete", none),
				s.finished(ctx, interactionID("bulky")),
				s.until(ctx, lane, has(contract.StatusParked, "bulk")))
			for i := 1; err == nil && i <= 2; i++ {
				err = ask(ctx, s, chain[i-1], contract.QueryParts, func(next []string) bool {
					chain = append(chain[:i], next...)
					return len(next) > 0
				})
			}
			if err != nil {
				return err
			}
			for i, id := range chain {
				if i > 0 {
					s.also[fmt.Sprintf("lane_part_%d", i)] = id
				}
				if err := s.discardAll(ctx, id); err != nil {
					return err
				}
			}
			return s.finished(ctx, lane) // it closes after its parts have passed
		},
	},
}

// park makes the lane of an interaction for the call gone have a parked delivery.
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

// parkedLane is the scenario of a lane with a parked delivery: an operator sends a signal, if
// one is given, and then discards the delivery.
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

// discardAll discards the deliveries of a lane or a part until none is open.
func (s *studio) discardAll(ctx context.Context, lane string) error {
	return ask(ctx, s, lane, contract.QueryDeliveries, func(records []contract.DeliveryRecord) bool {
		open := 0
		for _, record := range records {
			if record.Status == contract.StatusDelivered || record.Status == contract.StatusDiscarded {
				continue
			}
			open++
			// A delivery that has been settled meanwhile is refused; the next query shows it.
			_ = s.client.SignalWorkflow(ctx, lane, "", contract.SignalDiscard, contract.OperatorRequest{ID: record.ID})
		}
		return open == 0
	})
}
