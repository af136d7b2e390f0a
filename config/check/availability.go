package check

import (
	"fmt"
	"slices"
	"strings"

	"segue/expr"
	"segue/interaction"
	"segue/request"
	"segue/trigger"
)

// The moments by what has happened before them.
var (
	atStart   = []interaction.Moment{interaction.MomentInteractionStarts, "cloud_routing.start"}
	inQueue   = []interaction.Moment{interaction.MomentAgentNeeded, "chat.new"}
	atContact = []interaction.Moment{"inbound.agent_connect", "outbound.agent_connect", "chat.agent_connect", "cloud_routing.connect"}
	hangingUp = []interaction.Moment{"inbound.call_end", "outbound.call_end", "chat.end", "cloud_routing.end", "track_number.call_end"}
	agentless = []interaction.Moment{"cloud_routing.connect", "cloud_routing.end", "track_number.call_end", interaction.MomentEngage, interaction.MomentNoEngage}
	disposing = []interaction.Moment{"inbound.disposition", "outbound.disposition", "chat.disposition", interaction.MomentInteractionEnds,
		interaction.MomentUserDataChanged, interaction.MomentSurvey}
)

func in(moment interaction.Moment, groups ...[]interaction.Moment) bool {
	return slices.ContainsFunc(groups, func(g []interaction.Moment) bool { return slices.Contains(g, moment) })
}

// availability reports when something has a value on an occasion: never, or only if a
// condition holds. Both results are zero for what may well have one.
func availability(o trigger.Occasion, known expr.Known) (never bool, onlyIf string) {
	moment := o.Moment
	if startsChannel(o) {
		moment = interaction.MomentInteractionStarts
	}
	switch known {
	case expr.KnownQueue, expr.KnownPrevious, expr.KnownConnect, expr.KnownSurvey:
		never = in(moment, atStart)
	case expr.KnownDequeue, expr.KnownDisconnect:
		never = in(moment, atStart, inQueue)
	case expr.KnownSegment:
		never = o.Moment != interaction.MomentSegmentChange
	case expr.KnownTones:
		never = !strings.HasSuffix(string(moment), ".dtmf")
	case expr.KnownQueueEvent:
		never = !strings.HasSuffix(string(moment), ".queue_event")
	case expr.KnownFault:
		if o.Moment != interaction.MomentFault && !o.Moment.IsForOperators() {
			onlyIf = "the command that fires it has a field of that name"
		}
	case expr.KnownAgent:
		never = in(moment, inQueue)
		switch {
		case in(o.Moment, atStart):
			onlyIf = "the start names an agent"
		case in(moment, agentless):
			onlyIf = "the platform assigned an agent"
		}
	case expr.KnownDisposition:
		never = in(moment, atStart)
		if !never && moment != interaction.MomentSegmentChange && !in(moment, disposing) {
			onlyIf = "an agent has given a disposition before"
		}
	case expr.KnownEnd:
		never = in(moment, atStart, inQueue, atContact)
		if in(moment, hangingUp) {
			onlyIf = "no agent wraps up"
		}
	}
	return never, onlyIf
}

// startsChannel reports whether a segment_change is that of the interaction's start.
func startsChannel(o trigger.Occasion) bool {
	return o.Moment == interaction.MomentSegmentChange && o.Segment == interaction.SegmentInteractionStarts && o.Leg == interaction.LegChannel
}

// unavailable describes what a call uses although it has no value on an occasion, or has
// one only under a condition, and what the call then does.
func unavailable(o trigger.Occasion, uses []string, missing request.Missing) []string {
	var never, conditions []string
	conditional := map[string][]string{} // what has a value only under a condition
	if o.Moment.IsForOperators() {
		never, uses = lackingInAlert(uses), nil
	}
	for _, use := range uses {
		isNever, onlyIf := availability(o, expr.KnownFrom(use))
		switch {
		case isNever:
			never = append(never, written(use))
		case onlyIf != "":
			if conditional[onlyIf] == nil {
				conditions = append(conditions, onlyIf)
			}
			conditional[onlyIf] = append(conditional[onlyIf], written(use))
		}
	}
	var list []string
	if len(never) > 0 {
		list = append(list, fmt.Sprintf("no value at this moment for %s: it %s (missing: %s)", strings.Join(never, ", "), consequence[missing], missing))
	}
	for _, condition := range conditions {
		list = append(list, fmt.Sprintf("a value for %s only if %s; otherwise it %s (missing: %s)",
			strings.Join(conditional[condition], ", "), condition, consequence[missing], missing))
	}
	return list
}

// consequence is what happens to a value that does not exist.
var consequence = map[request.Missing]string{
	request.MissingEmpty: "is sent empty",
	request.MissingOmit:  "is left out",
	request.MissingNull:  "is sent as null, or empty where there is no null",
	request.MissingPark:  "parks the delivery",
}

// written is something that a call uses, as the call writes it.
func written(use string) string {
	if strings.HasPrefix(use, "#") {
		return use + "#"
	}
	return use
}
