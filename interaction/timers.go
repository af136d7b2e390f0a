package interaction

import (
	"cmp"
	"time"
)

// The internal commands that timers, and a cancel of the workflow, give. No
// payload decodes to them.
const (
	OfferTimeout      = "offer_timeout"
	QueueTimeout      = "queue_timeout"
	WrapUpTimeout     = "wrap_up_timeout"
	EngagementTimeout = "engagement_timeout"
	LifetimeTimeout   = "lifetime_timeout"
	LateEventsTimeout = "late_events_timeout"
	WorkflowCancel    = "workflow_cancel"
)

// timersInWords are the internal commands as a person reads of them.
var timersInWords = map[string]string{
	OfferTimeout: "the offer timer", QueueTimeout: "the queue timer", WrapUpTimeout: "the wrap_up timer",
	EngagementTimeout: "the engagement timer", LifetimeTimeout: "the lifetime timer", WorkflowCancel: "a cancellation of its workflow",
}

// inWords is what the command is called where it explains something.
func (c Command) inWords() string {
	if report, ok := c.Body.(SegmentReport); ok {
		return c.Name + " to " + string(report.Segment)
	}
	return cmp.Or(timersInWords[c.Name], c.Name)
}

// TimerCommand makes an internal command; what it does not need of t is ignored.
func TimerCommand(name string, t Timer) Command {
	cmd := Command{Name: name, Body: t}
	if t.Agent != "" {
		cmd.Fields = map[string]any{"agent": t.Agent}
	}
	return cmd
}

// PendingTimer is a timer that runs as things stand.
type PendingTimer struct {
	// Name is the internal command that it gives.
	Name string
	// Agent is whose wrap-up it is.
	Agent string
	// Since is when it began to run.
	Since time.Time
	// Timeout replaces the configured duration when it is set (offer's own timeout).
	Timeout time.Duration
}

// Timers lists the timers that run as things stand, in a fixed order. The queue's
// runs through offers: while one is open it is not listed, and comes back with
// the same Since.
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
