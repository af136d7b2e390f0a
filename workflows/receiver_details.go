package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
)

// The states of a receiver, as the query and the search attribute show them.
const (
	receiverFailing    = "failing"
	receiverRecovering = "recovering"
	receiverParked     = "parked"
	receiverRecovered  = "recovered"
)

func (r *receiverRun) state() string {
	switch {
	case r.Episode.isFailing():
		return receiverFailing
	case r.Episode.isRecovering():
		return receiverRecovering
	case r.Episode.hasParked():
		return receiverParked
	}
	return receiverRecovered
}

// status answers the query "state".
func (r *receiverRun) status() (contract.ReceiverStatus, error) {
	since := r.Episode.Began
	if r.state() == receiverParked {
		since = r.Episode.ParkedSince
	}
	status := contract.ReceiverStatus{
		Call: r.start.Call, State: r.state(), Since: stamp(since), Lanes: r.Lanes, Parked: r.Parked,
		CountedAt: stamp(r.CountedAt), Alerts: append([]contract.AlertRecord{}, r.Alerts...),
	}
	if failure := r.latestFailure(); failure.Class != "" {
		status.Failure = &failure
	}
	return status, nil
}

func (r *receiverRun) latestFailure() contract.Failure {
	if r.state() == receiverParked {
		return r.Episode.LastParked
	}
	return r.Episode.Failure
}

// publish updates what operators see: search attributes and current details.
func (r *receiverRun) publish() {
	if !r.changed {
		return
	}
	r.changed = false
	r.write(r.ctx,
		r.keyword(contract.AttributeCall, r.start.Call),
		r.keyword(contract.AttributeState, r.state()),
	)
	workflow.SetCurrentDetails(r.ctx, r.details())
}

// details describes in Markdown what is wrong and what an operator can do.
func (r *receiverRun) details() string {
	var text strings.Builder
	call, e := r.start.Call, r.Episode
	switch r.state() {
	case receiverFailing:
		fmt.Fprintf(&text, "The receiver of **%s** fails: nothing has been delivered since %s.", call, minuteOf(e.Since))
	case receiverRecovering:
		fmt.Fprintf(&text, "The receiver of **%s** failed from %s on and has delivered since %s. It has recovered once it has delivered for long enough without a failure, or nothing is left to retry.",
			call, minuteOf(e.Began), minuteOf(e.Well))
	case receiverRecovered:
		fmt.Fprintf(&text, "The receiver of **%s** has recovered.", call)
	default:
		fmt.Fprintf(&text, "Deliveries of **%s** have been parked since %s.", call, minuteOf(e.ParkedSince))
	}
	if e.hasParked() && r.state() != receiverParked {
		fmt.Fprintf(&text, " Deliveries have been parked since %s.", minuteOf(e.ParkedSince))
	}
	if failure := r.latestFailure(); failure.Class != "" {
		fmt.Fprintf(&text, " Last failure: %s (%s), delivery `%s` of interaction %s of `%s`.",
			excerpt.Of(failure.Message, 300), failure.Class, failure.Delivery,
			r.link(contract.InteractionWorkflowID(failure.ContactCenter, failure.Interaction), failure.Interaction), failure.ContactCenter)
	}
	text.WriteString("\n")
	if !r.CountedAt.IsZero() {
		interactions := "interactions"
		if r.Lanes == 1 {
			interactions = "interaction"
		}
		fmt.Fprintf(&text, "\nAt %s, %d %s had waiting deliveries; %d of them had parked ones.\n", minuteOf(r.CountedAt), r.Lanes, interactions, r.Parked)
	}
	if e.hasParked() {
		text.WriteString("\nParked deliveries are not retried: they wait for an operator.\n")
	}
	if e.isFailing() || r.Lanes > r.Parked {
		text.WriteString("\nWaiting deliveries are retried on the schedule of the call, unless a parked one blocks them.\n")
	}
	text.WriteString("\nOnce the receiver works again, or the configuration is corrected:\n\n")
	fmt.Fprintf(&text, "* `segue deliveries --call %[1]s` lists waiting and parked deliveries\n"+
		"* `segue redeliver --call %[1]s --dry-run` counts the parked deliveries; without `--dry-run` it sends them again, and with `--retrying` also those that wait for a retry\n"+
		"* `segue discard --call %[1]s --dry-run` counts the parked deliveries; without `--dry-run` it discards them\n", call)
	if r.Rules != nil && r.Rules.RemindEvery > 0 {
		fmt.Fprintf(&text, "\nOperators are reminded every %s.\n", shortly(r.Rules.RemindEvery))
	}
	text.WriteString("\nTo silence this episode, cancel this workflow: no delivery depends on it. The next failure starts it again.\n")
	if len(r.Alerts) > 0 {
		var rows [][]string
		for _, alert := range r.Alerts {
			rows = append(rows, []string{alert.Moment, secondOf(alert.At), r.sentBy(alert)})
		}
		writeTable(&text, []string{"notification", "at", "sent by"}, rows)
	}
	return text.String()
}

func (r *receiverRun) link(id, text string) string {
	return workflowLink(workflow.GetInfo(r.ctx).Namespace, id, text)
}

// sentBy lists the lane workflows that send a notification.
func (r *receiverRun) sentBy(alert contract.AlertRecord) string {
	var calls []string
	for _, d := range alert.Deliveries {
		if d.DryRun {
			calls = append(calls, d.Call+" (dry run)")
			continue
		}
		calls = append(calls, r.link(d.WorkflowID, ""))
	}
	switch {
	case alert.GivenUp:
		return "nothing: Temporal did not accept it for an hour"
	case len(calls) == 0:
		return "nothing: no trigger names this moment"
	}
	return strings.Join(calls, ", ")
}

func minuteOf(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

// shortly writes a duration without zeros at its end: 24h, not 24h0m0s.
func shortly(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
