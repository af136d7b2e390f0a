package trigger

import (
	"cmp"
	"slices"

	"segue/interaction"
)

// Occasion is an example of an event that a trigger fires at.
type Occasion struct {
	Moment interaction.Moment
	// Channel is empty at a moment for operators, which belongs to no interaction.
	Channel interaction.Channel
	// Segment, Leg and From are those of a segment_change.
	Segment interaction.Segment
	Leg     interaction.Leg
	From    interaction.Segment
	// Disposition is the code that the trigger waits for, if any.
	Disposition string
}

// Occasions returns one example for each moment of the trigger and, if its filters name
// segments, for each of these.
func (s Spec) Occasions() []Occasion {
	var list []Occasion
	for _, w := range s.Moments {
		when := interaction.Moment(w)
		if s.never(when) != "" {
			continue
		}
		o := Occasion{Moment: when, Channel: s.channelAt(when)}
		if len(s.Dispositions) > 0 {
			o.Disposition = s.Dispositions[0]
		}
		if when != interaction.MomentSegmentChange {
			list = append(list, o)
			continue
		}
		changes := s.changes()
		if len(changes) == len(everyChange()) {
			changes = []change{{leg: onAgent, to: interaction.SegmentHandling}}
		}
		for _, c := range changes {
			o.Leg, o.Segment, o.From = c.leg, c.to, cmp.Or(c.from, usuallyAfter[c.to])
			list = append(list, o)
		}
	}
	return slices.Compact(list)
}

// channelAt returns the channel of a moment, else the first that the trigger names.
func (s Spec) channelAt(when interaction.Moment) interaction.Channel {
	if when.IsForOperators() {
		return ""
	}
	if channel := slotChannel(when); channel != "" || len(s.Channels) == 0 {
		return cmp.Or(channel, interaction.ChannelInbound)
	}
	return interaction.Channel(s.Channels[0])
}

// usuallyAfter is the segment that most often precedes another.
var usuallyAfter = map[interaction.Segment]interaction.Segment{
	interaction.SegmentOffered:         interaction.SegmentInteractionStarts,
	interaction.SegmentAgentSelecting:  interaction.SegmentInteractionStarts,
	interaction.SegmentDialing:         interaction.SegmentInteractionStarts,
	interaction.SegmentPreview:         interaction.SegmentInteractionStarts,
	interaction.SegmentHandling:        interaction.SegmentOffered,
	interaction.SegmentRejected:        interaction.SegmentOffered,
	interaction.SegmentMissed:          interaction.SegmentOffered,
	interaction.SegmentConsulting:      interaction.SegmentHandling,
	interaction.SegmentInConference:    interaction.SegmentHandling,
	interaction.SegmentWrapUp:          interaction.SegmentHandling,
	interaction.SegmentHandled:         interaction.SegmentHandling,
	interaction.SegmentInteractionEnds: interaction.SegmentHandling,
	interaction.SegmentOverflow:        interaction.SegmentAgentSelecting,
	interaction.SegmentAbandoned:       interaction.SegmentAgentSelecting,
}
