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

// sampleTime is when every sample happens, so that reports compare.
var sampleTime = time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)

// sampleFault are the fields of a fault.
var sampleFault = map[string]any{"call": "crm", "class": "gone", "code": 410.0, "delivery": "msg_sample_of_crm", "of": "interaction_starts"}

// sample makes up an interaction on an occasion: what may be known then is there,
// and open data that the call asks for is text that names it.
func sample(o trigger.Occasion, uses []string) (*interaction.View, *interaction.Event) {
	if o.Moment.IsForOperators() {
		return sampleOfAlert(o.Moment)
	}
	may := func(known expr.Known) bool {
		never, only := availability(o, known)
		return !never && only == ""
	}
	view := &interaction.View{
		Interaction: interaction.Facts{ID: "sample-1", ContactCenter: "default", Channel: o.Channel,
			Direction: "inbound", State: interaction.StateHandling, BusinessProcess: "retail", Queue: "sales",
			ANI: "+15550100123", DNIS: "+15550100999", NativeID: "native-1", Parent: "sample-0",
			Workbin: "follow-up", Customer: map[string]any{"id": "customer-1", "name": "Grace Sample"}, StartedAt: sampleTime},
		UserData: map[string]any{}, Survey: map[string]any{},
		Durations: interaction.Durations{Queue: 12, Offer: 4, Handle: 95, Hold: 8, WrapUp: 20, Total: 131},
	}
	facts := &view.Interaction
	if o.Channel == interaction.ChannelOutbound {
		facts.Direction, facts.Destination = "outbound", "+15550100123"
	}
	event := &interaction.Event{Sequence: 3, Moment: o.Moment, At: sampleTime.Add(2 * time.Minute), Queue: "sales", Fields: map[string]any{}}
	at := func(seconds int) time.Time { return sampleTime.Add(time.Duration(seconds) * time.Second) }
	if may(expr.KnownQueue) {
		facts.EnqueuedAt = at(2)
	}
	if may(expr.KnownDequeue) {
		facts.DequeuedAt = at(14)
	}
	if may(expr.KnownAgent) {
		view.Agent = &interaction.Agent{ID: "agent-7", Name: "Ada Sample"}
		event.Agent = view.Agent
	}
	if may(expr.KnownPrevious) {
		view.PreviousAgent = &interaction.Agent{ID: "agent-3", Name: "Bob Sample"}
		event.PreviousAgent = view.PreviousAgent
	}
	if may(expr.KnownConnect) {
		facts.ConnectedAt = at(16)
		event.Session = &interaction.Session{ConnectedAt: at(16)}
	}
	if in(o.Moment, hangingUp, disposing) || strings.HasSuffix(string(o.Moment), "_term") {
		facts.DisconnectedAt = at(111)
		event.Session = &interaction.Session{ConnectedAt: at(16), EndedAt: at(111)}
	}
	if may(expr.KnownDisposition) || o.Disposition != "" {
		view.Disposition = &interaction.Disposition{Code: cmp.Or(o.Disposition, "SOLD"), Notes: "sample notes", Agent: "agent-7", At: at(125)}
	}
	if o.Moment == interaction.MomentInteractionEnds {
		end := at(131)
		facts.State, facts.Outcome, facts.EndedAt = interaction.StateCompleted, interaction.OutcomeHandled, &end
	}
	if o.Moment == interaction.MomentSegmentChange {
		event.Segment, event.Leg, event.From, event.To = o.Segment, o.Leg, o.From, o.Segment
	}
	for _, use := range uses {
		variable, name, _ := strings.Cut(use, ".")
		if variable == "survey" && name == "" {
			name = "question"
		}
		value := any("<" + name + ">")
		if !may(expr.KnownFrom(use)) {
			continue
		}
		switch variable {
		case "user_data":
			view.UserData[name] = value
		case "survey":
			view.Survey[name] = value
		case "agent", "previous_agent":
			person := view.Agent
			if variable == "previous_agent" {
				person = view.PreviousAgent
			}
			if person != nil && name != "" && !slices.Contains(expr.Fields(variable), name) {
				if person.Fields == nil {
					person.Fields = map[string]any{}
				}
				person.Fields[name] = value
			}
		case "event":
			switch name {
			case "ixnProfile", "cancelData":
				value = map[string]any{"visitID": "visit-1", "pageID": "page-1"}
			case "to_agent":
				value = map[string]any{"id": "agent-9", "name": "Eve Sample"}
			}
			if name != "segment" && name != "leg" {
				event.Fields[name] = value
			}
		default:
			if tag, ok := strings.CutPrefix(use, "#"); ok {
				view.UserData[tag] = "<" + tag + ">"
			}
		}
	}
	if o.Moment == interaction.MomentFault {
		maps.Copy(event.Fields, sampleFault)
	}
	return view, event
}
