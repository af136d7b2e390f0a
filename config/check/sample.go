package check

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"segue/expr"
	"segue/interaction"
	"segue/trigger"
)

// sampleTime is when every sample happens, so that reports can be compared.
var sampleTime = time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)

// sampleFault are the fields of a fault.
var sampleFault = map[string]any{"call": "crm", "class": "gone", "code": 410.0, "delivery": "msg_sample_of_crm", "of": "interaction_starts"}

// sample returns an interaction and its event on an occasion, made of sample data: it has
// what an interaction may have on that occasion, and each key of open data that the call
// uses has its own name as its value.
func sample(o trigger.Occasion, uses []string) (*interaction.View, *interaction.Event) {
	if o.Moment.IsForOperators() {
		return sampleOfAlert(o.Moment)
	}
	s := newSampleData(o)
	s.addTimes()
	s.addAgents()
	s.addDisposition()
	s.addEnd()
	s.addSegment()
	for _, use := range uses {
		s.addOpenData(use)
	}
	if o.Moment == interaction.MomentFault {
		maps.Copy(s.event.Fields, sampleFault)
	}
	return s.view, s.event
}

// sampleData is the sample of one occasion.
type sampleData struct {
	occasion trigger.Occasion
	view     *interaction.View
	event    *interaction.Event
}

func newSampleData(o trigger.Occasion) *sampleData {
	s := &sampleData{
		occasion: o,
		view: &interaction.View{
			Interaction: interaction.Facts{ID: "sample-1", ContactCenter: "default", Channel: o.Channel,
				Direction: "inbound", State: interaction.StateHandling, BusinessProcess: "retail", Queue: "sales",
				ANI: "+15550100123", DNIS: "+15550100999", NativeID: "native-1", Parent: "sample-0",
				Workbin: "follow-up", Customer: map[string]any{"id": "customer-1", "name": "Grace Sample"}, StartedAt: sampleTime},
			UserData: map[string]any{}, Survey: map[string]any{},
			Durations: interaction.Durations{Queue: 12, Offer: 4, Handle: 95, Hold: 8, WrapUp: 20, Total: 131},
		},
		event: &interaction.Event{Sequence: 3, Moment: o.Moment, At: after(120), Queue: "sales", Fields: map[string]any{}},
	}
	if o.Channel == interaction.ChannelOutbound {
		s.view.Interaction.Direction, s.view.Interaction.Destination = "outbound", "+15550100123"
	}
	return s
}

// after is so many seconds after the start of the sample.
func after(seconds int) time.Time { return sampleTime.Add(time.Duration(seconds) * time.Second) }

// has reports whether something has a value on the occasion without further conditions.
func (s *sampleData) has(known expr.Known) bool {
	never, onlyIf := availability(s.occasion, known)
	return !never && onlyIf == ""
}

// addTimes adds when the interaction was queued, connected and disconnected.
func (s *sampleData) addTimes() {
	facts := &s.view.Interaction
	if s.has(expr.KnownQueue) {
		facts.EnqueuedAt = after(2)
	}
	if s.has(expr.KnownDequeue) {
		facts.DequeuedAt = after(14)
	}
	if s.has(expr.KnownConnect) {
		facts.ConnectedAt = after(16)
		s.event.Session = &interaction.Session{ConnectedAt: after(16)}
	}
	if in(s.occasion.Moment, hangingUp, disposing) || strings.HasSuffix(string(s.occasion.Moment), "_term") {
		facts.DisconnectedAt = after(111)
		s.event.Session = &interaction.Session{ConnectedAt: after(16), EndedAt: after(111)}
	}
}

func (s *sampleData) addAgents() {
	if s.has(expr.KnownAgent) {
		s.view.Agent = &interaction.Agent{ID: "agent-7", Name: "Ada Sample"}
		s.event.Agent = s.view.Agent
	}
	if s.has(expr.KnownPrevious) {
		s.view.PreviousAgent = &interaction.Agent{ID: "agent-3", Name: "Bob Sample"}
		s.event.PreviousAgent = s.view.PreviousAgent
	}
}

// addDisposition adds the disposition that the trigger waits for, or any.
func (s *sampleData) addDisposition() {
	if code := s.occasion.Disposition; code != "" || s.has(expr.KnownDisposition) {
		s.view.Disposition = &interaction.Disposition{Code: cmp.Or(code, "SOLD"), Notes: "sample notes", Agent: "agent-7", At: after(125)}
	}
}

func (s *sampleData) addEnd() {
	if s.occasion.Moment != interaction.MomentInteractionEnds {
		return
	}
	facts, end := &s.view.Interaction, after(131)
	facts.State, facts.Outcome, facts.EndedAt = interaction.StateCompleted, interaction.OutcomeHandled, &end
}

func (s *sampleData) addSegment() {
	if o := s.occasion; o.Moment == interaction.MomentSegmentChange {
		s.event.Segment, s.event.Leg, s.event.From, s.event.To = o.Segment, o.Leg, o.From, o.Segment
	}
}

// addOpenData adds what a call uses if it is open data, which any platform may send.
func (s *sampleData) addOpenData(use string) {
	if !s.has(expr.KnownFrom(use)) {
		return
	}
	variable, name, _ := strings.Cut(use, ".")
	value := "<" + name + ">"
	switch variable {
	case "user_data":
		s.view.UserData[name] = value
	case "survey":
		name = cmp.Or(name, "question")
		s.view.Survey[name] = "<" + name + ">"
	case "agent":
		addToAgent(s.view.Agent, variable, name, value)
	case "previous_agent":
		addToAgent(s.view.PreviousAgent, variable, name, value)
	case "event":
		s.addToEvent(name, value)
	default:
		if element, ok := strings.CutPrefix(use, "#"); ok {
			s.view.UserData[element] = "<" + element + ">"
		}
	}
}

// addToAgent adds a field that only the platform knows; the others are there already.
func addToAgent(agent *interaction.Agent, variable, name, value string) {
	if agent == nil || name == "" || slices.Contains(expr.Fields(variable), name) {
		return
	}
	if agent.Fields == nil {
		agent.Fields = map[string]any{}
	}
	agent.Fields[name] = value
}

// addToEvent adds a field of the command.
func (s *sampleData) addToEvent(name, value string) {
	switch name {
	case "segment", "leg": // the event's own
	case "ixnProfile", "cancelData":
		s.event.Fields[name] = map[string]any{"visitID": "visit-1", "pageID": "page-1"}
	case "to_agent":
		s.event.Fields[name] = map[string]any{"id": "agent-9", "name": "Eve Sample"}
	default:
		s.event.Fields[name] = value
	}
}
