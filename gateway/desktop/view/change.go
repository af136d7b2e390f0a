package view

import (
	"slices"

	"segue/contract"
	"segue/gateway/parts"
	"segue/interaction"
)

// Change is a change of an interaction: the notice of it, or a state alone if that was lost.
type Change struct {
	// Command, By and Events are those of the notice; empty if they are not known.
	Command string
	By      *interaction.Actor
	Events  []interaction.Event
	// State is the interaction after the change, and CapabilitiesFor what its agents may do.
	State           *contract.State
	CapabilitiesFor map[string][]string
}

// Of returns the change of a notice, which has a state.
func Of(n *contract.Notice) Change {
	return Change{Command: n.Command, By: n.By, Events: n.Events, State: n.State, CapabilitiesFor: n.CapabilitiesFor}
}

// Apply applies a change and returns its events, in order; none if it changes nothing for the agent.
func (d *Desktop) Apply(c Change) []Event {
	before := d.works[c.State.ID]
	after := see(c.State, c.CapabilitiesFor[d.agent], d.agent, before)
	s := &sequence{desktop: d, change: c, before: before, after: after, at: c.State}
	switch {
	case before == nil && after == nil:
		return nil
	case before == nil:
		s.comes(false)
	case after == nil:
		s.ends()
	case before.channelType != after.channelType: // an engagement has chosen another channel
		s.after = nil
		s.ends()
		after = see(c.State, c.CapabilitiesFor[d.agent], d.agent, nil)
		s.before, s.after = nil, after
		s.comes(false)
	default:
		s.goesOn()
	}
	if after == nil {
		delete(d.works, c.State.ID)
	} else {
		d.works[c.State.ID] = after
	}
	return s.events
}

// sequence collects the events of one change.
type sequence struct {
	desktop       *Desktop
	change        Change
	before, after *work
	at            *contract.State
	events        []Event
}

func (s *sequence) add(target, name string, data any) {
	s.events = append(s.events, Event{Target: target, Name: name, Data: data, Sequence: s.at.Sequence, Revision: s.at.Revision})
}

// addAll adds events of the channel, which this change caused.
func (s *sequence) addAll(events []Event) {
	for _, e := range events {
		s.add(e.Target, e.Name, e.Data)
	}
}

// of returns the work that is known, the one after the change if there is one.
func (s *sequence) of() *work {
	if s.after != nil {
		return s.after
	}
	return s.before
}

func (s *sequence) interaction() string {
	w := s.of()
	return w.channel.target() + "." + Escaped(w.id)
}

func (s *sequence) conversation(c *conversation) string { return s.interaction() + "." + c.id }

// comes adds the events of an interaction that comes, or comes again in a replay.
func (s *sequence) comes(isReplay bool) {
	w := s.after
	if w.channel == nil {
		channel, made := s.desktop.channelFor(w)
		w.channel = channel
		s.addAll(made)
	}
	s.addAll(w.channel.take(w.id))
	s.add(s.interaction(), InteractionCreated, CreatedData{InteractionInfo{ID: w.id, NativeID: w.attributes.NativeID, Direction: w.direction}})
	s.add(s.interaction(), StateUpdated, StateData{State: w.state})
	if w.primary != nil {
		s.begins(w.primary, conversationPrimary)
	}
	if w.consult != nil {
		s.begins(w.consult, conversationConsult)
		s.focuses(w.consult, conversationConsult)
	}
	s.dataChanged()
	if !isReplay || w.leg.Part.IsInvited() {
		s.previews(InteractionPreview)
	}
	for n := range w.signals {
		s.add(s.interaction(), InteractionSignalAdded, w.signals[n])
	}
	s.previews(InteractionInitialized)
}

func (s *sequence) previews(name string) {
	s.add(s.interaction(), name, OfferData{Capabilities: s.after.capabilities(), OfferedUntil: s.after.offeredUntil})
}

func (s *sequence) begins(c *conversation, kind string) {
	s.add(s.conversation(c), ConversationCreated, ConversationData{ConversationInfo{ID: c.id, Type: kind}})
	s.add(s.conversation(c), StateUpdated, StateData{State: c.state})
	s.joins(c, nil)
	s.add(s.conversation(c), ConversationInitialized, ConversationData{ConversationInfo{ID: c.id, Type: kind}})
}

// joins adds the members of a conversation that were not there before.
func (s *sequence) joins(c *conversation, before []Member) {
	for _, m := range c.members {
		if !slices.ContainsFunc(before, func(o Member) bool { return o.ID == m.ID && o.Type == m.Type }) {
			s.add(s.conversation(c), ConversationMemberAdded, MemberData{m})
		}
	}
}

func (s *sequence) focuses(c *conversation, kind string) {
	s.add(s.interaction(), InteractionFocusChanged, ConversationData{ConversationInfo{ID: c.id, Type: kind}})
}

// closes ends a conversation.
func (s *sequence) closes(c *conversation) {
	s.add(s.conversation(c), StateUpdated, StateData{State: StateEnded, Previous: c.state})
	s.add(s.conversation(c), ConversationDisposed, Nothing{})
}

// goesOn adds the events of an interaction in which the agent still takes part.
func (s *sequence) goesOn() {
	b, a := s.before, s.after
	switch {
	case b.consult != nil && a.consult == nil:
		s.consultEnds()
	case b.primary != nil && a.primary == nil:
		s.closes(b.primary)
	case b.primary != nil && a.primary != nil:
		s.stateChanged(b.primary, a.primary)
		s.joins(a.primary, b.primary.members)
	case a.primary != nil:
		s.begins(a.primary, conversationPrimary)
	}
	if b.state != a.state {
		s.add(s.interaction(), StateUpdated, StateData{State: a.state, Previous: b.state})
	}
	switch {
	case b.consult != nil && a.consult != nil:
		s.joins(a.consult, b.consult.members)
	case a.consult != nil:
		s.begins(a.consult, conversationConsult)
		s.focuses(a.consult, conversationConsult)
	}
	if a.leg.Part.IsInvited() && !b.leg.Part.IsInvited() {
		s.previews(InteractionPreview)
	}
	s.differs(b, a)
}

func (s *sequence) stateChanged(b, a *conversation) {
	if b.state != a.state {
		s.add(s.conversation(a), StateUpdated, StateData{State: a.state, Previous: b.state})
	}
}

// consultEnds adds the end of a consultation whose owner goes on.
func (s *sequence) consultEnds() {
	b, a := s.before, s.after
	if a.primary == nil && s.change.Command == "transfer" { // the giver wraps up
		s.givesAway()
		return
	}
	s.closes(b.consult)
	if a.leg.Part == parts.Conference {
		s.joins(a.primary, b.primary.members)
	}
	s.focuses(b.primary, conversationPrimary)
	switch {
	case a.primary == nil:
		s.closes(b.primary)
	default:
		s.stateChanged(b.primary, a.primary)
		if a.leg.Part != parts.Conference {
			s.joins(a.primary, b.primary.members)
		}
	}
}

// givesAway adds the end of the conversations of one who transfers to the party that is consulted.
func (s *sequence) givesAway() {
	s.closes(s.before.primary)
	s.focuses(s.before.consult, conversationConsult)
	s.closes(s.before.consult)
}

// differs adds what changed of the data, the native id and the signals.
func (s *sequence) differs(b, a *work) {
	if !a.sameData(b) {
		s.dataChanged()
	}
	if b.primary != nil && a.primary != nil && b.attributes.NativeID != a.attributes.NativeID {
		s.add(s.conversation(a.primary), ConversationUpdated, NativeData{a.attributes.NativeID, a.attributes.ANI, a.attributes.DNIS})
	}
	s.signalsChanged(b.signals, a.signals)
}

func (s *sequence) dataChanged() {
	w := s.of()
	data := InteractionData{Data: w.data, Attributes: w.attributes}
	if data.Data == nil {
		data.Data = map[string]any{}
	}
	if given := w.disposition; given != nil {
		data.Disposition = &DispositionData{ID: s.desktop.dispositionID(w.channelType, given.Code), Value: given.Code, Notes: given.Notes, Agent: given.Agent}
	}
	s.add(s.interaction(), InteractionDataChanged, data)
}

// dispositionID returns the id of the configured disposition with a value; empty if there is none.
func (d *Desktop) dispositionID(kind Type, value string) string {
	for _, one := range d.dispositions {
		if one.Type == kind && one.Value == value {
			return one.ID
		}
	}
	return ""
}

func (s *sequence) signalsChanged(before, after []interaction.Signal) {
	for n := range before {
		isGone := !slices.ContainsFunc(after, func(o interaction.Signal) bool { return o.Name == before[n].Name })
		if isGone {
			s.add(s.interaction(), InteractionSignalRemoved, NameData{before[n].Name})
		}
	}
	for n := range after {
		isKnown := slices.ContainsFunc(before, func(o interaction.Signal) bool { return sameSignal(o, after[n]) })
		if !isKnown {
			s.add(s.interaction(), InteractionSignalAdded, after[n])
		}
	}
}
