package board

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/index"
	"segue/interaction"
)

const (
	// maxAgents bounds the agents that are remembered, and maxAgentsOf those of one contact center.
	// Others are shown while they have an interaction, without the time since when.
	maxAgents, maxAgentsOf = 32768, 8192
	// maxLegs bounds the open legs of one agent that are remembered.
	maxLegs = 64
)

// Idle is the state of an agent without an open leg.
const Idle = "idle"

// Agent is what an agent does.
type Agent struct {
	ID, Name string
	// State is the segment of the most important of the agent's legs: handling before dialing,
	// wrap_up and offers; Idle without any. Since is when it began; zero if that is not known.
	State string
	Since time.Time
	// Legs are the agent's open legs, the oldest interaction first.
	Legs []Leg
}

// Leg is an agent's part in an open interaction.
type Leg struct {
	Interaction string
	Channel     interaction.Channel
	Queue       string
	// State is the segment of the leg, Role the agent's role in the interaction; empty for an offer.
	State, Role string
	Held        bool
	// Since is when the leg entered the segment; zero if that is not known.
	Since time.Time
}

// importance orders segments: what an agent does who has several.
var importance = []interaction.Segment{
	interaction.SegmentInConference, interaction.SegmentConsulting, interaction.SegmentHandling, interaction.SegmentDialing,
	interaction.SegmentWrapUp, interaction.SegmentPreview, interaction.SegmentOffered,
}

func rank(state string) int {
	if at := slices.Index(importance, interaction.Segment(state)); at >= 0 {
		return at
	}
	return len(importance)
}

// person is an agent of a contact center.
type person struct{ contactCenter, id string }

// seen is what is remembered of an agent.
type seen struct {
	name string
	// last is when the agent last took part in a change.
	last time.Time
	legs map[client.Name]entered
}

// entered is a segment and when a leg entered it.
type entered struct {
	segment interaction.Segment
	at      time.Time
}

// agents remembers the agents who took part in anything in the window.
type agents struct {
	seen  map[person]*seen
	count map[string]int // by contact center
	swept time.Time
}

func (a *agents) init() { a.seen, a.count = map[person]*seen{}, map[string]int{} }

// note remembers the agents of a change, and when their legs entered their segments.
func (a *agents) note(c *index.Change, window time.Duration) {
	n := c.Notice
	if a.swept.Add(time.Minute).Before(c.Time) {
		a.sweep(c.Time, window)
	}
	name := client.Name{ContactCenter: n.ContactCenter, ID: n.Interaction}
	present := map[string]bool{}
	if n.State != nil {
		for _, agent := range agentsOf(n.State) {
			present[agent.ID] = true
			a.see(n.ContactCenter, agent.ID, agent.Name, c.Time)
		}
	}
	for _, id := range n.AgentsBefore {
		if s := a.see(n.ContactCenter, id, "", c.Time); s != nil && n.State != nil && !present[id] {
			delete(s.legs, name)
		}
	}
	for i := range n.Events {
		e := &n.Events[i]
		if e.Moment != interaction.MomentSegmentChange || e.Leg != interaction.LegAgent || e.Agent == nil {
			continue
		}
		s := a.see(n.ContactCenter, e.Agent.ID, e.Agent.Name, c.Time)
		switch {
		case s == nil:
		case e.To == interaction.SegmentInteractionEnds:
			delete(s.legs, name)
		case len(s.legs) < maxLegs || s.legs[name] != (entered{}):
			s.legs[name] = entered{e.To, e.At}
		}
	}
}

// see returns the record of an agent; nil if there are too many.
func (a *agents) see(contactCenter, id, name string, at time.Time) *seen {
	p := person{contactCenter, id}
	s := a.seen[p]
	if s == nil {
		if len(a.seen) >= maxAgents || a.count[contactCenter] >= maxAgentsOf {
			return nil
		}
		s = &seen{legs: map[client.Name]entered{}}
		a.seen[p] = s
		a.count[contactCenter]++
	}
	s.name, s.last = cmp.Or(name, s.name), at
	return s
}

// sweep forgets agents who took part in nothing in the window, unless they have legs. Legs of
// interactions that have ended without a notice are forgotten with them a day later.
func (a *agents) sweep(now time.Time, window time.Duration) {
	a.swept = now
	for p, s := range a.seen {
		limit := window
		if len(s.legs) > 0 {
			limit = max(window, 24*time.Hour)
		}
		if now.Sub(s.last) <= limit {
			continue
		}
		delete(a.seen, p)
		if a.count[p.contactCenter]--; a.count[p.contactCenter] == 0 {
			delete(a.count, p.contactCenter)
		}
	}
}

// agentsOf returns the agents who have an open leg, offers too.
func agentsOf(s *contract.State) []interaction.Agent {
	list := slices.Clone(s.OfferedTo)
	for i := range s.Participants {
		if agent := s.Participants[i].Agent; agent != nil {
			list = append(list, *agent)
		}
	}
	return list
}

// Agents returns the agents of a contact center by id: those who have an open leg, and those who took
// part in an interaction in the window and have none now.
func (b *Board) Agents(contactCenter string) []Agent {
	found := map[string]*Agent{}
	for _, e := range b.index.List(contactCenter, nil) {
		legsOf(e.State, found)
	}
	b.complete(contactCenter, found)
	sorted := slices.SortedFunc(maps.Values(found), func(x, y *Agent) int { return cmp.Compare(x.ID, y.ID) })
	list := make([]Agent, len(sorted))
	for i, agent := range sorted {
		list[i] = *agent
	}
	return list
}

// legsOf adds the legs of an open interaction to its agents.
func legsOf(s *contract.State, to map[string]*Agent) {
	add := func(agent *interaction.Agent, l Leg) {
		a := to[agent.ID]
		if a == nil {
			a = &Agent{ID: agent.ID}
			to[agent.ID] = a
		}
		a.Name = cmp.Or(a.Name, agent.Name)
		l.Interaction, l.Channel, l.Queue = s.ID, s.Channel, s.Queue
		a.Legs = append(a.Legs, l)
	}
	for i := range s.Participants {
		if p := &s.Participants[i]; p.Agent != nil {
			add(p.Agent, Leg{State: string(p.Segment), Role: p.Role, Held: p.Held})
		}
	}
	for i := range s.OfferedTo {
		add(&s.OfferedTo[i], Leg{State: string(interaction.SegmentOffered)})
	}
}

// complete adds what is remembered: times, names, and the agents who are idle now.
func (b *Board) complete(contactCenter string, found map[string]*Agent) {
	begin := time.Now().Add(-b.config.Current().Board.Window)
	b.mu.Lock()
	defer b.mu.Unlock()
	for p, s := range b.agents.seen {
		if p.contactCenter == contactCenter && found[p.id] == nil && s.last.After(begin) {
			found[p.id] = &Agent{ID: p.id, State: Idle, Since: s.last}
		}
	}
	for id, agent := range found {
		s := b.agents.seen[person{contactCenter, id}]
		if s != nil {
			agent.Name = cmp.Or(agent.Name, s.name)
		}
		agent.settle(contactCenter, s)
	}
}

// settle gives the legs their times, and the agent the state of the most important one.
func (a *Agent) settle(contactCenter string, s *seen) {
	for i := range a.Legs {
		l := &a.Legs[i]
		if s != nil {
			in := s.legs[client.Name{ContactCenter: contactCenter, ID: l.Interaction}]
			if l.Role == "" && in.segment == interaction.SegmentPreview {
				l.State = string(interaction.SegmentPreview)
			}
			if string(in.segment) == l.State {
				l.Since = in.at
			}
		}
		switch {
		case a.State == "" || rank(l.State) < rank(a.State):
			a.State, a.Since = l.State, l.Since
		case l.State == a.State && l.Since.Before(a.Since):
			a.Since = l.Since
		}
	}
}
