package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

func TestEveryOutcomeHasTheVersionOfTheConfiguration(t *testing.T) {
	f := newFixture(t)
	version := f.Config().Version
	require.NotEmpty(t, version)

	outcomes := f.attempt(t, f.batch("bi", 2))
	require.Equal(t, []string{version, version}, []string{outcomes[0].Version, outcomes[1].Version})
	outcomes = f.attempt(t, f.batch("long-gone", 1))
	require.Equal(t, "config", outcomes[0].Class)
	require.Equal(t, version, outcomes[0].Version, "the version that no longer has the call")

	f.know(t, "crm")
	result := f.dispatch(t, turns(interaction.MomentInteractionStarts))
	require.Equal(t, version, result.Version)
	require.Equal(t, contract.StatusDelivered, result.Deliveries[0].Status)
	require.Empty(t, result.Deliveries[0].Outcome.Version, "it is the result's")

	f.receiver.answer(503)
	result = f.dispatch(t, turns(interaction.MomentEngagementResult, interaction.MomentInteractionEnds))
	require.Equal(t, contract.StatusWaiting, result.Deliveries[0].Status)
	require.Equal(t, "http_5xx", result.Deliveries[0].Outcome.Class)
	require.Equal(t, version, result.Deliveries[0].Outcome.Version, "the lane does not get the result")
}
