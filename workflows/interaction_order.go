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

// Commands are applied once, and numbered ones in the order of their numbers. The end of the
// wait for a missing number is one of the interaction's deadlines.

// sequenceGap is the deadline that ends the wait for a missing source_sequence.
const sequenceGap = "sequence_gap"

// reply is the result of a command whose sender waits for it.
type reply struct {
	done   bool
	answer contract.Answer
	err    error
}

// takeCommand takes in one command, and applies what is in order then. It changes only
// the run's own state, so it may run before and between the workflow's coroutines.
func (r *run) takeCommand(a *intake.Arrival) {
	r.changed = true
	r.noteJudged(r.Take(a, r.ordersByNumber(), workflow.Now(r.ctx)))
}

// request takes in a command whose sender waits for the answer. The answer shows the
// state right after the command.
func (r *run) request(a *intake.Arrival) *reply {
	answer := &reply{}
	if r.replies == nil {
		r.replies = make(map[*intake.Arrival]*reply)
	}
	a.Awaited, r.replies[a] = !a.NoWait || !r.isAhead(a), answer
	r.takeCommand(a)
	if !a.Awaited {
		r.answerAhead(a, answer)
	}
	return answer
}

// isAhead reports whether a command has to wait for an earlier number.
func (r *run) isAhead(a *intake.Arrival) bool {
	return r.ordersByNumber() && a.Number > r.Sequence.Next()
}

// answerAhead answers a command that does not wait for its number, unless it was judged at once:
// for its number, or because the buffer was full. It is judged later, as a signal is.
func (r *run) answerAhead(a *intake.Arrival, answer *reply) {
	delete(r.replies, a)
	if answer.done && (answer.err != nil || !answer.answer.Duplicate) {
		return
	}
	present := r.answer(a.Command().By)
	present.Duplicate, present.Child = r.Seen.Has(a.EventID), r.Drafts[a.EventID]
	present.Waiting = !present.Duplicate // the repeat of one that waits as well
	*answer = reply{done: true, answer: present}
}

// awaitReplies waits until all commands have been judged. A cancellation of the workflow
// does not end the wait: it ends the interaction, and that ends the wait.
//
// An update that has to wait continues where it does in a replay, too: after the run's
// first coroutine has handled the signals of the task. The signal that the update waits
// for may have been handled earlier in the task, for another update that was refused.
func (r *run) awaitReplies(ctx workflow.Context, replies ...*reply) error {
	if areDone(replies) {
		return nil
	}
	lasting, _ := workflow.NewDisconnectedContext(ctx)
	err := workflow.Await(lasting, func() bool { return areDone(replies) && !r.inbox.handledAhead })
	if err != nil {
		return fmt.Errorf("waiting for earlier commands: %w", err)
	}
	return nil
}

func areDone(replies []*reply) bool {
	return !slices.ContainsFunc(replies, func(answer *reply) bool { return !answer.done })
}

// noteJudged notes the verdicts of commands, and answers those whose senders wait.
func (r *run) noteJudged(judged intake.Judged) {
	gaps := r.Sequence.Gaps
	for a, verdict := range judged {
		r.noteVerdict(a, verdict)
		if reply, awaited := r.replies[a]; awaited {
			*reply = r.replyTo(a, verdict)
			delete(r.replies, a)
		}
	}
	r.logGaps(r.Sequence.Gaps - gaps)
}

func (r *run) replyTo(a *intake.Arrival, v intake.Verdict) reply {
	answer := r.answer(a.Command().By)
	answer.Duplicate, answer.Child, answer.Attempt = v.Duplicate, v.Child, v.Attempt
	return reply{done: true, answer: answer, err: v.Err}
}

// noteVerdict notes the verdict of one command. It records refused signals, and every
// command that is refused for its number: messages of its source come out of order.
func (r *run) noteVerdict(a *intake.Arrival, v intake.Verdict) {
	countCommand(r.ctx, a.Name, v.Duplicate, v.Err)
	outOfOrder := (*intake.OrderError)(nil)
	switch {
	case v.Err == nil && !v.Duplicate:
		r.applied, r.OrphanSince = true, time.Time{}
		r.keepEffect(v.Effect)
		r.noteChange(cause{command: a.Name, eventID: a.ShownID(), by: a.Command().By, events: v.Effect.Turn.Events})
	case v.Err != nil && (!a.Awaited || errors.As(v.Err, &outOfOrder)):
		eventID, _ := intake.Envelope(a.Payload)
		r.recordRejection(r.ctx, a.Name, eventID, v.Err)
	}
}

// isJudgedLater reports whether the validator looks only at the shape of an update. A
// numbered one is judged when it is in order, and its number is used whatever the
// verdict; a repeat gets the verdict of the first.
func (r *run) isJudgedLater(a *intake.Arrival) bool {
	return a.Number > 0 && r.ordersByNumber() || r.Seen.Has(a.EventID)
}

// ordersByNumber reports whether missing numbers are waited for. They are until the first
// Dispatch brings the rules; nothing is lost by that.
func (r *run) ordersByNumber() bool { return r.Rules == nil || r.Rules.SequenceGap > 0 }

// gapDeadline returns the deadline of the command that has waited longest; false if none waits.
func (r *run) gapDeadline() (gap deadline, waits bool) {
	since, waits := r.Sequence.Since()
	gap = deadline{timer: interaction.PendingTimer{Name: sequenceGap}, due: since}
	if waits && r.isWorthWaiting() {
		gap.due, gap.missing = since.Add(r.Rules.SequenceGap), r.Sequence.Next()
	}
	return gap, waits
}

// isWorthWaiting reports whether a missing command could still matter: not if order is
// off or nothing is legal any more, nor if the wait keeps a run that is far too long from
// being renewed.
func (r *run) isWorthWaiting() bool {
	return r.ordersByNumber() && !r.isOver() && !r.exceeds(125)
}

// endGap releases the commands that have waited out the window that ended at due.
func (r *run) endGap(due time.Time) {
	now := workflow.Now(r.ctx)
	arrivedBy := now
	if r.isWorthWaiting() {
		arrivedBy = due.Add(-r.Rules.SequenceGap)
	}
	r.noteJudged(r.Release(arrivedBy, now))
}

// logGaps logs that the interaction has continued without missing numbers.
func (r *run) logGaps(gaps int) {
	if gaps == 0 {
		return
	}
	last := r.Sequence.Missing[len(r.Sequence.Missing)-1]
	workflow.GetLogger(r.ctx).Warn("continuing without missing commands", "source_sequence", last.String(), "gaps", gaps)
}

// detailGaps is how many of the last gaps the current details name.
const detailGaps = 4

// describeOrder writes, for an operator in the Temporal UI, which number is missing and
// which were given up.
func (r *run) describeOrder(text *strings.Builder) {
	if waiting := len(r.Sequence.Buffered); waiting > 0 {
		fmt.Fprintf(text, "\nWaiting for source_sequence %d; commands behind it: %d.\n", r.Sequence.Next(), waiting)
	}
	if r.Sequence.Gaps == 0 {
		return
	}
	fmt.Fprintf(text, "\nGaps in source_sequence: %d. Continued without", r.Sequence.Gaps)
	for i, gap := range r.Sequence.Missing[max(0, len(r.Sequence.Missing)-detailGaps):] {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(text, " %s", gap)
	}
	text.WriteString(".\n")
}
