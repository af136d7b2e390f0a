package view

import (
	"maps"

	"segue/contract"
	"segue/interaction"
)

// The reasons of interaction.ended.
const (
	// ReasonCompleted: the interaction has ended, with an outcome.
	ReasonCompleted = "completed"
	// ReasonRejected, ReasonMissed, ReasonTaken and ReasonWithdrawn end an offer: this agent rejected it or
	// did not answer, another agent was faster, or the offer ended otherwise.
	ReasonRejected  = "rejected"
	ReasonMissed    = "missed"
	ReasonTaken     = "taken"
	ReasonWithdrawn = "withdrawn"
	// ReasonTransferred, ReasonQueued and ReasonParked: the interaction is elsewhere now. ReasonLeft: the
	// agent's part is over, for another reason.
	ReasonTransferred = "transferred"
	ReasonQueued      = "queued"
	ReasonParked      = "parked"
	ReasonLeft        = "left"
)

// ends adds the events of an interaction that is over for the agent.
func (s *sequence) ends() {
	b := s.before
	if last := s.last(); last != nil {
		s.after = last
		s.differs(b, last)
		s.after = nil
	}
	end := s.end()
	switch {
	case b.consult != nil && s.change.Command == "transfer" && end.Reason != ReasonCompleted:
		s.givesAway()
	default:
		s.closesAll()
		s.add(s.interaction(), StateUpdated, StateData{State: StateEnded, Previous: b.state})
	}
	s.add(s.interaction(), InteractionEnded, end)
	s.addAll(b.channel.drop(b.id))
}

// closesAll ends the conversations that are left.
func (s *sequence) closesAll() {
	b := s.before
	if b.consult != nil {
		s.closes(b.consult)
		s.focuses(b.primary, conversationPrimary)
	}
	if b.primary != nil {
		s.closes(b.primary)
	}
}

// last returns the work with the data that the change has left; nil if that is another interaction's.
func (s *sequence) last() *work {
	state, last := s.change.State, *s.before
	if TypeOf(state.Channel) != last.channelType {
		return nil
	}
	last.data, last.disposition, last.signals = state.UserData, state.Disposition, state.Signals
	last.attributes = attributesOf(state)
	return &last
}

// end returns why the part of the agent ended.
func (s *sequence) end() EndData {
	state := s.change.State
	wasOffered := s.before.leg.Part.IsInvited()
	switch {
	case wasOffered && s.entered(interaction.SegmentRejected):
		return EndData{Reason: ReasonRejected, Outcome: state.Outcome}
	case wasOffered && s.entered(interaction.SegmentMissed):
		return EndData{Reason: ReasonMissed, Outcome: state.Outcome}
	case state.State == interaction.StateCompleted:
		return EndData{Reason: ReasonCompleted, Outcome: state.Outcome}
	case wasOffered && state.Agent != nil:
		return EndData{Reason: ReasonTaken}
	case wasOffered:
		return EndData{Reason: ReasonWithdrawn}
	case state.State == interaction.StateQueued:
		return EndData{Reason: ReasonQueued}
	case state.State == interaction.StateInWorkbin:
		return EndData{Reason: ReasonParked}
	case s.change.Command == "transfer":
		return EndData{Reason: ReasonTransferred}
	}
	return EndData{Reason: ReasonLeft}
}

// entered reports whether a leg of the agent went into a segment.
func (s *sequence) entered(segment interaction.Segment) bool {
	for n := range s.change.Events {
		e := &s.change.Events[n]
		if e.Moment == interaction.MomentSegmentChange && e.Segment == segment && e.Agent != nil && e.Agent.ID == s.desktop.agent {
			return true
		}
	}
	return false
}

func attributesOf(state *contract.State) Attributes {
	return Attributes{NativeID: state.NativeID, ANI: state.ANI, DNIS: state.DNIS,
		BusinessProcess: state.BusinessProcess, Comment: state.Comment, Customer: state.Customer}
}

func sameSignal(a, b interaction.Signal) bool {
	return a.Name == b.Name && a.Tooltip == b.Tooltip && maps.Equal(a.Params, b.Params)
}

// End ends an interaction that is gone without a last change, as by a termination.
func (d *Desktop) End(id string) []Event {
	before := d.works[id]
	if before == nil {
		return nil
	}
	gone := &contract.State{RunID: before.run, Revision: before.revision}
	gone.ID, gone.Sequence, gone.State = id, before.sequence, interaction.StateCompleted
	s := &sequence{desktop: d, change: Change{State: gone}, before: before, at: gone}
	s.closesAll()
	s.add(s.interaction(), StateUpdated, StateData{State: StateEnded, Previous: before.state})
	s.add(s.interaction(), InteractionEnded, EndData{Reason: ReasonCompleted})
	s.addAll(before.channel.drop(id))
	delete(d.works, id)
	return s.events
}
