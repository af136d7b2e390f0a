package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/interaction"
)

// alarm is one durable timer that runs for an interaction.
type alarm struct {
	timer interaction.PendingTimer
	due   time.Time
	// missing is the source_sequence that a gap's timer waits for.
	missing int64
	stop    workflow.CancelFunc
}

// orphanTimeout is the one timer that the state machine does not know: it ends an
// interaction that a late signal-with-start made, was refused, and that hears
// nothing more.
const orphanTimeout = "orphan_timeout"

// setTimers makes the timers that run those that should: what no longer counts is
// stopped, what is new is started. It waits for the first Dispatch, which brings
// the durations.
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
			r.fire(next) // due already; what should run is looked at anew after it
			return
		}
		r.startTimer(next)
	}
}

// wantedAlarms lists the timers that should run as things stand; a duration of 0
// is off.
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
			return time.Nanosecond // no wrap-up: it is over at once
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

// startTimer starts one timer; what it gives is applied when it fires.
func (r *run) startTimer(a *alarm) {
	ctx, stop := workflow.WithCancel(r.ctx)
	a.stop = stop
	r.alarms = append(r.alarms, a)
	timer := workflow.NewTimerWithOptions(ctx, a.due.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: timerSummary(a)})
	workflow.Go(ctx, func(ctx workflow.Context) {
		if timer.Get(ctx, nil) != nil {
			return // stopped: it no longer counts
		}
		if i := indexOf(r.alarms, a); i >= 0 {
			r.alarms = append(r.alarms[:i], r.alarms[i+1:]...)
			r.fire(a)
		}
	})
}

func (r *run) fire(a *alarm) {
	r.touched = true
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
		return "offer: missed when nobody accepts"
	case interaction.QueueTimeout:
		return "queue: overflows when nobody is found"
	case interaction.WrapUpTimeout:
		return summaryOf("wrap-up of %s", a.timer.Agent)
	case interaction.EngagementTimeout:
		return "engagement: given up without a result"
	case interaction.LifetimeTimeout:
		return "lifetime: ends as expired"
	case interaction.LateEventsTimeout:
		return "completed: takes late disposition, survey and user data"
	case sequenceGap:
		return summaryOf("source_sequence %d is missing: goes on without it", a.missing)
	default:
		return "orphan: nothing came after a refused command"
	}
}

// awaitsLateEvents reports whether a completed interaction still takes disposition,
// survey and user data: wherever agents took part, unless late_events is off.
func (r *run) awaitsLateEvents() bool {
	return r.Interaction.Lingers() && r.Rules != nil && r.Rules.LateEvents > 0
}

// lateUntil is when the wait for late data ends; nil when there is none.
func (r *run) lateUntil() *time.Time {
	for _, running := range r.alarms {
		if running.timer.Name == interaction.LateEventsTimeout {
			due := running.due.UTC()
			return &due
		}
	}
	return nil
}
