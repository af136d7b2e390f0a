package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"
)

// keptAfter is how far in the future a timer must be to be left running although nothing is
// due then any more. The interaction has probably ended by then, and ended timers cost nothing.
// A timer that fires in vain costs a whole workflow task, so a nearer one is stopped.
const keptAfter = 5 * time.Minute

// wakeup is a durable timer that makes a workflow task. No coroutine waits for it, because each
// takes several KiB for as long as the workflow is cached: the run's loop looks at all of them.
type wakeup struct {
	due   time.Time
	fired workflow.Future
	stop  workflow.CancelFunc
}

// isAwake reports whether a timer has fired since the loop last looked.
func (r *run) isAwake() bool {
	return slices.ContainsFunc(r.wakeups, func(w *wakeup) bool { return w.fired.IsReady() })
}

// dropFired forgets the timers that have fired.
func (r *run) dropFired() {
	r.wakeups = slices.DeleteFunc(r.wakeups, func(w *wakeup) bool { return w.fired.IsReady() })
}

// setWakeup ensures that a workflow task begins at the next deadline: that a timer runs which
// fires then, or before. Each start and stop of a timer is a history event, so a timer whose
// deadline has moved later usually stays.
func (r *run) setWakeup() {
	if r.Rules == nil || r.isOver() {
		return
	}
	next, summary := r.nextWakeup()
	r.stopWakeups(next)
	if next.IsZero() || slices.ContainsFunc(r.wakeups, func(w *wakeup) bool { return !w.due.After(next) }) {
		return
	}
	r.startWakeup(next, summary)
}

// nextWakeup returns when the run has to do something next, and what; zero if never.
func (r *run) nextWakeup() (due time.Time, summary string) {
	if next, exists := r.nextDeadline(); exists {
		due, summary = next.due, next.inWords()
	}
	if publishing := r.publishingAt(); !publishing.IsZero() && (due.IsZero() || publishing.Before(due)) {
		due, summary = publishing, "the search attributes are written"
	}
	return due, summary
}

// stopWakeups stops the timers that would fire in vain before the next deadline.
func (r *run) stopWakeups(next time.Time) {
	kept := workflow.Now(r.ctx).Add(keptAfter)
	r.wakeups = slices.DeleteFunc(r.wakeups, func(w *wakeup) bool {
		isEarly := next.IsZero() || w.due.Before(next)
		// An interaction that waits for late data lasts until that deadline.
		if !isEarly || w.due.After(kept) && !r.awaitsLateEvents() {
			return false
		}
		w.stop()
		return true
	})
}

func (r *run) startWakeup(due time.Time, summary string) {
	ctx, stop := workflow.WithCancel(r.ctx)
	timer := workflow.NewTimerWithOptions(ctx, due.Sub(workflow.Now(ctx)), workflow.TimerOptions{Summary: summary})
	r.wakeups = append(r.wakeups, &wakeup{due: due, fired: timer, stop: stop})
}
