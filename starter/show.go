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
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show an interaction: state, timeline, deliveries",
		Long: `Show how an interaction stands: its state and what is legal now, its timeline drawn leg by leg, its deliveries
(those of its lane workflows too), and the signals it refused. A worker must run; completed interactions are
shown as long as Temporal keeps them.`,
		Example: `  segue show c1
  segue show berlin/c1 --json | jq .state.capabilities`,
		Args: exactly(1, "one interaction"),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := name(args[0], contactCenter)
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
			p, err := snapshotOf(ctx, s.Client, n)
			if err != nil {
				return err
			}
			return a.print(p, p.write)
		},
	}
	contactCenterFlag(c, &contactCenter)
	return c
}

// snapshot is everything that an interaction tells of itself.
type snapshot struct {
	State      contract.State            `json:"state"`
	Timeline   []interaction.Span        `json:"timeline"`
	Deliveries []contract.DeliveryRecord `json:"deliveries"`
	Rejected   []contract.Rejected       `json:"rejected"`
	// Workflow is how its workflow stands: running, completed, or how it was ended from
	// outside, when, and for which reason.
	Workflow client.WorkflowStatus `json:"workflow"`
}

func snapshotOf(ctx context.Context, c *client.Client, n client.Name) (snapshot, error) {
	var p snapshot
	var err error
	if p.State, err = c.State(ctx, n); err != nil {
		return p, err
	}
	if p.Timeline, err = c.Timeline(ctx, n); err != nil {
		return p, err
	}
	if p.Deliveries, err = c.Deliveries(ctx, n); err != nil {
		return p, err
	}
	if p.Rejected, err = c.Rejected(ctx, n); err != nil {
		return p, err
	}
	if p.Workflow, err = c.WorkflowStatus(ctx, n); err != nil {
		return p, err
	}
	if p.Workflow.Status != "running" { // then only the lanes know
		p.State.Undelivered = 0
		for _, d := range p.Deliveries {
			if d.Status != contract.StatusDelivered && d.Status != contract.StatusDiscarded {
				p.State.Undelivered++
			}
		}
	}
	return p, nil
}

func (p snapshot) write(w io.Writer) error {
	p.writeState(w)
	fmt.Fprintln(w)
	if err := writeTimeline(w, p.Timeline, time.Now()); err != nil {
		return err
	}
	if err := p.writeDeliveries(w); err != nil {
		return err
	}
	return p.writeRejected(w)
}

func (p snapshot) writeState(w io.Writer) {
	s := p.State
	state := string(s.State)
	if s.Outcome != "" {
		state += " (" + string(s.Outcome) + ")"
	}
	cut := isCutOff(p.Workflow.Status)
	if cut {
		state += ", and its workflow was ended from outside: " + p.Workflow.Status
	}
	fmt.Fprintf(w, "%s/%s: %s interaction, %s\n", s.ContactCenter, s.ID, s.Channel, state)
	if cut {
		fmt.Fprintf(w, "  %-12s %s\n", "ended", strings.TrimSpace(p.Workflow.ClosedAt.Local().Format(time.DateTime)+" "+p.Workflow.Reason))
		fmt.Fprintf(w, "  %-12s segue audit fires what it left undone; Temporal's Reset lets it go on where it was\n", "remedy")
	}
	for _, fact := range []struct{ label, value string }{
		{"agent", agentName(s.Agent)},
		{"queue", s.Queue},
		{"process", s.BusinessProcess},
		{"from", s.ANI},
		{"to", s.DNIS},
		{"disposition", dispositionCode(s.Disposition)},
		{"ended by", s.EndedBy},
	} {
		if fact.value != "" {
			fmt.Fprintf(w, "  %-12s %s\n", fact.label, fact.value)
		}
	}
	if s.LateUntil != nil {
		fmt.Fprintf(w, "  %-12s until %s\n", "late data", s.LateUntil.Local().Format(time.DateTime))
	}
	legal := strings.Join(s.Capabilities, ", ")
	if legal == "" || p.Workflow.Status != "running" {
		legal = "nothing any more"
	}
	fmt.Fprintf(w, "  %-12s %s\n", "legal now", legal)
	fmt.Fprintf(w, "  %-12s %d events, %d duplicates, %d rejected, %d not delivered\n",
		"so far", s.Sequence, s.Duplicates, s.RejectedCount, p.undelivered())
	if s.Gaps > 0 {
		last := s.Missing[len(s.Missing)-1]
		fmt.Fprintf(w, "  %-12s %d in source_sequence; the last time it went on without %s\n", "gaps", s.Gaps, last)
	}
}

// undelivered counts what has not arrived and was not discarded, as the lanes have it:
// nothing reports to an interaction that has closed. Beyond what is listed,
// its own count stands.
func (p snapshot) undelivered() int {
	owed := 0
	for _, d := range p.Deliveries {
		if d.Status != contract.StatusDelivered && d.Status != contract.StatusDiscarded {
			owed++
		}
	}
	return min(owed+max(0, p.State.Undelivered-contract.ShownOpen), p.State.Undelivered)
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

func (p snapshot) writeDeliveries(w io.Writer) error {
	if len(p.Deliveries) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	rows := [][]string{{"EVENT", "WHEN", "CALL", "STATUS", "ANSWER", "ATTEMPTS", "CONFIG", "WEBHOOK-ID"}}
	for _, d := range p.Deliveries {
		rows = append(rows, []string{
			fmt.Sprint(d.Sequence), d.Moment, d.Call, string(d.Status), answerOf(d), attemptsOf(d), d.Version, d.ID,
		})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	for _, d := range p.Deliveries {
		if d.Why != "" {
			fmt.Fprintf(w, "event %d, call %s: %s\n", d.Sequence, d.Call, d.Why)
		}
	}
	return nil
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

func (p snapshot) writeRejected(w io.Writer) error {
	if len(p.Rejected) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	rows := [][]string{{"REJECTED", "EVENT-ID", "REASON"}}
	for _, r := range p.Rejected {
		rows = append(rows, []string{r.Command, r.EventID, r.Reason})
	}
	return table(w, rows)
}
