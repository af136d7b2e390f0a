package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
)

// The states of a receiver in trouble.
const (
	receiverFailing    = "failing"
	receiverRecovering = "recovering"
	receiverParked     = "parked"
	receiverRecovered  = "recovered"
)

func (r *receiverRun) state() string {
	switch {
	case r.Trouble.isFailing():
		return receiverFailing
	case r.Trouble.isOver():
		return receiverRecovering
	case r.Trouble.hasParked():
		return receiverParked
	}
	return receiverRecovered
}

// status is the query "state".
func (r *receiverRun) status() (contract.ReceiverStatus, error) {
	since := r.Trouble.Began
	if r.state() == receiverParked {
		since = r.Trouble.ParkedSince
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
		return r.Trouble.LastParked
	}
	return r.Trouble.Failure
}

// publish brings what operators see up to date: search attributes and current details.
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

// details say in plain words what is wrong and what an operator can do.
func (r *receiverRun) details() string {
	var text strings.Builder
	call, t := r.start.Call, r.Trouble
	switch r.state() {
	case receiverFailing:
		fmt.Fprintf(&text, "Nothing was delivered to the receiver of **%s** since %s.", call, minuteOf(t.Since))
	case receiverRecovering:
		fmt.Fprintf(&text, "The receiver of **%s** failed from %s on and delivers since %s. It is said to have recovered once it has delivered for long enough without a failure, or nothing waits any more.",
			call, minuteOf(t.Began), minuteOf(t.Well))
	case receiverRecovered:
		fmt.Fprintf(&text, "The receiver of **%s** is back.", call)
	default:
		fmt.Fprintf(&text, "Deliveries of **%s** are parked since %s.", call, minuteOf(t.ParkedSince))
	}
	if t.hasParked() && r.state() != receiverParked {
		fmt.Fprintf(&text, " Deliveries are parked since %s.", minuteOf(t.ParkedSince))
	}
	if failure := r.latestFailure(); failure.Class != "" {
		fmt.Fprintf(&text, " Last failure: %s (%s), delivery `%s` of interaction `%s` of `%s`.",
			excerpt.Of(failure.Message, 300), failure.Class, failure.Delivery, failure.Interaction, failure.ContactCenter)
	}
	text.WriteString("\n")
	if !r.CountedAt.IsZero() {
		fmt.Fprintf(&text, "\nAt %s the deliveries of %d interactions waited, and of %d of them some were parked.\n", minuteOf(r.CountedAt), r.Lanes, r.Parked)
	}
	if t.hasParked() {
		text.WriteString("\nWhat is parked is not tried again by itself: it waits for a person.\n")
	}
	if t.isFailing() || r.Lanes > r.Parked {
		text.WriteString("\nWhat waits for its next attempt is tried again by itself, on the schedule of the call, unless something parked is before it.\n")
	}
	text.WriteString("\nOnce the receiver is back, or the configuration corrected:\n\n")
	fmt.Fprintf(&text, "* `segue deliveries --call %[1]s` lists what waits and what is parked\n"+
		"* `segue redeliver --call %[1]s --dry-run` counts what would be sent again, and without `--dry-run` sends it; `--retrying` takes in what waits\n"+
		"* `segue discard --call %[1]s --dry-run` counts what could be given up\n", call)
	if r.Rules != nil && r.Rules.RemindEvery > 0 {
		fmt.Fprintf(&text, "\nOperators are reminded every %s.\n", r.Rules.RemindEvery)
	}
	text.WriteString("\nTo hear no more of this for now, cancel this workflow: no delivery depends on it. It starts again with the next failure.\n")
	if len(r.Alerts) > 0 {
		text.WriteString("\n| told | at | by |\n|---|---|---|\n")
		for _, alert := range r.Alerts {
			fmt.Fprintf(&text, "| %s | %s | %s |\n", alert.Moment, alert.At, toldBy(alert))
		}
	}
	return text.String()
}

func toldBy(alert contract.AlertRecord) string {
	var calls []string
	for _, d := range alert.Deliveries {
		if d.DryRun {
			calls = append(calls, d.Call+" (dry run)")
			continue
		}
		calls = append(calls, "`"+d.WorkflowID+"`")
	}
	switch {
	case alert.GivenUp:
		return "nobody: Temporal did not take it for an hour"
	case len(calls) == 0:
		return "nobody: no trigger names it"
	}
	return strings.Join(calls, ", ")
}

func minuteOf(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }
