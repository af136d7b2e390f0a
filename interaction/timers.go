package interaction

import (
	"cmp"
	"time"
)

// The internal commands of timers and of a cancellation of the workflow. No payload decodes
// to them.
const (
	OfferTimeout      = "offer_timeout"
	QueueTimeout      = "queue_timeout"
	WrapUpTimeout     = "wrap_up_timeout"
	EngagementTimeout = "engagement_timeout"
	LifetimeTimeout   = "lifetime_timeout"
	LateEventsTimeout = "late_events_timeout"
	WorkflowCancel    = "workflow_cancel"
)

// timersInWords are the internal commands in words, for people.
var timersInWords = map[string]string{
	OfferTimeout: "the offer timer", QueueTimeout: "the queue timer", WrapUpTimeout: "the wrap_up timer",
	EngagementTimeout: "the engagement timer", LifetimeTimeout: "the lifetime timer", WorkflowCancel: "a cancellation of its workflow",
}

// inWords returns the command in words, for people.
func (c Command) inWords() string {
	if report, ok := c.Body.(SegmentReport); ok {
		return c.Name + " to " + string(report.Segment)
	}
	return cmp.Or(timersInWords[c.Name], c.Name)
}

// TimerCommand returns an internal command; it ignores the fields of t that it does not need.
func TimerCommand(name string, t Timer) Command {
	cmd := Command{Name: name, Body: t}
	if t.Agent != "" {
		cmd.Fields = map[string]any{"agent": t.Agent}
	}
	return cmd
}

// PendingTimer is a timer that has to run in the current state.
type PendingTimer struct {
	// Name is the internal command that the timer gives.
	Name string
	// Agent is the agent whose wrap-up the timer ends.
	Agent string
	// Since is when the timer began to run.
	Since time.Time
	// Timeout replaces the configured duration if it is set (by offer).
	Timeout time.Duration
}

// Timers lists the timers that have to run in the current state, in a fixed order. The
// queue's timer is not listed while an offer is open; it returns with the same Since.
func (i *Interaction) Timers() []PendingTimer {
	r := &i.r
	var timers []PendingTimer
	switch r.State {
	case StateCompleted:
		if r.lingers() {
			timers = append(timers, PendingTimer{Name: LateEventsTimeout, Since: r.Since})
		}
		return timers
	case StateOffered:
		timers = append(timers, PendingTimer{Name: OfferTimeout, Since: r.Since, Timeout: r.OfferTimeout})
	case StateQueued:
		timers = append(timers, PendingTimer{Name: QueueTimeout, Since: r.QueuedAt})
	case StateEngaging:
		timers = append(timers, PendingTimer{Name: EngagementTimeout, Since: r.Since})
	}
	for _, l := range r.agentLegs(wrapping) {
		timers = append(timers, PendingTimer{Name: WrapUpTimeout, Agent: l.Agent, Since: l.Applied})
	}
	return append(timers, PendingTimer{Name: LifetimeTimeout, Since: r.OpenedAt})
}
