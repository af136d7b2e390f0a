package trigger

import (
	"slices"
	"strings"

	"segue/interaction"
)

// moments are the moments of an interaction, the failure of a call, and the moments for
// operators.
var moments = append(interaction.AllMoments(), interaction.MomentFault,
	interaction.MomentDeliveryFailing, interaction.MomentDeliveryParked, interaction.MomentBreakerOpen, interaction.MomentReceiverRecovered)

const (
	onChannel = interaction.LegChannel
	onProcess = interaction.LegBusinessProcess
	onAgent   = interaction.LegAgent
)

// legs are the three kinds of leg.
var legs = []interaction.Leg{onChannel, onProcess, onAgent}

// segments are the segments and the legs that may enter them, in the order of the ECS
// documentation.
var segments = []struct {
	name interaction.Segment
	legs []interaction.Leg
}{
	{interaction.SegmentInteractionStarts, legs},
	{interaction.SegmentOffered, legs},
	{interaction.SegmentAgentSelecting, []interaction.Leg{onProcess}},
	{interaction.SegmentConsulting, []interaction.Leg{onAgent}},
	{interaction.SegmentInConference, []interaction.Leg{onAgent}},
	{interaction.SegmentHandling, legs},
	{interaction.SegmentWrapUp, []interaction.Leg{onAgent}},
	{interaction.SegmentDialing, []interaction.Leg{onChannel}},
	{interaction.SegmentRejected, []interaction.Leg{onAgent}},
	{interaction.SegmentOverflow, []interaction.Leg{onProcess}},
	{interaction.SegmentMissed, []interaction.Leg{onAgent}},
	{interaction.SegmentPreview, []interaction.Leg{onAgent}},
	{interaction.SegmentInteractionEnds, legs},
	{interaction.SegmentAbandoned, []interaction.Leg{onProcess, onChannel}},
	{interaction.SegmentHandled, []interaction.Leg{onProcess, onChannel}},
}

// Moments returns every moment that a trigger can name, those of an interaction first.
func Moments() []interaction.Moment { return slices.Clone(moments) }

// Segments returns the segments as a filter names them: name.leg for those on three legs,
// the name alone for others.
func Segments() []string {
	var names []string
	for _, s := range segments {
		if len(s.legs) < len(legs) {
			names = append(names, string(s.name))
			continue
		}
		for _, leg := range legs {
			names = append(names, string(s.name)+"."+string(leg))
		}
	}
	return names
}

// Stages returns everything that a filter on segments accepts: each segment alone, and on
// each of its legs.
func Stages() []string {
	var names []string
	for _, s := range segments {
		names = append(names, string(s.name))
		for _, leg := range s.legs {
			names = append(names, string(s.name)+"."+string(leg))
		}
	}
	return names
}

// Legs returns the three kinds of leg.
func Legs() []interaction.Leg { return slices.Clone(legs) }

// stage is a segment that a filter names. Without a leg it is that segment on any leg.
type stage struct {
	segment interaction.Segment
	leg     interaction.Leg
}

func (s stage) matches(segment interaction.Segment, leg interaction.Leg) bool {
	return s.segment == segment && (s.leg == "" || s.leg == leg)
}

// parseStage reads "handling.agent" or "wrap_up".
func parseStage(text string) (stage, bool) {
	name, leg, dotted := strings.Cut(text, ".")
	for _, s := range segments {
		if string(s.name) != name {
			continue
		}
		if dotted && !slices.Contains(s.legs, interaction.Leg(leg)) {
			return stage{}, false
		}
		return stage{s.name, interaction.Leg(leg)}, true
	}
	return stage{}, false
}

// slotChannel returns the channel that the name of a moment begins with, and "" if there is
// none.
func slotChannel(when interaction.Moment) interaction.Channel {
	prefix, _, dotted := strings.Cut(string(when), ".")
	if dotted && slices.Contains(interaction.Channels(), interaction.Channel(prefix)) {
		return interaction.Channel(prefix)
	}
	return ""
}
