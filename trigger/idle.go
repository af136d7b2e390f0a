package trigger

import (
	"slices"
	"strings"

	"segue/interaction"
)

// Idle is a moment at which a trigger never fires, or rarely.
type Idle struct {
	Moment interaction.Moment
	// Why is why the trigger never fires at the moment. With Rarely, it fires only if the
	// platform does what the channel is not made for.
	Why    string
	Rarely bool
}

// begins are the moments at which an interaction has no history yet.
var begins = []interaction.Moment{interaction.MomentInteractionStarts, "cloud_routing.start"}

// Idles returns the moments of a trigger, in its order, at which its filters keep it from
// firing.
func (s Spec) Idles() []Idle {
	var idles []Idle
	for _, w := range s.Moments {
		when := interaction.Moment(w)
		if why := s.never(when); why != "" {
			idles = append(idles, Idle{Moment: when, Why: why})
		} else if why := s.rarely(when); why != "" {
			idles = append(idles, Idle{Moment: when, Why: why, Rarely: true})
		}
	}
	return idles
}

// never returns why the trigger never fires at a moment, and "" if it may.
func (s Spec) never(when interaction.Moment) string {
	channel := slotChannel(when)
	switch {
	case channel != "" && len(s.Channels) > 0 && !slices.Contains(s.Channels, string(channel)):
		return "it is a moment of " + string(channel) + ", and channels has only " + strings.Join(s.Channels, ", ")
	case slices.Contains(begins, when) && len(s.Dispositions) > 0:
		return "there is no disposition when an interaction starts"
	case when == interaction.MomentSegmentChange && len(s.changes()) == 0:
		return "no change of a leg matches segments, legs, from and to together"
	}
	return ""
}

// rarely returns why a trigger rarely fires: it waits for changes of agents' legs on
// channels that are handled without agents.
func (s Spec) rarely(when interaction.Moment) string {
	agentless := func(c string) bool {
		return c == string(interaction.ChannelCloudRouting) || c == string(interaction.ChannelTrackNumber)
	}
	ofAgents := func(c change) bool { return c.leg == onAgent }
	if when != interaction.MomentSegmentChange || len(s.Channels) == 0 || !all(s.Channels, agentless) || !all(s.changes(), ofAgents) {
		return ""
	}
	return strings.Join(s.Channels, ", ") + " is handled without an agent: it fires only if the platform assigns one"
}

func all[T any](list []T, holds func(T) bool) bool {
	return !slices.ContainsFunc(list, func(v T) bool { return !holds(v) })
}

// change is one way in which a leg changes its segment. An empty from is any segment.
type change struct {
	leg      interaction.Leg
	from, to interaction.Segment
}

// changes returns the changes that match the filters of the trigger, one for each leg and
// segment.
func (s Spec) changes() []change {
	segments, from, to := stagesOf(s.Segments), stagesOf(s.From), stagesOf(s.To)
	var list []change
	for _, c := range everyChange() {
		switch {
		case len(s.Legs) > 0 && !slices.Contains(s.Legs, string(c.leg)), !onStage(segments, c.to, c.leg), !onStage(to, c.to, c.leg):
			continue
		}
		if len(from) == 0 {
			list = append(list, c)
			continue
		}
		for _, f := range from {
			if f.matches(f.segment, c.leg) && follows(c.leg, f.segment, c.to) {
				list = append(list, change{c.leg, f.segment, c.to})
				break
			}
		}
	}
	return list
}

func stagesOf(values []string) []stage {
	var list []stage
	for _, v := range values {
		if s, ok := parseStage(v); ok {
			list = append(list, s)
		}
	}
	return list
}

// everyChange returns every segment on each leg that enters it.
func everyChange() []change {
	var list []change
	for _, s := range segments {
		for _, leg := range s.legs {
			list = append(list, change{leg: leg, to: s.name})
		}
	}
	return list
}

// follows reports whether a leg may go from one segment to the other. A leg begins with
// interaction_starts, ends with interaction_ends, and changes when it enters another
// segment.
func follows(leg interaction.Leg, from, to interaction.Segment) bool {
	has := slices.ContainsFunc(everyChange(), func(c change) bool { return c.leg == leg && c.to == from })
	return has && from != to && from != interaction.SegmentInteractionEnds && to != interaction.SegmentInteractionStarts
}
