package interaction_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// If Temporal has a task done again, another command may have arrived in between. The events
// behind it then have other sequence numbers, but are the same events.
func TestTheCauseOfAnEventDoesNotDependOnItsPlace(t *testing.T) {
	play := func(between ...string) (events []interaction.Event) {
		s := opened(t, sales)
		s.do(talking...)
		s.do(between...)
		for _, line := range []string{`attach_user_data {"user_data":{"a":"b"},"event_id":"e1"}`, `disconnect {"event_id":"e2"}`} {
			events = append(events, s.do(line).Turn.Events...)
		}
		failure := interaction.Failure{Call: "crm", Class: "gone", Delivery: "msg_1", Of: interaction.MomentInteractionStarts}
		events = append(events, s.i.Fault(failure, s.now).Turn.Events...)
		return append(events, s.do(`[wrap_up_timeout] {"Agent":"a1"}`).Turn.Events...)
	}
	first, again := play(), play(`dtmf {"digits":"1"}`)
	require.Len(t, again, len(first))
	causes := map[string]bool{}
	for i := range first {
		require.Equal(t, first[i].Moment, again[i].Moment)
		require.Equal(t, first[i].Sequence+1, again[i].Sequence)
		require.Equal(t, first[i].Cause, again[i].Cause)
		causes[first[i].Cause] = true
	}
	require.Len(t, causes, len(first), "each has a cause of its own: %q", causes)
	require.NotContains(t, causes, "")
}

func TestAnEventWithoutAnIdentityHasNoCause(t *testing.T) {
	s := opened(t, sales)
	require.Empty(t, s.do(`dtmf {"digits":"1"}`).Turn.Events[0].Cause)
}

// A delivery that was sent again and failed again fires two faults.
func TestEveryFaultOfADeliveryHasItsOwnCause(t *testing.T) {
	s := opened(t, sales)
	failure := interaction.Failure{Call: "crm", Class: "gone", Delivery: "msg_1", Of: interaction.MomentInteractionStarts}
	first := s.i.Fault(failure, s.now).Turn.Events[0]
	second := carriedOver(t, s.i).Fault(failure, s.now).Turn.Events[0]
	require.NotEmpty(t, first.Cause)
	require.NotEqual(t, first.Cause, second.Cause)
}
