package interaction

import (
	"fmt"
	"slices"
	"time"
)

// Interaction is the state of one interaction. It is not safe for concurrent use; the
// turns, views and statuses that it returns are.
type Interaction struct{ r record }

// Effect is what one applied command caused.
type Effect struct {
	Turn Turn
	// Children are interactions to start: the drafts that reply makes.
	Children []Start
	// Attempt is the number of the attempt to engage a visitor that the command has opened; 0 for none.
	Attempt int
}

// Open begins an interaction. at is when its start arrived; the start's own time counts if
// it is earlier. The interaction keeps the start's maps, as it does a command's: the caller
// must not change them any more. The error is an *InvalidError.
func Open(start Start, at time.Time) (*Interaction, Effect, error) {
	if start.Draft && start.Agent == nil {
		return nil, Effect{}, &InvalidError{Command: commandStart, Field: "agent", Why: WhyMissing, Reason: "is missing; a draft belongs to an agent"}
	}
	now := at.UTC()
	s := &step{cmd: Command{Name: commandStart, Envelope: Envelope{At: start.At}, Fields: start.Fields}, now: now}
	s.at = s.within()
	s.record = opened(start, s.at, now)
	if err := s.begin(start); err != nil {
		return nil, Effect{}, err
	}
	return &Interaction{r: s.record}, s.effect(), nil
}

func opened(start Start, at, now time.Time) record {
	return record{
		Facts: Facts{
			ID: start.ID, ContactCenter: start.ContactCenter, Channel: start.Channel, Direction: directionOf(start),
			State: start.FirstState(), BusinessProcess: start.BusinessProcess, Queue: start.Queue, ANI: start.ANI, DNIS: start.DNIS,
			NativeID: start.NativeID, Parent: start.Parent, Destination: start.Destination, Customer: start.Customer, StartedAt: at,
		},
		Draft: start.Draft, UserData: start.UserData, Clock: at, OpenedAt: now, Since: now,
	}
}

func directionOf(start Start) string {
	switch {
	case start.Direction != "":
		return start.Direction
	case start.Channel == ChannelOutbound || start.Draft:
		return "outbound"
	}
	return "inbound"
}

// begin opens the first legs and fires the moments of a start.
func (s *step) begin(start Start) error {
	s.enter(s.openLeg(LegChannel, "", ""), SegmentInteractionStarts)
	if start.Queue != "" || start.BusinessProcess != "" {
		s.enter(s.openLeg(LegBusinessProcess, "", start.Queue), SegmentInteractionStarts)
	}
	if start.Agent != nil {
		l, err := s.assign(*start.Agent)
		if err != nil {
			return err
		}
		s.own(l.Agent)
		if start.Draft {
			s.tookPart(l.Agent)
			s.enter(l, SegmentHandling)
		}
	}
	s.fire(MomentInteractionStarts)
	s.fire(s.moments().start)
	s.Totals = s.updatedTotals()
	return nil
}

// Check returns the error that Apply would return, and changes nothing.
func (i *Interaction) Check(cmd Command) error {
	_, err := i.try(cmd, i.r.Clock)
	return err
}

// Apply applies a command and returns what it caused. The error is an *IllegalError or an
// *InvalidError; then nothing has changed. Events have the command's own time, but are
// never before earlier events nor in the future.
func (i *Interaction) Apply(cmd Command, now time.Time) (Effect, error) {
	s, err := i.try(cmd, now.UTC())
	if err != nil {
		return Effect{}, err
	}
	i.r = s.record
	return s.effect(), nil
}

// try applies the command to a draft of the record.
func (i *Interaction) try(cmd Command, now time.Time) (*step, error) {
	r, ok := ruleOf(cmd.Name)
	if !ok {
		return nil, unknownCommand(cmd.Name)
	}
	if refused := r.refusal(&i.r, cmd.By); refused != nil {
		return nil, i.illegal(cmd, refused)
	}
	if other := actsForAnother(cmd); other != "" {
		return nil, i.illegal(cmd, notThisAgent(cmd.By.ID+" may not act for "+other))
	}
	s := &step{record: i.r.draft(), cmd: cmd, now: now, cause: cmd.EventID}
	if timer, internal := cmd.Body.(Timer); internal {
		s.Internals++
		s.cause = fmt.Sprintf("\n%s %s %d", cmd.Name, timer.Agent, s.Internals) // like no event_id
	}
	s.Clock = later(s.Clock, s.within())
	s.at = s.Clock
	before := s.State
	if err := r.effect(s); err != nil {
		if refused, ok := err.(*refusal); ok {
			return nil, i.illegal(cmd, refused)
		}
		return nil, err
	}
	if s.State != before {
		s.Since = now
	}
	s.noteEndOfAttempt(before)
	s.Totals = s.updatedTotals()
	return s, nil
}

func (i *Interaction) illegal(cmd Command, refused *refusal) *IllegalError {
	legal, reason := i.Capabilities(), refused.reason
	if cmd.By != nil {
		legal = i.CapabilitiesFor(*cmd.By)
	}
	switch {
	case refused == notInState && i.r.EndedAt != nil:
		reason = fmt.Sprintf("the interaction ended as %s at %s, by %s", i.r.Outcome, stamp(*i.r.EndedAt), i.r.EndedBy)
	case refused == notInState:
		reason = ""
	}
	return &IllegalError{Command: cmd.Name, State: i.r.State, Why: refused.why, Legal: legal, Reason: reason}
}

// draft returns a copy that a command may change without changing the original.
func (r *record) draft() record {
	copied := *r
	copied.Legs = make([]*leg, len(r.Legs))
	legs := make([]leg, len(r.Legs))
	for n, l := range r.Legs {
		legs[n] = *l
		copied.Legs[n] = &legs[n]
	}
	return copied
}

// within bounds the command's own time by the interaction's start and now.
func (s *step) within() time.Time {
	at := s.now
	if s.cmd.At != nil && s.cmd.At.Before(at) {
		at = s.cmd.At.UTC()
	}
	return later(s.StartedAt, at)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Completed reports whether the interaction has ended.
func (i *Interaction) Completed() bool { return i.r.State == StateCompleted }

// Lingers reports whether a completed interaction still takes disposition, survey and
// user data. It does where agents took part, because recordings and surveys follow the end
// by seconds, until the timer late_events ends it.
func (i *Interaction) Lingers() bool { return i.r.lingers() }

func (r *record) lingers() bool {
	if r.State != StateCompleted || r.Closing {
		return false
	}
	return slices.ContainsFunc(r.Agents, func(k *known) bool { return k.TookPart })
}
