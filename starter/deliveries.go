package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	historypb "go.temporal.io/api/history/v1"

	"segue/client"
	"segue/client/lanes"
	"segue/contract"
)

func (a *app) deliveriesCommand() *cobra.Command {
	var f laneFlags
	var parked, discarded bool
	c := &cobra.Command{
		Use:   "deliveries [ID]",
		Short: "List deliveries that have not arrived",
		Long: `List the deliveries that lane workflows hold, across the namespace: what waits for its next attempt, and what is
parked, which is what no attempt helped and waits for a person. With an interaction, list all of its deliveries,
arrived ones too. With --discarded, list what was given up instead: when, and by whom, as long as Temporal keeps the lanes;
of each lane the last 100. A worker must run. Lists lag behind by up to a second.

` + "`segue redeliver` and `segue discard`" + ` take the same filters.`,
		Example: `  segue deliveries --parked
  segue deliveries --call crm --class gone --since 2h --json | jq -r '.[].id'
  segue deliveries --discarded --since 24h
  segue deliveries berlin/c1`,
		Args: between(0, 1, "at most one interaction"),
		RunE: func(c *cobra.Command, args []string) error {
			filter, err := f.filter(args, time.Now())
			if err != nil {
				return err
			}
			if parked && discarded {
				return usage("--parked and --discarded: use one of them")
			}
			filter.Parked, filter.Discarded = parked, discarded
			s, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			found, err := a.deliveries(c.Context(), s, filter, f.limit)
			if err != nil {
				return err
			}
			if discarded {
				return a.printDiscarded(c.Context(), s, found, f.limit)
			}
			return a.printFound(found, f.limit)
		},
	}
	f.register(c, 200)
	c.Flags().BoolVar(&parked, "parked", false, "only what is parked")
	c.Flags().BoolVar(&discarded, "discarded", false, "what was given up, by whom and when, instead")
	return c
}

// deliveries are those of one interaction, or those that the namespace's lanes hold.
func (a *app) deliveries(ctx context.Context, s *session, filter lanes.Filter, limit int) (lanes.Found, error) {
	if filter.Interaction == "" {
		return a.search(ctx, s, filter, limit)
	}
	n := client.Name{ContactCenter: filter.ContactCenter, ID: filter.Interaction}
	limitedCtx, cancel := limited(ctx)
	defer cancel()
	records, err := s.Deliveries(limitedCtx, n)
	if errors.Is(err, client.ErrNotFound) {
		// Temporal may have dropped a completed interaction whose lanes still wait.
		if found, searched := a.search(ctx, s, filter, limit); searched != nil || len(found.Deliveries) > 0 {
			return found, searched
		}
	}
	if err != nil {
		return lanes.Found{}, err
	}
	filter.Settled = true
	var found lanes.Found
	for _, record := range records {
		lane := client.LaneOf(n, record.Call)
		if len(record.Attempts) == 0 && record.EventAt == "" {
			lane.WorkflowID = n.WorkflowID() // the interaction's own word
		}
		switch {
		case !filter.Match(record):
		case len(found.Deliveries) == limit:
			found.More = true
		default:
			found.Deliveries = append(found.Deliveries, lanes.DeliveryIn(lane, record))
		}
	}
	return found, nil
}

// search looks into the lanes of the namespace, and shows how far it is.
func (a *app) search(ctx context.Context, s *session, filter lanes.Filter, limit int) (lanes.Found, error) {
	bar := newProgress(a.errs, "lanes", s.count(ctx, filter.Query()))
	defer bar.end()
	return lanes.Find(ctx, s, filter, limit, bar.step)
}

func (a *app) printFound(found lanes.Found, limit int) error {
	return a.printWith(found, limit, writeDeliveries)
}

// printDiscarded prints what was given up, and reads who did from the lanes' histories
// where a signal did not say.
func (a *app) printDiscarded(ctx context.Context, s *session, found lanes.Found, limit int) error {
	histories := map[string]*historypb.History{}
	for i, d := range found.Deliveries {
		if d.Discarded == nil || d.Discarded.By != "" {
			continue
		}
		lane := d.Lane()
		lane.RunID = d.RunID
		key := lane.WorkflowID + " " + lane.RunID
		if _, known := histories[key]; !known {
			history, err := s.LaneHistory(ctx, lane)
			if err != nil {
				return err
			}
			histories[key] = history
		}
		found.Deliveries[i].Discarded = &contract.Discarding{At: d.Discarded.At, By: client.DiscardedBy(histories[key], d.DeliveryRecord)}
	}
	return a.printWith(found, limit, writeDiscarded)
}

func (a *app) printWith(found lanes.Found, limit int, write func(io.Writer, []lanes.Delivery) error) error {
	err := a.print(list(found.Deliveries), func(w io.Writer) error { return write(w, found.Deliveries) })
	if found.More {
		fmt.Fprintf(a.errs, "There are more than %d: narrow it, or raise --limit.\n", limit)
	}
	for _, failure := range found.Failures {
		fmt.Fprintf(a.errs, "%s did not answer: %s\n", failure.WorkflowID, failure.Reason)
	}
	if err == nil && len(found.Failures) > 0 {
		return &codedError{exitFailure}
	}
	return err
}

func writeDeliveries(w io.Writer, deliveries []lanes.Delivery) error {
	rows := [][]string{{"INTERACTION", "CALL", "EVENT", "WHEN", "STATUS", "ANSWER", "ATTEMPTS", "LAST", "NEXT", "WEBHOOK-ID"}}
	for _, d := range deliveries {
		rows = append(rows, []string{
			whose(d.ContactCenter, d.Interaction, d.Receiver), d.Call, fmt.Sprint(d.Sequence), d.Moment, string(d.Status),
			answerOf(d.DeliveryRecord), attemptsOf(d.DeliveryRecord), localTime(d.At), nextOf(d), d.ID,
		})
	}
	return table(w, rows)
}

func writeDiscarded(w io.Writer, deliveries []lanes.Delivery) error {
	rows := [][]string{{"INTERACTION", "CALL", "EVENT", "WHEN", "ANSWER", "ATTEMPTS", "DISCARDED", "BY", "WEBHOOK-ID"}}
	for _, d := range deliveries {
		at, by := "", ""
		if d.Discarded != nil {
			at, by = localTime(d.Discarded.At), d.Discarded.By
		}
		rows = append(rows, []string{
			whose(d.ContactCenter, d.Interaction, d.Receiver), d.Call, fmt.Sprint(d.Sequence), d.Moment,
			answerOf(d.DeliveryRecord), attemptsOf(d.DeliveryRecord), at, by, d.ID,
		})
	}
	return table(w, rows)
}

// nextOf says what a delivery waits for.
func nextOf(d lanes.Delivery) string {
	switch {
	case d.Status == contract.StatusParked:
		return "a person"
	case d.Due != "":
		return localTime(d.Due)
	case d.Status == contract.StatusWaiting:
		return "its turn"
	}
	return ""
}

func localTime(stamp string) string {
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return stamp
	}
	return at.Local().Format(time.DateTime)
}
