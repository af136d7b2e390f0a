package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/interaction"
)

// deadline is a time at which the interaction gets a command, unless its state changes before.
type deadline struct {
	timer interaction.PendingTimer
	due   time.Time
	// missing is the source_sequence that the end of a gap waits for.
	missing int64
}

// orphanTimeout is the only deadline that the state machine does not know. It ends an
// interaction that a late signal-with-start created, if the signal was refused and no
// command follows.
const orphanTimeout = "orphan_timeout"

// deadlines lists the deadlines of the current state; a duration of 0 turns one off. There
// are none until the first Dispatch has returned the durations.
func (r *run) deadlines() []deadline {
	if r.Rules == nil {
		return nil
	}
	var all []deadline
	for _, pending := range r.Interaction.Timers() {
		if wait := r.durationOf(pending); wait > 0 {
			all = append(all, deadline{timer: pending, due: pending.Since.Add(wait)})
		}
	}
	if !r.OrphanSince.IsZero() && !r.Interaction.Completed() && r.Rules.Orphan > 0 {
		all = append(all, deadline{timer: interaction.PendingTimer{Name: orphanTimeout}, due: r.OrphanSince.Add(r.Rules.Orphan)})
	}
	if gap, waits := r.gapDeadline(); waits {
		all = append(all, gap)
	}
	return all
}

func (r *run) durationOf(pending interaction.PendingTimer) time.Duration {
	switch pending.Name {
	case interaction.OfferTimeout:
		if pending.Timeout > 0 {
			return pending.Timeout
		}
		return r.Rules.Offer
	case interaction.QueueTimeout:
		return r.Rules.Queue
	case interaction.WrapUpTimeout:
		if r.Rules.WrapUp == 0 {
			return time.Nanosecond // no wrap-up: it ends at once
		}
		return r.Rules.WrapUp
	case interaction.EngagementTimeout:
		return r.Rules.Engagement
	case interaction.LifetimeTimeout:
		return r.Rules.Lifetime
	case interaction.LateEventsTimeout:
		return r.Rules.LateEvents
	default:
		return 0
	}
}

// nextDeadline returns the earliest deadline; false if there is none.
func (r *run) nextDeadline() (next deadline, exists bool) {
	for _, d := range r.deadlines() {
		if !exists || d.due.Before(next.due) {
			next, exists = d, true
		}
	}
	return next, exists
}

// meetDeadline gives the interaction the command of a deadline that has come, the earliest one
// first, and reports whether there was one.
func (r *run) meetDeadline() bool {
	next, exists := r.nextDeadline()
	if !exists || next.due.Sub(workflow.Now(r.ctx)) >= time.Millisecond {
		return false
	}
	r.changed = true
	name := next.timer.Name
	if name == sequenceGap {
		r.endGap(next.due)
		return true
	}
	if name == orphanTimeout {
		name = interaction.LifetimeTimeout
	}
	r.applyInternal(interaction.TimerCommand(name, interaction.Timer{
		Agent: next.timer.Agent, Overflow: r.Rules.Overflow, MaxMisses: r.Rules.MaxMisses,
	}))
	return true
}

// inWords describes what happens at the deadline.
func (d deadline) inWords() string {
	switch d.timer.Name {
	case interaction.OfferTimeout:
		return "offer: is missed if nobody accepts"
	case interaction.QueueTimeout:
		return "queue: overflows if still queued"
	case interaction.WrapUpTimeout:
		return summaryOf("wrap-up of %s", d.timer.Agent)
	case interaction.EngagementTimeout:
		return "engagement: ends without a result if still engaging"
	case interaction.LifetimeTimeout:
		return "lifetime: the interaction ends as expired"
	case interaction.LateEventsTimeout:
		return "completed: takes late disposition, survey and user data"
	case sequenceGap:
		return summaryOf("source_sequence %d is missing: continues without it", d.missing)
	default:
		return "orphan: ends if no command follows a refused one"
	}
}

// awaitsLateEvents reports whether a completed interaction still takes disposition, survey
// and user data: it does if agents took part and late_events is not off.
func (r *run) awaitsLateEvents() bool {
	return r.Interaction.Lingers() && r.Rules != nil && r.Rules.LateEvents > 0
}

// dueOf returns when a timer fires; nil if it does not run or is off.
func dueOf(timer string, deadlines []deadline) *time.Time {
	for _, d := range deadlines {
		if d.timer.Name == timer {
			due := d.due.UTC()
			return &due
		}
	}
	return nil
}
