package interaction

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// step is one command at work on a draft of the record.
type step struct {
	record
	cmd Command
	// now is when the command is applied; at is when it happened, as far as the
	// timeline lets it: never before what was applied earlier.
	now, at  time.Time
	cause    string // see Event.Cause
	events   []Event
	children []Start
}

// refusal is an effect's own reason why the command is not legal now.
type refusal string

func (r refusal) Error() string { return string(r) }

// leg is an open leg and the segment it is in.
type leg struct {
	Kind    Leg       `json:"kind"`
	Agent   string    `json:"agent,omitempty"`
	Queue   string    `json:"queue,omitempty"`
	Segment Segment   `json:"segment,omitempty"`
	From    Segment   `json:"from,omitempty"`
	Since   time.Time `json:"since"`
	Entry   int64     `json:"entry"`
	// Applied is when the segment was entered by our clock, for its timer.
	Applied time.Time `json:"applied"`
	// Connected: the agent has had contact with the customer; Termed: agent_term was fired.
	Connected bool `json:"connected,omitempty"`
	Termed    bool `json:"termed,omitempty"`
	// Transferred: the agent came by a transfer.
	Transferred bool `json:"transferred,omitempty"`
	Held        bool `json:"held,omitempty"`
}

// entry is a segment that a leg has left, with its place in the timeline.
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

// open adds a leg; it has no segment until it enters one.
func (s *step) open(kind Leg, agent, queue string) *leg {
	l := &leg{Kind: kind, Agent: agent, Queue: queue, Since: s.Clock}
	s.Legs = append(s.Legs, l)
	return l
}

// assign opens a leg for an agent.
func (s *step) assign(agent Agent) (*leg, error) {
	if len(s.Legs) >= maxLegs {
		return nil, s.invalid("agent", agent.ID, fmt.Sprintf("%d legs are open, the most an interaction has; end some first", maxLegs))
	}
	s.meet(agent)
	l := s.open(LegAgent, agent.ID, "")
	s.enter(l, SegmentInteractionStarts)
	return l, nil
}

// enter moves a leg into a segment: one segment_change, unless it is there already
// or would go back. A leg that enters interaction_ends is closed.
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
	s.add(event)
	if segment == SegmentInteractionEnds {
		s.closeSpan(l)
		s.Legs = slices.DeleteFunc(s.Legs, func(other *leg) bool { return other == l })
	}
}

// goesBack: the channel leg never does. A redial is not going back: its row
// says that the channel dials.
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

// closeSpan writes the segment a leg is in into the timeline. The oldest go when
// there are too many: the meters keep their durations.
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

// fire adds the event of a moment; a channel that lacks the moment has "" for it.
func (s *step) fire(when Moment) {
	s.about(when, s.agent(s.Owner))
}

// about adds the event of a moment that concerns one agent.
func (s *step) about(when Moment, agent *Agent) {
	if when != "" {
		s.add(Event{Moment: when, Agent: agent})
	}
}

// add completes an event and numbers it.
func (s *step) add(event Event) {
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

// fieldsWith is the command's fields and what the moment adds to them.
func (s *step) fieldsWith(added map[string]any) map[string]any {
	fields := make(map[string]any, len(s.cmd.Fields)+len(added))
	maps.Copy(fields, s.cmd.Fields)
	maps.Copy(fields, added)
	return fields
}

func (s *step) invalid(name string, value any, reason string) *InvalidError {
	return &InvalidError{Command: s.cmd.Name, Field: name, Value: shown(value), Reason: reason}
}

func (s *step) effect() Effect {
	return Effect{Turn: Turn{View: s.view(s.Clock), Events: s.events}, Children: s.children}
}
