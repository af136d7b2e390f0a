package parts_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/gateway/parts"
	"segue/interaction"
)

func TestThePartOfAnAgent(t *testing.T) {
	leg := func(agent string, role string, segment interaction.Segment, held bool) interaction.Participant {
		return interaction.Participant{Agent: &interaction.Agent{ID: agent}, Role: role, Segment: segment, Held: held}
	}
	const owner, member, wrapUp = interaction.ParticipantOwner, "", interaction.ParticipantWrapUp
	for name, row := range map[string]struct {
		state   interaction.State
		legs    []interaction.Participant
		offered []interaction.Agent
		want    parts.Leg
	}{
		"none":                    {want: parts.Leg{}},
		"another's":               {legs: []interaction.Participant{leg("bob", owner, interaction.SegmentHandling, false)}},
		"assigned":                {legs: []interaction.Participant{leg("ann", owner, "", false)}, want: parts.Leg{Part: parts.Assigned}},
		"offered":                 {offered: []interaction.Agent{{ID: "ann"}}, want: parts.Leg{Part: parts.Offered}},
		"dialing":                 {state: interaction.StateDialing, legs: []interaction.Participant{leg("ann", owner, interaction.SegmentHandling, false)}, want: parts.Leg{Part: parts.Dialing}},
		"handling, held":          {legs: []interaction.Participant{leg("ann", owner, interaction.SegmentHandling, true)}, want: parts.Leg{Part: parts.Handling, Held: true}},
		"composing":               {state: interaction.StateComposing, legs: []interaction.Participant{leg("ann", owner, interaction.SegmentHandling, false)}, want: parts.Leg{Part: parts.Composing}},
		"consulting":              {legs: []interaction.Participant{leg("ann", owner, interaction.SegmentConsulting, false)}, want: parts.Leg{Part: parts.Consulting}},
		"consulted":               {legs: []interaction.Participant{leg("ann", member, interaction.SegmentConsulting, false)}, want: parts.Leg{Part: parts.Consulted}},
		"conference":              {legs: []interaction.Participant{leg("ann", member, interaction.SegmentInConference, false)}, want: parts.Leg{Part: parts.Conference}},
		"wrap-up and a new offer": {legs: []interaction.Participant{leg("ann", wrapUp, "", true)}, offered: []interaction.Agent{{ID: "ann"}}, want: parts.Leg{Part: parts.Offered}},
		"wrap-up":                 {legs: []interaction.Participant{leg("ann", wrapUp, "", false)}, want: parts.Leg{Part: parts.WrapUp}},
	} {
		t.Run(name, func(t *testing.T) {
			state := &contract.State{}
			state.State, state.Participants, state.OfferedTo = row.state, row.legs, row.offered
			require.Equal(t, row.want, parts.Of(state, "ann"))
			require.Equal(t, row.want.Part == parts.Assigned || row.want.Part == parts.Offered, row.want.Part.IsInvited())
			require.Equal(t, parts.Leg{}, parts.Of(state, ""), "nobody has a part")
			require.False(t, parts.Owns(state, "ann"))
			state.Agent = &interaction.Agent{ID: "ann"}
			require.True(t, parts.Owns(state, "ann"))
			require.False(t, parts.Owns(state, ""))
		})
	}
}
