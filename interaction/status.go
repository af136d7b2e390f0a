package interaction

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Status is the answer to the query "state".
type Status struct {
	Facts
	Agent         *Agent        `json:"agent,omitempty"`
	PreviousAgent *Agent        `json:"previous_agent,omitempty"`
	Participants  []Participant `json:"participants"`
	OfferedTo     []Agent       `json:"offered_to"`
	Children      []string      `json:"children,omitempty"`
	// EndedBy is what ended the interaction: a command, a timer, or a cancellation of its workflow.
	EndedBy      string         `json:"ended_by,omitempty"`
	Sequence     int64          `json:"sequence"`
	Capabilities []string       `json:"capabilities"`
	UserData     map[string]any `json:"user_data"`
	Disposition  *Disposition   `json:"disposition,omitempty"`
	Survey       map[string]any `json:"survey,omitempty"`
	Engagement   *Engagement    `json:"engagement,omitempty"`
	Signals      []Signal       `json:"signals"`
}

// The roles of a participant.
const (
	ParticipantOwner      = "owner"
	ParticipantAssigned   = "assigned"
	ParticipantConsulted  = "consulted"
	ParticipantConference = "conference"
	ParticipantWrapUp     = "wrap_up"
)

// Participant is an agent who takes part, or an outside party.
type Participant struct {
	Agent   *Agent  `json:"agent,omitempty"`
	Party   string  `json:"party,omitempty"`
	Role    string  `json:"role"`
	Segment Segment `json:"segment"`
	Held    bool    `json:"held"`
}

// Status returns the interaction as the query "state" shows it, with the capabilities of the
// platform.
func (i *Interaction) Status() Status { return i.StatusFor(Actor{Role: RolePlatform}) }

// StatusFor returns the status with the capabilities of an actor.
func (i *Interaction) StatusFor(actor Actor) Status {
	r := &i.r
	status := Status{
		Facts: r.Facts, Agent: r.agent(r.Owner), PreviousAgent: r.previous(r.Owner), Participants: r.participants(),
		OfferedTo: []Agent{}, Children: r.Children, EndedBy: r.EndedBy, Sequence: r.Sequence, Capabilities: i.CapabilitiesFor(actor), UserData: r.UserData,
		Disposition: r.Disposition, Survey: r.Survey, Engagement: r.Engagement, Signals: append([]Signal{}, r.Signals...),
	}
	for _, l := range r.agentLegs(r.offered) {
		status.OfferedTo = append(status.OfferedTo, *r.agent(l.Agent))
	}
	if status.UserData == nil {
		status.UserData = map[string]any{}
	}
	return status
}

// Present lists the agents with an open leg, each once: the owner first, then the others, the
// longest present first. An offer and a wrap-up are open legs, too.
func (i *Interaction) Present() []string {
	var agents []string
	if i.r.first(ofAgent(i.r.Owner)) != nil {
		agents = append(agents, i.r.Owner)
	}
	for _, l := range i.r.agentLegs() {
		agents = withAgent(agents, l.Agent)
	}
	return agents
}

// Involved lists the agents who have or had a leg, each once: the owner first, then those
// with an open leg, then the others, the latest first.
func (i *Interaction) Involved() []string {
	var agents []string
	if i.r.Owner != "" {
		agents = append(agents, i.r.Owner)
	}
	for _, id := range i.Present() {
		agents = withAgent(agents, id)
	}
	for _, k := range slices.Backward(i.r.Agents) {
		agents = withAgent(agents, k.Agent.ID)
	}
	return agents
}

// withAgent adds an agent to a list that names each agent once.
func withAgent(agents []string, id string) []string {
	if slices.Contains(agents, id) {
		return agents
	}
	return append(agents, id)
}

func (r *record) participants() []Participant {
	participants := []Participant{}
	for _, l := range r.agentLegs() {
		if !r.offered(l) {
			participants = append(participants, Participant{Agent: r.agent(l.Agent), Role: r.roleOf(l), Segment: l.Segment, Held: l.Held})
		}
	}
	for _, p := range r.Parties {
		participants = append(participants, Participant{Party: p.Number, Role: roleIn(p.Segment), Segment: p.Segment})
	}
	return participants
}

func (r *record) roleOf(l *leg) string {
	if wrapping(l) {
		return ParticipantWrapUp
	}
	if l.Agent == r.Owner {
		return ParticipantOwner
	}
	return roleIn(l.Segment)
}

func roleIn(segment Segment) string {
	switch segment {
	case SegmentConsulting:
		return ParticipantConsulted
	case SegmentInConference:
		return ParticipantConference
	}
	return ParticipantAssigned
}

// Facts returns the current facts of the interaction.
func (i *Interaction) Facts() Facts { return i.r.Facts }

// View returns what expressions see of the interaction at a time.
func (i *Interaction) View(now time.Time) View { return i.r.view(now.UTC()) }

func (r *record) view(now time.Time) View {
	return View{
		Interaction: r.Facts, Agent: r.agent(r.Owner), PreviousAgent: r.previous(r.Owner), UserData: r.UserData,
		Disposition: r.Disposition, Survey: r.Survey, Durations: r.durations(now),
	}
}

// Span is one segment of one leg, as the query "timeline" shows it.
type Span struct {
	Segment Segment `json:"segment"`
	Leg     Leg     `json:"leg"`
	From    Segment `json:"from,omitempty"`
	// Agent is the id of the leg's agent.
	Agent string    `json:"agent,omitempty"`
	Queue string    `json:"queue,omitempty"`
	Start time.Time `json:"start"`
	// End is nil while the leg is in the segment.
	End *time.Time `json:"end,omitempty"`
}

func (l *leg) span() Span {
	return Span{Segment: l.Segment, Leg: l.Kind, From: l.From, Agent: l.Agent, Queue: l.Queue, Start: l.Since}
}

// Timeline lists segments in the order in which they were entered: all open ones, and the
// last 1,000 that have ended.
func (i *Interaction) Timeline() []Span {
	entries := slices.Clone(i.r.Closed)
	for _, l := range i.r.Legs {
		entries = append(entries, entry{Span: l.span(), Entry: l.Entry})
	}
	slices.SortFunc(entries, func(a, b entry) int { return int(a.Entry - b.Entry) })
	spans := make([]Span, len(entries))
	for n, e := range entries {
		spans[n] = e.Span
	}
	return spans
}

// MarshalJSON writes the signal as one flat object, p1 … p20 beside its name.
func (g Signal) MarshalJSON() ([]byte, error) {
	flat := map[string]string{}
	maps.Copy(flat, g.Params)
	flat["name"] = g.Name
	if g.Tooltip != "" {
		flat["tooltip"] = g.Tooltip
	}
	return json.Marshal(flat)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (g *Signal) UnmarshalJSON(data []byte) error {
	var flat map[string]any
	if err := json.Unmarshal(data, &flat); err != nil {
		return err
	}
	*g = payload(flat).signal()
	return nil
}

// Sequence returns the number of the last event; 0 before the first.
func (i *Interaction) Sequence() int64 { return i.r.Sequence }
