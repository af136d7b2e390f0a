package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/interaction"
)

// alarm is a durable timer of an interaction.
type alarm struct {
	timer interaction.PendingTimer
	due   time.Time
	// missing is the source_sequence that a gap's timer waits for.
	missing int64
	stop    workflow.CancelFunc
}

// orphanTimeout is the only timer that the state machine does not know. It ends an
// interaction that a late signal-with-start created, if the signal was refused and no
// command follows.
const orphanTimeout = "orphan_timeout"

// setTimers stops the timers that are no longer wanted and starts the new ones. It does
// nothing until the first Dispatch has returned the durations.
func (r *run) setTimers() {
	if r.Rules == nil {
		return
	}
	wanted := r.wantedAlarms()
	kept := r.alarms[:0]
	for _, running := range r.alarms {
		if i := indexOf(wanted, running); i >= 0 {
			kept = append(kept, running)
			wanted = append(wanted[:i], wanted[i+1:]...)
			continue
		}
		running.stop()
	}
	r.alarms = kept
	for _, next := range wanted {
		if next.due.Sub(workflow.Now(r.ctx)) < time.Millisecond {
			r.fireAlarm(next) // already due; the loop looks again at what is wanted after it
			return
		}
		r.startTimer(next)
	}
}

// wantedAlarms lists the timers that have to run in the current state; a duration of 0
// turns a timer off.
func (r *run) wantedAlarms() []*alarm {
	var wanted []*alarm
	for _, pending := range r.Interaction.Timers() {
		if wait := r.durationOf(pending); wait > 0 {
			wanted = append(wanted, &alarm{timer: pending, due: pending.Since.Add(wait)})
		}
	}
	if !r.OrphanSince.IsZero() && !r.Interaction.Completed() && r.Rules.Orphan > 0 {
		wanted = append(wanted, &alarm{timer: interaction.PendingTimer{Name: orphanTimeout}, due: r.OrphanSince.Add(r.Rules.Orphan)})
	}
	if gap := r.gapAlarm(); gap != nil {
		wanted = append(wanted, gap)
	}
	return wanted
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

func indexOf(alarms []*alarm, a *alarm) int {
	for i, other := range alarms {
		if other.timer == a.timer && other.due.Equal(a.due) && other.missing == a.missing {
			return i
		}
	}
	return -1
}

// startTimer starts a timer; its command is applied when it fires.
func (r *run) startTimer(a *alarm) {
	ctx, stop := workflow.WithCancel(r.ctx)
	a.stop = stop
	r.alarms = append(r.alarms, a)
	timer := workflow.NewTimerWithOptions(ctx, a.due.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: timerSummary(a)})
	workflow.Go(ctx, func(ctx workflow.Context) {
		if timer.Get(ctx, nil) != nil {
			return // stopped
		}
		if i := indexOf(r.alarms, a); i >= 0 {
			r.alarms = append(r.alarms[:i], r.alarms[i+1:]...)
			r.fireAlarm(a)
		}
	})
}

func (r *run) fireAlarm(a *alarm) {
	r.changed = true
	name := a.timer.Name
	if name == sequenceGap {
		r.endGap(a.due)
		return
	}
	if name == orphanTimeout {
		name = interaction.LifetimeTimeout
	}
	r.applyInternal(interaction.TimerCommand(name, interaction.Timer{
		Agent: a.timer.Agent, Overflow: r.Rules.Overflow, MaxMisses: r.Rules.MaxMisses,
	}))
}

func timerSummary(a *alarm) string {
	switch a.timer.Name {
	case interaction.OfferTimeout:
		return "offer: is missed if nobody accepts"
	case interaction.QueueTimeout:
		return "queue: overflows if no agent is found"
	case interaction.WrapUpTimeout:
		return summaryOf("wrap-up of %s", a.timer.Agent)
	case interaction.EngagementTimeout:
		return "engagement: ends without a result"
	case interaction.LifetimeTimeout:
		return "lifetime: the interaction ends as expired"
	case interaction.LateEventsTimeout:
		return "completed: takes late disposition, survey and user data"
	case sequenceGap:
		return summaryOf("source_sequence %d is missing: continues without it", a.missing)
	default:
		return "orphan: ends if no command follows a refused one"
	}
}

// awaitsLateEvents reports whether a completed interaction still takes disposition, survey
// and user data: it does if agents took part and late_events is not off.
func (r *run) awaitsLateEvents() bool {
	return r.Interaction.Lingers() && r.Rules != nil && r.Rules.LateEvents > 0
}

// lateUntil returns when the wait for late data ends; nil if there is none.
func (r *run) lateUntil() *time.Time {
	for _, running := range r.alarms {
		if running.timer.Name == interaction.LateEventsTimeout {
			due := running.due.UTC()
			return &due
		}
	}
	return nil
}
