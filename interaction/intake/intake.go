package intake

import (
	"time"

	"segue/interaction"
)

// Intake takes in the commands of one interaction. Its JSON is what a run leaves to
// the next. It is not safe for concurrent use.
type Intake struct {
	Interaction *interaction.Interaction `json:"interaction"`
	Seen        Seen                     `json:"seen"`
	// Duplicates counts the repeats.
	Duplicates int      `json:"duplicates,omitempty"`
	Sequence   Sequence `json:"line,omitzero"`
}

// Judge is told of every arrival that was judged, in order, at once: what it finds
// the interaction in is what that arrival left.
type Judge func(*Arrival, Verdict)

// Apply applies a command that nobody numbers, once.
func (d *Intake) Apply(command interaction.Command, now time.Time) Verdict {
	if d.Seen.Has(command.EventID) {
		d.Duplicates++
		return Verdict{Duplicate: true}
	}
	effect, err := d.Interaction.Apply(command, now)
	if err != nil {
		return Verdict{Err: err}
	}
	d.Seen.Add(command.EventID)
	return Verdict{Effect: effect}
}

// Take takes in one arrival. One that is not numbered is judged at once. A numbered
// one is judged in its turn, and with it those that waited for it; until then it
// waits. ordered is false where numbers are not to be waited for: then they only
// say where the source has got to.
func (d *Intake) Take(a *Arrival, ordered bool, now time.Time, judge Judge) {
	a.At = now
	switch {
	case a.Number == 0:
		d.judge(a, now, judge)
	case !ordered:
		d.Sequence.follow(a.Number)
		d.judge(a, now, judge)
	case a.Number < d.Sequence.Next():
		d.takeLate(a, now, judge)
	case a.Number == d.Sequence.Next():
		d.serve(a, now, judge)
		d.drain(now, judge)
	default:
		d.takeEarly(a, now, judge)
	}
}

// takeLate takes in one whose turn is over. What was applied in it may be repeated.
func (d *Intake) takeLate(a *Arrival, now time.Time, judge Judge) {
	if d.Seen.Has(a.EventID) {
		d.judge(a, now, judge)
		return
	}
	d.refuse(a, d.Sequence.refusal(a.Number), judge)
}

// takeEarly takes in one that is ahead of its turn.
func (d *Intake) takeEarly(a *Arrival, now time.Time, judge Judge) {
	place, taken := d.Sequence.find(a.Number)
	switch {
	case a.Number-d.Sequence.Next() > maxAhead:
		d.refuse(a, Ahead, judge)
	case !taken:
		d.Sequence.hold(a)
		d.makeRoom(now, judge)
	case d.Sequence.Held[place].EventID == a.EventID:
		d.takeTwin(d.Sequence.Held[place], a, judge)
	default:
		d.refuse(a, Repeated, judge)
	}
}

// takeTwin takes in the repeat of one that waits: whoever wants to hear of it hears
// what becomes of the first.
func (d *Intake) takeTwin(first, a *Arrival, judge Judge) {
	d.Duplicates++
	if a.Judged == nil {
		judged(a, Verdict{Duplicate: true}, judge)
		return
	}
	first.twins = append(first.twins, a)
}

// Release ends the wait of all that came by then: it goes on without what is
// missing before them.
func (d *Intake) Release(cameBy, now time.Time, judge Judge) {
	limit := int64(0)
	for _, a := range d.Sequence.Held {
		if !a.At.After(cameBy) {
			limit = a.Number
		}
	}
	for a := d.Sequence.pop(limit); a != nil; a = d.Sequence.pop(limit) {
		d.serve(a, now, judge)
	}
	d.drain(now, judge)
}

// makeRoom ends waits, from the first turn on, until no more waits than may.
func (d *Intake) makeRoom(now time.Time, judge Judge) {
	for d.Sequence.isFull() {
		d.serve(d.Sequence.pop(d.Sequence.Held[0].Number), now, judge)
		d.drain(now, judge)
	}
}

// drain judges those whose turn has come.
func (d *Intake) drain(now time.Time, judge Judge) {
	for a := d.Sequence.pop(d.Sequence.Next()); a != nil; a = d.Sequence.pop(d.Sequence.Next()) {
		d.serve(a, now, judge)
	}
}

// serve gives a numbered arrival its turn.
func (d *Intake) serve(a *Arrival, now time.Time, judge Judge) {
	d.Sequence.pass(a.Number, now)
	d.judge(a, now, judge)
}

// judge applies an arrival, and tells of it and of its repeats.
func (d *Intake) judge(a *Arrival, now time.Time, judge Judge) {
	verdict := Verdict{Err: a.err}
	if a.err == nil {
		verdict = d.Apply(a.command, now)
	}
	judged(a, verdict, judge)
	for _, twin := range a.twins {
		judged(twin, Verdict{Duplicate: verdict.Err == nil, Err: verdict.Err}, judge)
	}
}

func (d *Intake) refuse(a *Arrival, reason Reason, judge Judge) {
	judged(a, Verdict{Err: &OrderError{Reason: reason, Number: a.Number, Next: d.Sequence.Next()}}, judge)
}

func judged(a *Arrival, verdict Verdict, judge Judge) {
	judge(a, verdict)
	if a.Judged != nil {
		a.Judged(verdict)
	}
}
