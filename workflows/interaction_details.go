package workflows

import (
	"fmt"
	"strings"

	"segue/contract"
	"segue/interaction"
)

// cell escapes a name for a cell of a Markdown table.
func cell(name string) string { return strings.ReplaceAll(name, "|", `\|`) }

// detailSpans is how many of the last segments the current details list.
const detailSpans = 12

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
	if status.LateUntil != nil {
		fmt.Fprintf(&text, "\nThe interaction has ended and its end triggers have fired. It takes disposition, survey and user data until %s.\n", status.LateUntil.Format("2006-01-02 15:04:05 MST"))
	}
	if r.cancelable.Err() != nil {
		fmt.Fprintf(&text, "\nThe workflow was canceled: the interaction ends and its end triggers fire. The run closes when its requests are sent; %d are in flight.\n", r.waitingRequests())
	}
	describeInvitation(&text, status)
	r.describeDeadlines(&text)
	r.describeOrder(&text)
	if spans := r.Interaction.Timeline(); len(spans) > 0 {
		text.WriteString("\n| segment | leg | agent | from | to |\n|---|---|---|---|---|\n")
		for _, span := range spans[max(0, len(spans)-detailSpans):] {
			end := ""
			if span.End != nil {
				end = span.End.UTC().Format("15:04:05.000")
			}
			fmt.Fprintf(&text, "| %s | %s | %s | %s | %s |\n", span.Segment, span.Leg, cell(span.Agent), span.Start.UTC().Format("15:04:05.000"), end)
		}
	}
	for _, record := range r.Deliveries.firstOpen(8) {
		fmt.Fprintf(&text, "\n* `%s` for event %d (%s): %s", record.Call, record.Sequence, record.Moment, record.Status)
		if record.Class != "" {
			fmt.Fprintf(&text, ", %s", record.Class)
		}
	}
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
