package workflows

import "go.temporal.io/sdk/workflow"

// phase is where a run of an interaction is in its life; it decides what the run may do.
//
//	phase     the run                                                    it begins
//	--------  ---------------------------------------------------------  -------------------------------
//	running   takes commands and works off what they cause               dispatches, attempts, children
//	draining  is long: finishes what is in flight                        dispatches
//	renewing  is long, and nothing is in flight: continues as new        nothing
//	settling  is done, but its task sent requests: awaits the next task  nothing
//	closing   is done: completes                                         nothing
//
// The phase depends on the conditions alone, not on the phase before. What moves it:
//
//	running  → draining  the run is long, and the next run can be given all that it has
//	draining → running   the next run cannot be given all any more: the run works off its backlog first
//	draining → renewing  the last activity, start of a child, or update handler ends
//	running  → closing   the interaction is over and its backlog is empty
//	running  → settling  the same, but the present workflow task sent requests
//	settling → closing   the next workflow task begins (→ renewing if the run is long)
//	settling → running   a command arrives that causes something
//
// Turns that are not dispatched yet are carried over. So under a stream of commands the run is
// renewed at the beginning of a task, before the task sends anything.
//
// These guarantees hold in every combination of conditions; a test checks them all:
//
//   - A task that sent requests never also ends the run. The server refuses to end a run for
//     which a command has arrived meanwhile; the worker then does the whole task again, and
//     sends the requests again.
//   - A run ends only when nothing is in flight and every update has its answer.
//   - A run closes only when nothing is left: no turn, no request, no child to start.
//   - A run that was canceled continues as new only after the cancellation has ended the
//     interaction: the next run would not know of the cancellation.
type phase int

const (
	phaseRunning phase = iota
	phaseDraining
	phaseRenewing
	phaseSettling
	phaseClosing
)

// isDue reports whether the run's loop has to act on the phase.
func (p phase) isDue() bool { return p == phaseRenewing || p == phaseSettling || p == phaseClosing }

// conditions are what the phase of a run depends on.
type conditions struct {
	renewalDue  bool // the run is long, and the next run can be given all that it has
	isOver      bool // the interaction has ended and takes nothing more
	hasBacklog  bool // turns, requests or children are still to be dispatched, sent or started
	isInFlight  bool // an activity is running, or a child is being started
	isAnswering bool // the handler of an update has not returned
	isCanceling bool // a cancellation has arrived and has not ended the interaction yet
	hasSent     bool // the present workflow task sent requests
}

func (c conditions) phase() phase {
	isQuiet := !c.isInFlight && !c.isAnswering
	isDone := c.isOver && !c.hasBacklog && isQuiet
	switch {
	case c.renewalDue && isQuiet && !c.isCanceling && !c.hasSent:
		return phaseRenewing
	case isDone && c.hasSent:
		return phaseSettling
	case isDone:
		return phaseClosing
	case c.renewalDue:
		return phaseDraining
	default:
		return phaseRunning
	}
}

func (r *run) phase() phase {
	return conditions{
		renewalDue:  r.renewalDue,
		isOver:      r.isOver() && len(r.Sequence.Buffered) == 0,
		hasBacklog:  len(r.Outbox.Turns) > 0 || !r.Lanes.areIdle() || len(r.Children) > 0,
		isInFlight:  r.inFlight > 0,
		isAnswering: !workflow.AllHandlersFinished(r.ctx),
		isCanceling: r.cancelable.Err() != nil && !r.canceled,
		hasSent:     r.task().hasSent(),
	}.phase()
}

// isOver reports whether the interaction has ended and takes no late data either.
func (r *run) isOver() bool { return r.Interaction.Completed() && !r.awaitsLateEvents() }
