package interaction_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

const engageVisitor = `engage {"ixnProfile":{"visitID":"v"}}`

// An answer of an attempt that is over must not be taken for one of the open attempt.
func TestAResultIsOfTheOpenAttempt(t *testing.T) {
	s := opened(t, web)
	s.do(engageVisitor, engageVisitor)
	started := s.i.Status().StartedAt
	for name, test := range map[string]struct {
		fields, refused string
	}{
		"an earlier attempt": {`"attempt":1`, "it is of attempt 1, and attempt 2 is open"},
		"a later attempt":    {`"attempt":3`, "it is of attempt 3, and attempt 2 is open"},
		"an earlier start":   {`"attempt":2,"started_at":"2026-01-01T00:00:00Z"`, "it is of an interaction with this id that started at 2026-01-01T00:00:00Z"},
		"the open attempt":   {fmt.Sprintf(`"attempt":2,"started_at":%q`, started.Format("2006-01-02T15:04:05.999999999Z07:00")), ""},
		"no number":          {`"x":1`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.i.Status()
			err := s.i.Check(command(t, `engagement_result {"result":"declined",`+test.fields+`}`))
			require.Equal(t, before, s.i.Status())
			if test.refused == "" {
				require.NoError(t, err)
				return
			}
			var illegal *interaction.IllegalError
			require.ErrorAs(t, err, &illegal)
			require.Equal(t, interaction.WhyNeeds, illegal.Why)
			require.Equal(t, test.refused, illegal.Reason)
		})
	}
	for _, attempt := range []string{`0`, `-1`, `1.5`, `"1"`, `1e12`} {
		_, err := interaction.Decode("engagement_result", []byte(`{"result":"declined","attempt":`+attempt+`}`))
		require.ErrorContains(t, err, "attempt", attempt)
	}
}

// The backend's final 400 counts as the result failed, of the attempt whose callback it has refused.
func TestARefusalOfTheBackendEndsItsAttempt(t *testing.T) {
	s := opened(t, web)
	first := engaged(s)
	second := engaged(s)
	require.NotEqual(t, first, second)
	_, isOpen := s.i.EngagementRefused(first)
	require.False(t, isOpen, "another attempt is open")
	refused, isOpen := s.i.EngagementRefused(second)
	require.True(t, isOpen)
	effect, err := s.i.Apply(refused, s.now)
	require.NoError(t, err)
	require.Equal(t, []string{"engagement_result", "interaction_ends.channel", "interaction_ends"}, moments(effect.Turn.Events))
	require.Equal(t, map[string]any{"result": "failed", "attempt": 2.0}, effect.Turn.Events[0].Fields)
	require.NotEmpty(t, effect.Turn.Events[0].Cause)
	status := s.i.Status()
	require.Equal(t, interaction.OutcomeNotEngaged, status.Outcome)
	require.Equal(t, "failed", status.Engagement.Result)
	_, isOpen = s.i.EngagementRefused(second)
	require.False(t, isOpen, "it is over")
}

// engaged invites the visitor and returns the sequence number of the event.
func engaged(s *player) int64 { return s.do(engageVisitor).Turn.Events[0].Sequence }

func TestAnAnsweredAttemptIsNotRefusedAnyMore(t *testing.T) {
	s := opened(t, web)
	number := engaged(s)
	s.do(`engagement_result {"result":"accepted","queue":"sales"}`)
	_, isOpen := s.i.EngagementRefused(number)
	require.False(t, isOpen)
}

// An accepted invitation that led neither into a queue nor to an agent has started: nobody invites again, and the
// visitor's yes is not withdrawn.
func TestAnAcceptedInvitationIsOver(t *testing.T) {
	s := opened(t, web)
	s.do(engageVisitor, `engagement_result {"result":"accepted"}`)
	require.Equal(t, interaction.StateStarted, s.i.Status().State)
	for _, text := range []string{engageVisitor, `noengage {"cancelData":{}}`} {
		err := s.i.Check(command(t, text))
		var illegal *interaction.IllegalError
		require.ErrorAs(t, err, &illegal)
		require.Equal(t, "the visitor has accepted the invitation", illegal.Reason)
	}
}
