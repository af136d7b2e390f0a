package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/interaction/intake"
)

// How commands get their turn: each once, and numbered ones in the order of their
// numbers. The timer of a gap is one of the interaction's alarms.

// sequenceGap is the timer that ends the wait for a missing source_sequence.
const sequenceGap = "sequence_gap"

// reply is what becomes of a command that somebody waits for.
type reply struct {
	done   bool
	answer contract.Answer
	err    error
}

// take gives one command to the interaction, in its turn. It is pure but for the
// run's own state, so it may run before and between the workflow's coroutines.
func (r *run) take(a *intake.Arrival) {
	r.touched = true
	gaps := r.Sequence.Gaps
	r.Take(a, r.ordersByNumber(), workflow.Now(r.ctx), r.judged)
	r.tellGaps(gaps)
}

// request takes a command whose sender waits for the answer: that of the moment
// when its turn has come.
func (r *run) request(a *intake.Arrival) *reply {
	answer := &reply{}
	a.Judged = func(v intake.Verdict) {
		*answer = reply{done: true, answer: r.answer(v.Duplicate), err: v.Err}
	}
	r.take(a)
	return answer
}

// await waits until all have been judged. A cancel of the workflow ends no such
// wait; it ends the interaction, and that does.
//
// An update that has to wait goes on in the place where it does in a replay, too: after
// the run's first coroutine has handled the signals of the task. The signal that it waits
// for may have been handled ahead of that for another update, which was refused.
func (r *run) await(ctx workflow.Context, replies ...*reply) error {
	if areDone(replies) {
		return nil
	}
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	err := workflow.Await(lasting, func() bool { return areDone(replies) && !r.inbox.ahead })
	if err != nil {
		return fmt.Errorf("waiting for its turn: %w", err)
	}
	return nil
}

func areDone(replies []*reply) bool {
	return !slices.ContainsFunc(replies, func(answer *reply) bool { return !answer.done })
}

// judged notes what became of a command. A refused signal is recorded, and so is
// whatever its number refuses: somebody's messages come in disorder.
func (r *run) judged(a *intake.Arrival, v intake.Verdict) {
	count(r.ctx, a.Name, v.Duplicate, v.Err)
	outOfOrder := (*intake.OrderError)(nil)
	switch {
	case v.Err == nil && !v.Duplicate:
		r.applied, r.OrphanSince = true, time.Time{}
		r.keep(v.Effect)
	case v.Err != nil && (a.Judged == nil || errors.As(v.Err, &outOfOrder)):
		r.reject(r.ctx, a.Name, eventIDOf(a.Payload), v.Err)
	}
}

// isJudgedInItsTurn tells whether only the shape of an update is looked at when it
// comes: its turn, which its number takes up whatever becomes of it, or its first
// message decides.
func (r *run) isJudgedInItsTurn(a *intake.Arrival) bool {
	return a.Number > 0 && r.ordersByNumber() || r.Seen.Has(a.EventID)
}

// ordersByNumber tells whether a missing number is waited for. Until the first
// Dispatch brings the rules, it is: nothing is lost by that.
func (r *run) ordersByNumber() bool { return r.Rules == nil || r.Rules.SequenceGap > 0 }

// gapAlarm is the timer for the command that waits longest; nil when none waits.
func (r *run) gapAlarm() *alarm {
	since, waits := r.Sequence.Since()
	if !waits {
		return nil
	}
	if !r.isWorthWaiting() {
		return &alarm{timer: interaction.PendingTimer{Name: sequenceGap}, due: since}
	}
	return &alarm{timer: interaction.PendingTimer{Name: sequenceGap}, due: since.Add(r.Rules.SequenceGap), missing: r.Sequence.Next()}
}

// isWorthWaiting tells whether what is missing could still matter: not when the
// order is off or nothing is legal any more. Nor is it waited for when that keeps
// a run that is far too long from being renewed.
func (r *run) isWorthWaiting() bool {
	return r.ordersByNumber() && !r.isOver() && !r.exceeds(125)
}

// endGap lets go on whatever has waited out the window that ended at due.
func (r *run) endGap(due time.Time) {
	now := workflow.Now(r.ctx)
	cameBy := now
	if r.isWorthWaiting() {
		cameBy = due.Add(-r.Rules.SequenceGap)
	}
	gaps := r.Sequence.Gaps
	r.Release(cameBy, now, r.judged)
	r.tellGaps(gaps)
}

// tellGaps logs that it went on without what was missing.
func (r *run) tellGaps(before int) {
	if r.Sequence.Gaps == before {
		return
	}
	last := r.Sequence.Missing[len(r.Sequence.Missing)-1]
	workflow.GetLogger(r.ctx).Warn("went on without what was missing", "source_sequence", last.String(), "gaps", r.Sequence.Gaps-before)
}

// detailGaps is how many of the last gaps the current details name.
const detailGaps = 4

// describeOrder says, for an operator in the Temporal UI, what is waited for and
// what was given up.
func (r *run) describeOrder(text *strings.Builder) {
	if waiting := len(r.Sequence.Held); waiting > 0 {
		fmt.Fprintf(text, "\nWaits for source_sequence %d; behind it: %d.\n", r.Sequence.Next(), waiting)
	}
	if r.Sequence.Gaps == 0 {
		return
	}
	fmt.Fprintf(text, "\nGaps in source_sequence: %d; it went on without", r.Sequence.Gaps)
	for i, gap := range r.Sequence.Missing[max(0, len(r.Sequence.Missing)-detailGaps):] {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(text, " %s", gap)
	}
	text.WriteString(".\n")
}
