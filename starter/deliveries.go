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
	var parked, discarded, full bool
	c := &cobra.Command{
		Use:   "deliveries [ID]",
		Short: "List undelivered deliveries",
		Long: `List the undelivered deliveries of the namespace: those that wait for their next attempt, and those that are parked.
A delivery is parked when its attempts are exhausted or a retry cannot help; it waits for an operator. With an
interaction, list all its deliveries, delivered ones too.

With --discarded, list the discarded deliveries instead, with time and operator: the last 100 of each lane, as long as
Temporal keeps the lane.

With an interaction or --id, print below the list the requests that were sent or wait, and the beginning of the last response
if that was a failure: at most 5, those that are not delivered first; --full prints all. Credentials and signatures are on
no record. A request that was delivered within the workflow task is not on record either, only its result.

The filters are combined; ` + "`segue redeliver` and `segue discard`" + ` accept the same ones. A worker must run. Lists lag by
up to a second.

Exit codes: 0 success; 1 a lane did not answer; 2 the command line is invalid; 3 the interaction does not exist;
5 Temporal or a worker does not answer.`,
		Example: `  segue deliveries --parked
  segue deliveries --call crm --class gone --since 2h --json | jq -r '.[].id'
  segue deliveries --discarded --since 24h
  segue deliveries berlin/ixn-1
  segue deliveries berlin/ixn-1 --id msg_N1esEoKKEkEozjWJ-Gjwo_ao --full`,
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
			if filter.Interaction == "" && len(filter.IDs) == 0 {
				return a.printWith(found, f.limit, writeDeliveries)
			}
			return a.printDetails(c.Context(), s, found, f.limit, full)
		},
	}
	f.register(c, 200)
	c.Flags().BoolVar(&parked, "parked", false, "only parked deliveries")
	c.Flags().BoolVar(&discarded, "discarded", false, "list discarded deliveries instead, with time and operator")
	fullFlag(c, &full)
	return c
}

// deliveries returns the deliveries of one interaction, or those in the lanes of the namespace.
func (a *app) deliveries(ctx context.Context, s *session, filter lanes.Filter, limit int) (lanes.Found, error) {
	if filter.Interaction == "" {
		return a.search(ctx, s, filter, limit)
	}
	n := client.Name{ContactCenter: filter.ContactCenter, ID: filter.Interaction}
	limitedCtx, cancel := limited(ctx)
	defer cancel()
	records, err := s.Deliveries(limitedCtx, n)
	if errors.Is(err, client.ErrNotFound) {
		// Temporal may have deleted a completed interaction whose lanes still run.
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
			lane.WorkflowID = n.WorkflowID() // the interaction workflow reported it, not a lane
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

// search queries the lanes of the namespace and shows progress.
func (a *app) search(ctx context.Context, s *session, filter lanes.Filter, limit int) (lanes.Found, error) {
	bar := newProgress(a.errs, "lanes", s.count(ctx, filter.Query()))
	defer bar.end()
	return lanes.Find(ctx, s, filter, limit, bar.step)
}

// printDetails prints deliveries with their requests and responses.
func (a *app) printDetails(ctx context.Context, s *session, found lanes.Found, limit int, full bool) error {
	details := a.laneDetails(ctx, s, found.Deliveries, full)
	err := a.print(list(details), func(w io.Writer) error {
		if err := writeDeliveries(w, found.Deliveries); err != nil {
			return err
		}
		plain := make([]contract.DeliveryDetail, len(details))
		for i, d := range details {
			plain[i] = contract.DeliveryDetail{DeliveryRecord: d.DeliveryRecord, DeliveryExchange: d.DeliveryExchange}
		}
		return writeRequests(w, plain, full)
	})
	return a.noteIncomplete(err, found, limit)
}

// printDiscarded prints discarded deliveries. If the signal did not name the operator, the lane's history does.
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
	return a.noteIncomplete(err, found, limit)
}

// noteIncomplete reports on stderr what a list lacks. It returns err, or an exit code if a lane did not answer.
func (a *app) noteIncomplete(err error, found lanes.Found, limit int) error {
	if found.More {
		fmt.Fprintf(a.errs, "There are more than %d: use a filter, or raise --limit.\n", limit)
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
			laneOwner(d.ContactCenter, d.Interaction, d.Receiver), d.Call, fmt.Sprint(d.Sequence), d.Moment, string(d.Status),
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
			laneOwner(d.ContactCenter, d.Interaction, d.Receiver), d.Call, fmt.Sprint(d.Sequence), d.Moment,
			answerOf(d.DeliveryRecord), attemptsOf(d.DeliveryRecord), at, by, d.ID,
		})
	}
	return table(w, rows)
}

// nextOf returns what an undelivered delivery waits for.
func nextOf(d lanes.Delivery) string {
	switch {
	case d.Status == contract.StatusParked:
		return "an operator"
	case d.Due != "":
		return localTime(d.Due)
	case d.Status == contract.StatusWaiting:
		return "earlier deliveries"
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
