package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/contract"
	"segue/delivery"
	"segue/interaction"
	"segue/starter/draw"
)

func (a *app) showCommand() *cobra.Command {
	var contactCenter string
	var all, full bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show an interaction: state, timeline, deliveries",
		Long: `Show an interaction: its state and the commands that are legal in it and matter most, its timeline, drawn as one row per leg, its
deliveries, including those in lane workflows, and the signals that it rejected. A worker must run. Completed
interactions are shown as long as Temporal keeps them.

Below the deliveries are the requests that were sent or wait, and the beginning of the last response if that was a failure: at
most 5, those that are not delivered first; --full prints all. Credentials and signatures are on no record. A request that
was delivered within the workflow task is not on record either, only its result.

Exit codes: 0 shown; 3 the interaction does not exist; 5 Temporal or a worker does not answer.`,
		Example: `  segue show ixn-1
  segue show berlin/ixn-1 --json | jq .state.capabilities`,
		Args: exactly(1, "one interaction"),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := parseName(args[0], contactCenter)
			if err != nil {
				return err
			}
			s, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			ctx, cancel := limited(c.Context())
			defer cancel()
			shown, err := snapshotOf(ctx, s.Client, n)
			if err != nil {
				return err
			}
			shown.Deliveries = a.detailsOf(ctx, s.Client, n, shown.records, full)
			shown.all, shown.full = all, full
			return a.print(shown, shown.write)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "list every command that is legal now")
	fullFlag(c, &full)
	contactCenterFlag(c, &contactCenter)
	return c
}

// snapshot is everything that the queries of an interaction return. `show --json` prints it.
type snapshot struct {
	State      contract.State            `json:"state"`
	Timeline   []interaction.Span        `json:"timeline"`
	Deliveries []contract.DeliveryDetail `json:"deliveries"`
	Rejected   []contract.Rejected       `json:"rejected"`
	// Workflow is the status of its workflow: running, completed, or how it was ended from outside, when, and why.
	Workflow client.WorkflowStatus `json:"workflow"`
	records  []contract.DeliveryRecord
	// all lists every command that is legal now, and full every request.
	all, full bool
}

func snapshotOf(ctx context.Context, c *client.Client, n client.Name) (snapshot, error) {
	var s snapshot
	var err error
	if s.State, err = c.State(ctx, n); err != nil {
		return s, err
	}
	if s.Timeline, err = c.Timeline(ctx, n); err != nil {
		return s, err
	}
	if s.records, err = c.Deliveries(ctx, n); err != nil {
		return s, err
	}
	if s.Rejected, err = c.Rejected(ctx, n); err != nil {
		return s, err
	}
	if s.Workflow, err = c.WorkflowStatus(ctx, n); err != nil {
		return s, err
	}
	if s.Workflow.Status != "running" { // nothing reports to a closed workflow: only the lanes know
		s.State.Undelivered = s.listedUndelivered()
	}
	return s, nil
}

func (s snapshot) write(w io.Writer) error {
	s.writeState(w)
	fmt.Fprintln(w)
	if err := writeTimeline(w, s.Timeline, time.Now()); err != nil {
		return err
	}
	if err := s.writeDeliveries(w); err != nil {
		return err
	}
	return s.writeRejected(w)
}

func (s snapshot) writeState(w io.Writer) {
	i := s.State
	state := string(i.State)
	if i.Outcome != "" {
		state += " (" + string(i.Outcome) + ")"
	}
	endedFromOutside := wasEndedFromOutside(s.Workflow.Status)
	if endedFromOutside {
		state += ", and its workflow was ended from outside: " + s.Workflow.Status
	}
	fmt.Fprintf(w, "%s/%s: %s interaction, %s\n", i.ContactCenter, i.ID, i.Channel, state)
	row := func(label, value string) { fmt.Fprintf(w, "  %-12s %s\n", label, value) }
	if endedFromOutside {
		row("ended", strings.TrimSpace(s.Workflow.ClosedAt.Local().Format(time.DateTime)+" "+s.Workflow.Reason))
		row("remedy", "`segue audit` finds and fires what is missing; Temporal's Reset continues the interaction in this state")
	}
	for _, fact := range []struct{ label, value string }{
		{"agent", agentName(i.Agent)},
		{"queue", i.Queue},
		{"process", i.BusinessProcess},
		{"from", i.ANI},
		{"to", i.DNIS},
		{"disposition", dispositionCode(i.Disposition)},
		{"ended by", i.EndedBy},
	} {
		if fact.value != "" {
			row(fact.label, fact.value)
		}
	}
	if i.LateUntil != nil {
		row("late data", "accepted until "+i.LateUntil.Local().Format(time.DateTime))
	}
	legal := legalNow(i.Capabilities, i.State, s.all)
	if legal == "" || s.Workflow.Status != "running" {
		legal = "no command"
	}
	row("legal now", legal)
	row("so far", fmt.Sprintf("%d events, %d duplicates, %d rejected, %d not delivered", i.Sequence, i.Duplicates, i.RejectedCount, s.undelivered()))
	if i.Gaps > 0 {
		row("gaps", fmt.Sprintf("%d in source_sequence, the last: %s", i.Gaps, i.Missing[len(i.Missing)-1]))
	}
}

// undelivered counts the deliveries that are neither delivered nor discarded. The interaction's own count covers those
// beyond the listed ones.
func (s snapshot) undelivered() int {
	return min(s.listedUndelivered()+max(0, s.State.Undelivered-contract.ShownOpen), s.State.Undelivered)
}

func (s snapshot) listedUndelivered() int {
	count := 0
	for _, d := range s.records {
		if d.Status != contract.StatusDelivered && d.Status != contract.StatusDiscarded {
			count++
		}
	}
	return count
}

func agentName(agent *interaction.Agent) string {
	switch {
	case agent == nil:
		return ""
	case agent.Name != "":
		return agent.ID + " (" + agent.Name + ")"
	}
	return agent.ID
}

func dispositionCode(d *interaction.Disposition) string {
	if d == nil {
		return ""
	}
	return d.Code
}

// writeTimeline draws the segments of an interaction.
func writeTimeline(w io.Writer, timeline []interaction.Span, now time.Time) error {
	spans := make([]draw.Span, len(timeline))
	longest := 0
	for i, s := range timeline {
		name := s.Queue
		if s.Leg == interaction.LegAgent {
			name = s.Agent
		}
		spans[i] = draw.Span{Leg: string(s.Leg), Name: name, Segment: string(s.Segment), Start: s.Start}
		if s.End != nil {
			spans[i].End = *s.End
		}
		longest = max(longest, len(s.Leg)+len(name)+1)
	}
	return draw.Timeline(w, spans, now, min(widthOf(w)-longest-6, 120))
}

func (s snapshot) writeDeliveries(w io.Writer) error {
	if len(s.records) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	rows := [][]string{{"EVENT", "WHEN", "CALL", "STATUS", "ANSWER", "ATTEMPTS", "CONFIG", "WEBHOOK-ID"}}
	for _, d := range s.records {
		rows = append(rows, []string{
			fmt.Sprint(d.Sequence), d.Moment, d.Call, string(d.Status), answerOf(d), attemptsOf(d), d.Version, d.ID,
		})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	for _, d := range s.records {
		if d.Why != "" {
			fmt.Fprintf(w, "event %d, call %s: %s\n", d.Sequence, d.Call, draw.Printable(d.Why))
		}
	}
	return writeRequests(w, s.Deliveries, s.full)
}

func answerOf(d contract.DeliveryRecord) string {
	if d.Code != 0 {
		return fmt.Sprintf("%d %s", d.Code, d.Class)
	}
	return d.Class
}

func attemptsOf(d contract.DeliveryRecord) string {
	switch {
	case d.Class == string(delivery.ClassDryRun):
		return "0"
	case d.Sent > 0:
		return fmt.Sprint(d.Sent)
	case len(d.Attempts) > 0:
		return fmt.Sprint(len(d.Attempts))
	case d.Status == contract.StatusDelivered:
		return "1"
	}
	return ""
}

func (s snapshot) writeRejected(w io.Writer) error {
	if len(s.Rejected) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	rows := [][]string{{"REJECTED", "EVENT-ID", "REASON"}}
	for _, r := range s.Rejected {
		rows = append(rows, []string{r.Command, r.EventID, r.Reason})
	}
	return table(w, rows)
}
