package workflows

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
)

// The current details list the last segments, the first open deliveries, and the first lanes that have a workflow.
const (
	detailSpans      = 12
	detailDeliveries = 8
	detailLanes      = 20
)

// details returns the interaction in Markdown, for an operator in the Temporal UI.
func (r *run) details(status contract.State) string {
	var text strings.Builder
	fmt.Fprintf(&text, "**%s**", status.State)
	if status.Outcome != "" {
		fmt.Fprintf(&text, " (%s)", status.Outcome)
	}
	fmt.Fprintf(&text, " · %s interaction `%s` of `%s`", status.Channel, status.ID, status.ContactCenter)
	if status.Agent != nil {
		fmt.Fprintf(&text, " · agent `%s`", status.Agent.ID)
	}
	if status.Queue != "" {
		fmt.Fprintf(&text, " · queue `%s`", status.Queue)
	}
	fmt.Fprintf(&text, "\n\nDeliveries: %d, not delivered yet: %d. Rejected commands: %d.\n", r.Deliveries.Total, status.Undelivered, status.RejectedCount)
	r.describeDeliveries(&text)
	if status.LateUntil != nil {
		fmt.Fprintf(&text, "\nThe interaction has ended and its end triggers have fired. It takes disposition, survey and user data until %s.\n", status.LateUntil.Format("2006-01-02 15:04:05 MST"))
	}
	if r.cancelable.Err() != nil {
		fmt.Fprintf(&text, "\nThe workflow was canceled: the interaction ends and its end triggers fire. The run closes when its requests are sent; %d are in flight.\n", r.waitingRequests())
	}
	describeInvitation(&text, status)
	r.describeDeadlines(&text)
	r.describeOrder(&text)
	r.describeTimeline(&text)
	return text.String()
}

// describeInvitation writes how often the visitor of a web page was invited, and the answer to the last invitation.
func describeInvitation(text *strings.Builder, status contract.State) {
	e := status.Engagement
	switch {
	case e == nil || e.Attempts == 0:
	case e.Result != "":
		fmt.Fprintf(text, "\nInvitation %d of the visitor: %s.\n", e.Attempts, e.Result)
	case status.State == interaction.StateEngaging:
		fmt.Fprintf(text, "\nInvitation %d of the visitor: no answer yet.\n", e.Attempts)
	default:
		fmt.Fprintf(text, "\nInvitation %d of the visitor: no answer.\n", e.Attempts)
	}
}

func (r *run) describeTimeline(text *strings.Builder) {
	spans := r.Interaction.Timeline()
	if len(spans) == 0 {
		return
	}
	var rows [][]string
	for _, span := range spans[max(0, len(spans)-detailSpans):] {
		end := ""
		if span.End != nil {
			end = span.End.UTC().Format("15:04:05.000")
		}
		rows = append(rows, []string{string(span.Segment), string(span.Leg), span.Agent, span.Start.UTC().Format("15:04:05.000"), end})
	}
	writeTable(text, []string{"segment", "leg", "agent", "from", "to"}, rows)
}

// describeDeliveries writes what is not delivered yet, and links the lane workflows, which have every attempt.
func (r *run) describeDeliveries(text *strings.Builder) {
	for i, record := range r.Deliveries.firstOpen(detailDeliveries) {
		if i == 0 {
			text.WriteString("\nNot delivered yet:\n\n")
		}
		fmt.Fprintf(text, "* `%s` for event %d (%s): %s", record.Call, record.Sequence, record.Moment, statusInWords(record.Status))
		if record.Class != "" {
			fmt.Fprintf(text, ", %s", record.Class)
		}
		text.WriteByte('\n')
	}
	r.linkLanes(text)
}

func (r *run) linkLanes(text *strings.Builder) {
	listed := 0
	for _, l := range r.Lanes {
		if l.LastAppended == "" {
			continue
		}
		switch listed++; listed {
		case 1:
			text.WriteString("\nLane workflows, which show every attempt and what an operator can do:\n\n")
		case detailLanes + 1:
			text.WriteString("* …\n")
			return
		}
		id := contract.DeliveryWorkflowID(r.owner, l.Call)
		fmt.Fprintf(text, "* %s", workflowLink(workflow.GetInfo(r.ctx).Namespace, id, ""))
		if !l.HandedOver {
			text.WriteString(": nothing left")
		}
		text.WriteByte('\n')
	}
}

// statusInWords returns the status of a delivery that is not settled.
func statusInWords(status contract.DeliveryStatus) string {
	if status == contract.StatusInLane {
		return "in its lane workflow"
	}
	return string(status)
}

// describeDeadlines writes what happens next if no command comes before. The end of the wait
// for late data is described with the end.
func (r *run) describeDeadlines(text *strings.Builder) {
	if r.Interaction.Completed() {
		return
	}
	for i, d := range r.deadlines() {
		if i == 0 {
			text.WriteString("\nDeadlines:\n\n")
		}
		fmt.Fprintf(text, "* %s: %s\n", d.due.UTC().Format("2006-01-02 15:04:05 MST"), d.inWords())
	}
}
