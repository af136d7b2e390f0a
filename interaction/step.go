package interaction

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// step is the application of one command to a draft of the record.
type step struct {
	record
	cmd Command
	// now is when the command is applied; at is when it happened, but never before what
	// was applied earlier.
	now, at  time.Time
	cause    string // see Event.Cause
	events   []Event
	children []Start
	attempt  int // see Effect.Attempt
}

// leg is an open leg and the segment it is in.
type leg struct {
	Kind    Leg       `json:"kind"`
	Agent   string    `json:"agent,omitempty"`
	Queue   string    `json:"queue,omitempty"`
	Segment Segment   `json:"segment,omitempty"`
	From    Segment   `json:"from,omitempty"`
	Since   time.Time `json:"since"`
	Entry   int64     `json:"entry"`
	// Applied is when the segment was entered by Segue's clock, for its timer.
	Applied time.Time `json:"applied"`
	// Connected: the agent has had contact with the customer; Termed: agent_term has fired.
	Connected bool `json:"connected,omitempty"`
	Termed    bool `json:"termed,omitempty"`
	// Transferred: the agent got the interaction by a transfer.
	Transferred bool `json:"transferred,omitempty"`
	Held        bool `json:"held,omitempty"`
}

// entry is a segment that a leg has left, and its place in the timeline.
type entry struct {
	Span
	Entry int64 `json:"entry"`
}

// Bounds of what an interaction keeps.
const (
	maxLegs     = 64
	maxSpans    = 1000
	maxKnown    = 256
	maxExcluded = 256
	maxParties  = 64
	maxSignals  = 100
	maxChildren = 100
	maxPast     = 64
)

// openLeg adds a leg; it has no segment until it enters one.
func (s *step) openLeg(kind Leg, agent, queue string) *leg {
	l := &leg{Kind: kind, Agent: agent, Queue: queue, Since: s.Clock}
	s.Legs = append(s.Legs, l)
	return l
}

// assign opens a leg for an agent.
func (s *step) assign(agent Agent) (*leg, error) {
	if len(s.Legs) >= maxLegs {
		return nil, s.tooMany("agent", agent.ID, fmt.Sprintf("%d legs are open, and an interaction has at most that many; end some first", maxLegs))
	}
	s.rememberAgent(agent)
	l := s.openLeg(LegAgent, agent.ID, "")
	s.enter(l, SegmentInteractionStarts)
	return l, nil
}

// enter moves a leg into a segment and fires one segment_change, unless the leg is in the
// segment already or would go back. A leg that enters interaction_ends is closed.
func (s *step) enter(l *leg, segment Segment) {
	if l == nil || l.Segment == segment || goesBack(l, segment) {
		return
	}
	s.closeSpan(l)
	l.From, l.Segment, l.Since, l.Applied = l.Segment, segment, s.Clock, s.now
	s.Entries++
	l.Entry = s.Entries
	event := Event{Moment: MomentSegmentChange, Segment: segment, Leg: l.Kind, From: l.From, To: segment}
	switch l.Kind {
	case LegAgent:
		event.Agent = s.agent(l.Agent)
	case LegBusinessProcess:
		event.Queue = l.Queue
	}
	s.addEvent(event)
	if segment == SegmentInteractionEnds {
		s.closeSpan(l)
		s.Legs = slices.DeleteFunc(s.Legs, func(other *leg) bool { return other == l })
	}
}

// goesBack reports whether the channel leg would return to an earlier segment, which it
// never does. Dialing again is not going back.
func goesBack(l *leg, segment Segment) bool {
	if l.Kind != LegChannel {
		return false
	}
	switch segment {
	case SegmentInteractionStarts:
		return l.Segment != ""
	case SegmentOffered:
		return l.Segment != SegmentInteractionStarts
	}
	return false
}

// closeSpan writes the segment of a leg into the timeline. Beyond the limit, the oldest
// entries are dropped; the totals keep their durations.
func (s *step) closeSpan(l *leg) {
	if l.Segment == "" {
		return
	}
	span := l.span()
	end := s.Clock
	span.End = &end
	s.Closed = append(s.Closed, entry{Span: span, Entry: l.Entry})
	if surplus := len(s.Closed) - maxSpans; surplus > 0 {
		s.Closed = s.Closed[surplus:]
	}
}

// fire adds the event of a moment; "" is a moment that the channel does not have.
func (s *step) fire(moment Moment) {
	s.fireFor(moment, s.agent(s.Owner))
}

// fireFor adds the event of a moment that concerns one agent.
func (s *step) fireFor(moment Moment, agent *Agent) {
	if moment != "" {
		s.addEvent(Event{Moment: moment, Agent: agent})
	}
}

// addEvent completes an event and numbers it.
func (s *step) addEvent(event Event) {
	if event.Agent == nil && event.Leg != LegAgent {
		event.Agent = s.agent(s.Owner)
	}
	if event.Queue == "" {
		event.Queue = s.Queue
	}
	if event.Fields == nil {
		event.Fields = s.cmd.Fields
	}
	s.Sequence++
	event.Sequence, event.At, event.Command = s.Sequence, s.at, s.cmd.Name
	if s.cause != "" {
		event.Cause = s.cause + "#" + strconv.Itoa(len(s.events))
	}
	event.PreviousAgent = s.previous("")
	if event.Agent != nil {
		event.PreviousAgent = s.previous(event.Agent.ID)
		if k := s.known(event.Agent.ID); k != nil {
			event.Session = k.Session
		}
	}
	s.events = append(s.events, event)
}

// fieldsWith returns the command's fields and those that the moment adds.
func (s *step) fieldsWith(added map[string]any) map[string]any {
	fields := make(map[string]any, len(s.cmd.Fields)+len(added))
	maps.Copy(fields, s.cmd.Fields)
	maps.Copy(fields, added)
	return fields
}

// tooMany refuses one more of what the interaction has a bounded number of.
func (s *step) tooMany(name string, value any, reason string) *InvalidError {
	invalid := s.invalid(name, value, reason)
	invalid.Why = WhyTooLarge
	return invalid
}

func (s *step) invalid(name string, value any, reason string) *InvalidError {
	return &InvalidError{Command: s.cmd.Name, Field: name, Value: shown(value), Why: WhyInvalid, Reason: reason}
}

func (s *step) effect() Effect {
	return Effect{Turn: Turn{View: s.view(s.Clock), Events: s.events}, Children: s.children, Attempt: s.attempt}
}
