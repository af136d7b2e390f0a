package view

import (
	"encoding/json"
	"slices"

	"segue/contract"
	"segue/gateway/parts"
)

// Message is one notification: the data of a message on a topic.
type Message struct {
	// Topic is /v2/me/calls, /v2/me/interactions, ….
	Topic string
	Data  json.RawMessage
}

// The types of notifications, in the order in which an agent gets those of one change.
const (
	StatusChange        = "StatusChange"
	ParticipantsUpdated = "ParticipantsUpdated"
	AttachedDataChanged = "AttachedDataChanged"
	PropertiesUpdated   = "PropertiesUpdated"
)

// Change is a change of an interaction, as the agents see it who take part. It compares and encodes
// what they share once. It is not safe for concurrent use.
type Change struct {
	before, after *Look
	notice        *contract.Notice
	// sequence and revision are those of the state after the change.
	sequence, revision int64

	diffed               bool
	userData, properties bool
	encoded              []byte
}

// NewChange returns the change of a notice. before is the interaction before it; nil if it is not
// known, or the interaction is new. after is the interaction after it, for a notice that has no state
// because it is too large; nil for the notice's own.
func NewChange(before *Look, notice *contract.Notice, after *Look) *Change {
	c := &Change{before: before, notice: notice, sequence: notice.Sequence, revision: notice.Revision}
	switch {
	case after != nil && after.State != nil:
		c.after, c.sequence, c.revision = after, after.State.Sequence, after.State.Revision
	case notice.State != nil:
		c.after = &Look{State: notice.State, CapabilitiesFor: notice.CapabilitiesFor}
	}
	if before != nil && before.State == nil {
		c.before = nil
	}
	return c
}

// Present returns the messages that tell the present state of an interaction as StatusChange.
func Present(l Look, agent, base string) []Message {
	c := &Change{after: &l, notice: &contract.Notice{}, sequence: l.State.Sequence, revision: l.State.Revision}
	return c.messages(Of(l, agent, base), []string{StatusChange}, nil)
}

// Agents lists the agents who had an open leg before the change or have one after it, each once.
func (c *Change) Agents() []string {
	agents := slices.Clone(c.notice.AgentsBefore)
	add := func(id string) {
		if !slices.Contains(agents, id) {
			agents = append(agents, id)
		}
	}
	for _, l := range []*Look{c.before, c.after} {
		if l == nil {
			continue
		}
		for n := range l.State.Participants {
			if a := l.State.Participants[n].Agent; a != nil {
				add(a.ID)
			}
		}
		for n := range l.State.OfferedTo {
			add(l.State.OfferedTo[n].ID)
		}
	}
	return agents
}

// Notifications returns what an agent receives for the change, in order; nothing if nothing changed for
// this agent, or the state after the change is not known.
func (c *Change) Notifications(agent, base string, referenceID json.RawMessage) []Message {
	if c.after == nil {
		return nil
	}
	resource, types := c.seenBy(agent, base)
	return c.messages(resource, types, referenceID)
}

// seenBy returns the resource and the types of the notifications for an agent.
func (c *Change) seenBy(agent, base string) (*Resource, []string) {
	had := slices.Contains(c.notice.AgentsBefore, agent) || c.knows(agent)
	has := parts.Of(c.after.State, agent).Part != parts.None
	if !had && !has {
		return nil, nil
	}
	resource := Of(*c.after, agent, base)
	if !has {
		resource = c.over(agent, base)
	}
	return resource, c.types(resource, agent, had, has)
}

// types lists what changed for an agent. One who had no part gets the first message, which tells all.
// If it is not known what was before, all may have changed. Who else takes part is for those who do.
func (c *Change) types(resource *Resource, agent string, had, has bool) []string {
	if !had {
		return []string{StatusChange}
	}
	isCall := resource.medium.Name == Call.Name
	status, others, userData, properties := true, true, true, true
	if c.before != nil {
		status = c.statusChanged(resource, agent)
		others = !sameOthers(othersIn(c.before.State, agent), othersIn(c.after.State, agent))
		userData, properties = c.differences()
	}
	types := make([]string, 0, 4)
	if status {
		types = append(types, StatusChange)
	}
	if others && has && (isCall || resource.medium.Name == Chat.Name) {
		types = append(types, ParticipantsUpdated)
	}
	if userData && isCall {
		types = append(types, AttachedDataChanged)
	}
	if properties || userData && !isCall {
		types = append(types, PropertiesUpdated)
	}
	return types
}

// statusChanged reports whether the agent's part, the name of its state, or its capabilities changed.
func (c *Change) statusChanged(resource *Resource, agent string) bool {
	before := lookAt(*c.before, agent)
	return before.leg.Part == parts.None || before.leg.Part != parts.Of(c.after.State, agent).Part ||
		stateName(c.before.State, agent) != resource.name || !slices.Equal(before.capabilities(), resource.capabilities)
}

// differences reports whether user data, and whether attributes or the disposition, changed.
func (c *Change) differences() (userData, properties bool) {
	if !c.diffed {
		before, after := c.before.State, c.after.State
		c.userData = !sameObject(before.UserData, after.UserData)
		c.properties = attributesOf(before) != attributesOf(after) || !sameObject(before.Customer, after.Customer)
		c.diffed = true
	}
	return c.userData, c.properties
}

// attributes are what set_attributes and set_disposition set, without the customer.
type attributes struct{ nativeID, businessProcess, ani, dnis, comment, code, notes, agent string }

func attributesOf(s *contract.State) attributes {
	a := attributes{nativeID: s.NativeID, businessProcess: s.BusinessProcess, ani: s.ANI, dnis: s.DNIS, comment: s.Comment}
	if d := s.Disposition; d != nil {
		a.code, a.notes, a.agent = d.Code, d.Notes, d.Agent
	}
	return a
}

// state returns the last state that is known.
func (c *Change) state() *contract.State {
	switch {
	case c.after != nil:
		return c.after.State
	case c.before != nil:
		return c.before.State
	}
	return nil
}

// messages writes the notifications of both topics.
func (c *Change) messages(resource *Resource, types []string, referenceID json.RawMessage) []Message {
	if len(types) == 0 {
		return nil
	}
	if c.encoded == nil {
		c.encoded = appendObject(nil, resource.state.UserData)
	}
	resource.userData = c.encoded
	encoded := resource.append(nil)
	messages := make([]Message, 0, 2*len(types))
	for _, topic := range []struct{ topic, message, name string }{
		{resource.medium.Topic, resource.medium.Message, resource.medium.Name},
		{InteractionTopic, InteractionMessage, InteractionName},
	} {
		for _, kind := range types {
			b := buffer(make([]byte, 0, len(encoded)+len(referenceID)+256))
			b = append(b, '{')
			b.text("messageType", topic.message)
			b.text("notificationType", kind)
			b.raw(topic.name, encoded)
			if len(referenceID) > 0 {
				b.raw("referenceId", referenceID)
			}
			b.number("sequence", c.sequence)
			b.number("revision", c.revision)
			messages = append(messages, Message{Topic: topic.topic, Data: json.RawMessage(append(b, '}'))})
		}
	}
	return messages
}
