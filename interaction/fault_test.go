package interaction_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func TestAFaultFiresAnEventAndChangesNothingElse(t *testing.T) {
	s := opened(t, sales)
	s.do(talking...)
	before := s.i.Status()
	failure := interaction.Failure{Call: "crm", Class: "gone", Code: 410, Delivery: "msg_1", Of: interaction.MomentInteractionStarts}
	at := s.now.Add(time.Minute)
	turn := s.i.Fault(failure, at).Turn
	require.Len(t, turn.Events, 1)
	event := turn.Events[0]
	require.Equal(t, interaction.MomentFault, event.Moment)
	require.Equal(t, before.Sequence+1, event.Sequence)
	require.Equal(t, at, event.At)
	require.Equal(t, "a1", event.Agent.ID)
	require.Equal(t, map[string]any{"call": "crm", "class": "gone", "code": 410.0, "delivery": "msg_1", "of": "interaction_starts"}, event.Fields)
	require.Equal(t, interaction.StateHandling, turn.View.Interaction.State)
	after := s.i.Status()
	require.Equal(t, event.Sequence, after.Sequence)
	after.Sequence = before.Sequence
	require.Equal(t, before, after)
	require.Equal(t, event.Sequence+1, s.do(`dtmf {"digits":"1"}`).Turn.Events[0].Sequence)
}

func TestAFaultFiresAfterTheEnd(t *testing.T) {
	s := opened(t, sales)
	s.do(`abandon`)
	require.Len(t, s.i.Fault(interaction.Failure{Call: "crm", Of: interaction.MomentInteractionEnds}, s.now).Turn.Events, 1)
	require.True(t, s.i.Completed())
}

func TestAFailedFaultCallFiresNoFault(t *testing.T) {
	s := opened(t, sales)
	sequence := s.i.Sequence()
	require.Empty(t, s.i.Fault(interaction.Failure{Call: "pager", Of: interaction.MomentFault}, s.now).Turn.Events)
	require.Equal(t, sequence, s.i.Sequence())
}

// A late report keeps its own time.
func TestAFaultDoesNotChangeTheTimeline(t *testing.T) {
	s := opened(t, sales)
	s.do(talking...)
	before := s.i.Timeline()
	s.i.Fault(interaction.Failure{Call: "crm", Of: interaction.MomentInteractionStarts}, s.now.Add(time.Hour))
	require.Equal(t, before, s.i.Timeline())
	s.do(`complete`)
	for _, span := range s.i.Timeline() {
		require.False(t, span.End.After(s.now), "%s ends at %s", span.Segment, span.End)
	}
}
