package config

import (
	"slices"
	"strings"
	"time"

	"segue/interaction"
)

// sampleTime is when every sample happens, so that reports compare.
var sampleTime = time.Date(2026, 1, 15, 9, 30, 0, 0, time.UTC)

// beforeAgent lists the moments at which an interaction has no agent yet.
var beforeAgent = []interaction.When{interaction.WhenInteractionStarts, interaction.WhenAgentNeeded, interaction.WhenEngage,
	interaction.WhenNoEngage, "chat.new", "cloud_routing.start", "cloud_routing.connect", "cloud_routing.end", "track_number.call_end"}

// withDisposition lists the moments at which a disposition may be known.
var withDisposition = []interaction.When{interaction.WhenInteractionEnds, interaction.WhenSurvey, interaction.WhenUserDataChanged,
	"inbound.disposition", "outbound.disposition", "chat.disposition"}

// ended tells whether the interaction is over at a moment.
func ended(when interaction.When) bool { return when == interaction.WhenInteractionEnds }

// lacking lists what a call uses although it cannot have a value at a moment.
func lacking(when interaction.When, uses []string) []string {
	var list []string
	for _, use := range uses {
		variable, _, _ := strings.Cut(use, ".")
		switch {
		case variable == "agent" && slices.Contains(beforeAgent, when),
			variable == "previous_agent" && slices.Contains(beforeAgent, when),
			variable == "disposition" && !slices.Contains(withDisposition, when) && when != interaction.WhenSegmentChange,
			(use == "interaction.outcome" || use == "interaction.ended_at") && !ended(when) && !strings.HasSuffix(string(when), "end"),
			slices.Contains([]string{"event.segment", "event.leg", "event.from", "event.to"}, use) && when != interaction.WhenSegmentChange:
			list = append(list, use)
		}
	}
	return list
}

// sample makes up an interaction at a moment; open data that the call asks for is
// there, as text that names it.
func sample(when interaction.When, uses []string) (*interaction.View, *interaction.Event) {
	agent := &interaction.Agent{ID: "agent-7", Name: "Ada Sample"}
	view := &interaction.View{
		Interaction: interaction.Facts{ID: "sample-1", ContactCenter: "default", Channel: interaction.ChannelInbound,
			Direction: "inbound", State: interaction.StateHandling, BusinessProcess: "retail", Queue: "sales",
			ANI: "+15550100123", DNIS: "+15550100999", NativeID: "native-1", Parent: "sample-0",
			Workbin: "follow-up", Customer: map[string]any{"id": "customer-1", "name": "Grace Sample"}, StartedAt: sampleTime},
		UserData: map[string]any{}, Survey: map[string]any{},
		Durations: interaction.Durations{Queue: 12, Offer: 4, Handle: 95, Hold: 8, WrapUp: 20, Total: 131},
	}
	event := &interaction.Event{Sequence: 3, When: when, At: sampleTime.Add(2 * time.Minute), Queue: "sales", Fields: map[string]any{}}
	if channel, _, dotted := strings.Cut(string(when), "."); dotted && slices.Contains(channelNames(), channel) {
		view.Interaction.Channel = interaction.Channel(channel)
	}
	if !slices.Contains(beforeAgent, when) {
		view.Agent, event.Agent = agent, agent
		view.PreviousAgent = &interaction.Agent{ID: "agent-3", Name: "Bob Sample"}
		event.PreviousAgent = view.PreviousAgent
	}
	if slices.Contains(withDisposition, when) {
		view.Disposition = &interaction.Disposition{Code: "SOLD", Notes: "sample notes", Agent: "agent-7"}
	}
	if ended(when) {
		end := sampleTime.Add(131 * time.Second)
		view.Interaction.State, view.Interaction.Outcome, view.Interaction.EndedAt = interaction.StateCompleted, interaction.OutcomeHandled, &end
	}
	if when == interaction.WhenSegmentChange {
		event.Segment, event.Leg = interaction.SegmentHandling, interaction.LegAgent
		event.From, event.To = interaction.SegmentOffered, interaction.SegmentHandling
	}
	for _, use := range uses {
		variable, name, _ := strings.Cut(use, ".")
		value := any("<" + name + ">")
		switch variable {
		case "user_data":
			view.UserData[name] = value
		case "survey":
			view.Survey[name] = value
		case "event":
			if name == "ixnProfile" || name == "cancelData" {
				value = map[string]any{"visitID": "visit-1", "pageID": "page-1"}
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
	return view, event
}
