package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
)

// The current details list the first open deliveries and the last discarded ones.
const (
	detailOpen      = 10
	detailDiscarded = 5
)

// publish updates what operators see: search attributes and current details.
func (r *laneRun) publish() {
	if !r.changed {
		return
	}
	r.changed = false
	parked := 0
	for _, it := range r.Items {
		if it.Status == contract.StatusParked {
			parked++
		}
	}
	outcome := ""
	if r.GivenUp > 0 {
		outcome = string(contract.StatusDiscarded)
	}
	r.write(r.ctx,
		r.keyword(contract.AttributeCall, r.start.Call),
		r.keyword(contract.AttributeContactCenter, r.start.Owner.ContactCenter),
		r.keyword(contract.AttributeInteraction, r.start.Owner.Interaction),
		r.keyword(contract.AttributeOutcome, outcome),
		r.number(contract.AttributeParked, parked),
	)
	workflow.SetCurrentDetails(r.ctx, r.details(r.countOpen()+len(r.Overflow), parked))
}

// details describes the lane in Markdown, for operators in the Temporal UI.
func (r *laneRun) details(open, parked int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Lane **%s** of %s: %d to deliver, %d of them parked.", r.start.Call, r.ownerLink(), open, parked)
	if r.GivenUp > 0 {
		fmt.Fprintf(&text, " %d were discarded.", r.GivenUp)
	}
	text.WriteString("\n")
	if !r.CancelAsked.IsZero() {
		fmt.Fprintf(&text, "\nA cancellation was requested at %s. It changed nothing: canceling a lane does not discard its deliveries. "+
			"To discard deliveries, send the signal `discard`; with the input `{\"all\": true}` it discards all of them, including those that were never attempted.\n",
			minuteOf(r.CancelAsked))
	}
	if parked > 0 {
		text.WriteString("\nParked deliveries wait for an operator. Send the signal `redeliver` to attempt them again (same id and bytes; " +
			"with the input `{\"rerender\": true}` new bytes from the current configuration), " +
			"or `discard` to discard them. Without an input, a signal means all parked deliveries; the input `{\"id\": \"…\"}` selects one.\n")
	}
	if r.next() != nil {
		text.WriteString("\nThe next attempt follows the schedule of the call. To make it now, send the signal `redeliver` with the input `{\"id\": \"…\"}`.\n")
	}
	r.describeChain(&text)
	r.describeOpen(&text)
	r.describeDiscarded(&text)
	if len(r.Refused) > 0 {
		text.WriteString("\n\nSignals that changed nothing:\n")
	}
	for _, refused := range r.Refused {
		fmt.Fprintf(&text, "\n* %s at %s: %s", code(refused.Command), secondOf(refused.At), refused.Reason)
	}
	return text.String()
}

// ownerLink returns a link to the interaction of the lane, or to the Receiver workflow whose alerts it has.
func (r *laneRun) ownerLink() string {
	if receiver := r.start.Owner.Receiver; receiver != "" {
		slash := strings.LastIndexByte(receiver, '/')
		id := contract.ReceiverWorkflowID(receiver[:max(slash, 0)], receiver[slash+1:])
		return "alerts about " + r.link(id, receiver)
	}
	id := contract.InteractionWorkflowID(r.start.Owner.ContactCenter, r.start.Owner.Interaction)
	return "interaction " + r.link(id, r.start.Owner.Interaction) + " of " + code(r.start.Owner.ContactCenter)
}

func (r *laneRun) link(id, text string) string {
	return workflowLink(workflow.GetInfo(r.ctx).Namespace, id, text)
}

func (r *laneRun) describeOpen(text *strings.Builder) {
	shown, next := 0, r.next()
	for _, it := range r.Items {
		if it.isSettled() || shown == detailOpen {
			continue
		}
		shown++
		fmt.Fprintf(text, "\n* event %d (%s) `%s`: %s", it.Request.Sequence, it.Request.Moment, it.Request.ID, it.describe())
		if shown > 1 && it.isFresh() && it.Sent == 0 && next != it {
			text.WriteString(" for the deliveries before it")
		}
	}
}

// describe returns the status of a delivery, different after each attempt.
func (it *item) describe() string {
	var text strings.Builder
	text.WriteString(string(it.Status))
	switch {
	case it.Sent == 1:
		text.WriteString(", 1 attempt")
	case it.Sent > 1:
		fmt.Fprintf(&text, ", %d attempts", it.Sent)
	}
	if it.Again > 0 {
		fmt.Fprintf(&text, ", redelivered %d×", it.Again)
	}
	if n := len(it.Attempts); n > 0 {
		fmt.Fprintf(&text, ", last at %s", secondOf(it.Attempts[n-1].At))
	}
	if it.Why != "" {
		fmt.Fprintf(&text, ": %s", excerpt.Of(it.Why, 200))
	}
	if it.Answer != "" {
		fmt.Fprintf(&text, ", the response begins with %s", code(it.Answer))
	}
	switch {
	case it.Status == contract.StatusWaiting && !it.Due.IsZero():
		fmt.Fprintf(&text, "; next at %s", minuteOf(it.Due))
	case it.Status == contract.StatusParked && !it.Expires.IsZero():
		fmt.Fprintf(&text, "; kept until %s", minuteOf(it.Expires))
	}
	return text.String()
}

func (r *laneRun) describeDiscarded(text *strings.Builder) {
	var discarded []*item
	for _, it := range r.Items {
		if it.Status == contract.StatusDiscarded && it.Discarded != nil {
			discarded = append(discarded, it)
		}
	}
	for _, it := range discarded[max(0, len(discarded)-detailDiscarded):] {
		fmt.Fprintf(text, "\n* event %d (%s) `%s`: discarded at %s", it.Request.Sequence, it.Request.Moment, it.Request.ID, secondOf(it.Discarded.At))
		if it.Discarded.By != "" {
			fmt.Fprintf(text, " by %s", it.Discarded.By)
		}
	}
}

// secondOf returns a stamp as people read it.
func secondOf(stamp string) string {
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return stamp
	}
	return minuteOf(at)
}
