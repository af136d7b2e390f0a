package intake

import (
	"cmp"
	"iter"
	"time"

	"segue/interaction"
)

// Intake applies the commands of one interaction, each once and in order. Its JSON is
// what one run leaves to the next. It is not safe for concurrent use.
type Intake struct {
	Interaction *interaction.Interaction `json:"interaction"`
	Seen        Seen                     `json:"seen"`
	// Duplicates counts the commands that repeated an earlier one.
	Duplicates int `json:"duplicates,omitempty"`
	// Drafts are the ids of the drafts that replies have started, by the event id of the reply. An
	// interaction has a bounded number of drafts.
	Drafts   map[string]string `json:"drafts,omitempty"`
	Sequence Sequence          `json:"line,omitzero"`
}

// Judged are arrivals with their verdicts, in the order in which they are judged. Each is
// judged when the loop comes to it: inside the loop, the interaction is in the state that
// this arrival left. Nothing happens before the loop, which must run once and to its end;
// Go panics if a break would lose a verdict.
type Judged = iter.Seq2[*Arrival, Verdict]

type yield = func(*Arrival, Verdict) bool

// Apply applies a command that has no number, once.
func (in *Intake) Apply(command interaction.Command, now time.Time) Verdict {
	if in.Seen.Has(command.EventID) {
		in.Duplicates++
		return Verdict{Duplicate: true, Child: in.Drafts[command.EventID]}
	}
	effect, err := in.Interaction.Apply(command, now)
	if err != nil {
		return Verdict{Err: err}
	}
	in.Seen.Add(command.EventID)
	verdict := Verdict{Effect: effect, Attempt: effect.Attempt}
	for _, draft := range effect.Children {
		verdict.Child = draft.ID
		in.rememberDraft(command.EventID, draft.ID)
	}
	return verdict
}

func (in *Intake) rememberDraft(eventID, draft string) {
	if eventID == "" {
		return
	}
	if in.Drafts == nil {
		in.Drafts = make(map[string]string)
	}
	in.Drafts[eventID] = draft
}

// Repeat returns an arrival for a payload that cannot be read and has the event id of an applied
// command: its result is that of a repeat, whatever else the payload has. messageID identifies a
// payload without an event_id. Repeat returns false if the event id is not known.
func (in *Intake) Repeat(name string, payload []byte, messageID string) (*Arrival, bool) {
	eventID, by := Envelope(payload)
	eventID = cmp.Or(eventID, messageID)
	if !in.Seen.Has(eventID) {
		return nil, false
	}
	return repeat(name, eventID, by), true
}

// Take takes in one arrival and returns the arrivals that are judged now. One without a
// number is judged at once. A numbered one is judged when it is in order, followed by the
// buffered ones that then are in order, too; until then it is buffered. If ordered is
// false, numbers are not waited for: they only show how far the source has come.
func (in *Intake) Take(a *Arrival, ordered bool, now time.Time) Judged {
	return func(yield yield) {
		a.At = now
		switch {
		case a.Number == 0:
			in.apply(a, now, yield)
		case !ordered:
			in.Sequence.follow(a.Number)
			in.apply(a, now, yield)
		case a.Number < in.Sequence.Next():
			in.takePassed(a, now, yield)
		case a.Number == in.Sequence.Next():
			in.deliver(a, now, yield)
			in.deliverInOrder(now, yield)
		default:
			in.takeAhead(a, now, yield)
		}
	}
}

// takePassed takes in an arrival whose number has been delivered or given up. It may
// repeat one that was applied; anything else is refused.
func (in *Intake) takePassed(a *Arrival, now time.Time, yield yield) {
	in.refuse(a, in.Sequence.refusal(a.Number), now, yield)
}

// takeAhead takes in an arrival for which an earlier number is missing.
func (in *Intake) takeAhead(a *Arrival, now time.Time, yield yield) {
	place, taken := in.Sequence.find(a.Number)
	switch {
	case a.Number-in.Sequence.Next() > maxAhead:
		in.refuse(a, Ahead, now, yield)
	case !taken:
		in.Sequence.buffer(a)
		in.makeRoom(now, yield)
	case in.Sequence.Buffered[place].EventID == a.EventID:
		in.takeDuplicate(in.Sequence.Buffered[place], a, yield)
	default:
		in.refuse(a, Repeated, now, yield)
	}
}

// takeDuplicate takes in an arrival that repeats a buffered one. If its sender waits for
// the verdict, it gets that of the buffered one.
func (in *Intake) takeDuplicate(buffered, a *Arrival, yield yield) {
	in.Duplicates++
	if !a.Awaited {
		yield(a, Verdict{Duplicate: true})
		return
	}
	buffered.duplicates = append(buffered.duplicates, a)
}

// Release ends the wait of all that arrived by then, and returns the arrivals that are
// judged now: the numbers that are missing before them are given up.
func (in *Intake) Release(arrivedBy, now time.Time) Judged {
	return func(yield yield) {
		limit := int64(0)
		for _, a := range in.Sequence.Buffered {
			if !a.At.After(arrivedBy) {
				limit = a.Number
			}
		}
		for a := in.Sequence.pop(limit); a != nil; a = in.Sequence.pop(limit) {
			in.deliver(a, now, yield)
		}
		in.deliverInOrder(now, yield)
	}
}

// makeRoom gives up missing numbers, the lowest first, until the buffer is within its bounds.
func (in *Intake) makeRoom(now time.Time, yield yield) {
	for in.Sequence.isFull() {
		in.deliver(in.Sequence.pop(in.Sequence.Buffered[0].Number), now, yield)
		in.deliverInOrder(now, yield)
	}
}

// deliverInOrder delivers the buffered arrivals that are in order.
func (in *Intake) deliverInOrder(now time.Time, yield yield) {
	for a := in.Sequence.pop(in.Sequence.Next()); a != nil; a = in.Sequence.pop(in.Sequence.Next()) {
		in.deliver(a, now, yield)
	}
}

// deliver applies a numbered arrival and gives up the numbers that are missing before it.
func (in *Intake) deliver(a *Arrival, now time.Time, yield yield) {
	in.Sequence.pass(a.Number, now)
	in.apply(a, now, yield)
}

// apply applies an arrival and passes on the verdict, to its duplicates as well.
func (in *Intake) apply(a *Arrival, now time.Time, yield yield) {
	verdict := Verdict{Err: a.err}
	if a.err == nil {
		verdict = in.Apply(a.command, now)
	}
	yield(a, verdict)
	for _, duplicate := range a.duplicates {
		yield(duplicate, Verdict{Duplicate: verdict.Err == nil, Child: verdict.Child, Err: verdict.Err})
	}
}

// refuse refuses an arrival for its number, unless the arrival repeats an applied one.
func (in *Intake) refuse(a *Arrival, reason Reason, now time.Time, yield yield) {
	if in.Seen.Has(a.EventID) {
		in.apply(a, now, yield)
		return
	}
	yield(a, Verdict{Err: &OrderError{Reason: reason, Number: a.Number, Next: in.Sequence.Next()}})
}
