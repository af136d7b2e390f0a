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

// What is known at a moment: a call made too early has nothing to say yet.

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

func in(when interaction.Moment, groups ...[]interaction.Moment) bool {
	return slices.ContainsFunc(groups, func(g []interaction.Moment) bool { return slices.Contains(g, when) })
}

// availability tells whether something can have a value on an occasion: never, or only if
// what the text says; both empty for what may well be there.
func availability(o trigger.Occasion, known expr.Known) (never bool, only string) {
	when := o.Moment
	if when == interaction.MomentSegmentChange && o.Segment == interaction.SegmentInteractionStarts && o.Leg == interaction.LegChannel {
		when = interaction.MomentInteractionStarts // the same moment
	}
	switch known {
	case expr.KnownSegment:
		return when != interaction.MomentSegmentChange && o.Moment != interaction.MomentSegmentChange, ""
	case expr.KnownFault:
		if o.Moment != interaction.MomentFault && !o.Moment.IsForOperators() {
			return false, "the command that fires it has a field of that name"
		}
	case expr.KnownTones:
		return !strings.HasSuffix(string(when), ".dtmf"), ""
	case expr.KnownQueueEvent:
		return !strings.HasSuffix(string(when), ".queue_event"), ""
	case expr.KnownQueue:
		return in(when, atStart), ""
	case expr.KnownDequeue:
		return in(when, atStart, inQueue), ""
	case expr.KnownAgent:
		switch {
		case in(when, inQueue):
			return true, ""
		case in(o.Moment, atStart):
			return false, "the start names an agent"
		case in(when, agentless):
			return false, "the platform assigned an agent"
		}
	case expr.KnownPrevious, expr.KnownConnect, expr.KnownSurvey:
		return in(when, atStart), ""
	case expr.KnownDisconnect:
		return in(when, atStart, inQueue), ""
	case expr.KnownDisposition:
		switch {
		case in(when, atStart):
			return true, ""
		case when != interaction.MomentSegmentChange && !in(when, disposing):
			return false, "an agent gave it before"
		}
	case expr.KnownEnd:
		switch {
		case in(when, atStart, inQueue, atContact):
			return true, ""
		case in(when, hangingUp):
			return false, "nobody wraps up"
		}
	}
	return false, ""
}

// unavailable says in words what a call uses although it has no value on an occasion,
// or only at times, and what becomes of it.
func unavailable(o trigger.Occasion, uses []string, missing request.Missing) []string {
	var none, some []string
	reasons := map[string][]string{}
	if o.Moment.IsForOperators() {
		none, uses = lackingInAlert(uses), nil
	}
	for _, use := range uses {
		never, only := availability(o, expr.KnownFrom(use))
		switch {
		case never:
			none = append(none, spelled(use))
		case only != "":
			if reasons[only] == nil {
				some = append(some, only)
			}
			reasons[only] = append(reasons[only], spelled(use))
		}
	}
	var list []string
	if len(none) > 0 {
		list = append(list, fmt.Sprintf("no value then for %s: it %s (missing: %s)", strings.Join(none, ", "), fate[missing], missing))
	}
	for _, only := range some {
		list = append(list, fmt.Sprintf("a value for %s only if %s; else it %s (missing: %s)", strings.Join(reasons[only], ", "), only, fate[missing], missing))
	}
	return list
}

// fate is what becomes of a value that does not exist.
var fate = map[request.Missing]string{
	request.MissingEmpty: "goes out empty",
	request.MissingOmit:  "is left out",
	request.MissingNull:  "goes out as null, or empty where there is no null",
	request.MissingPark:  "parks the delivery",
}

// spelled is something that a call uses, as the call has it.
func spelled(use string) string {
	if strings.HasPrefix(use, "#") {
		return use + "#"
	}
	return use
}
