package activities_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

func TestTheVersionStandsInEveryOutcome(t *testing.T) {
	d := newDesk(t)
	version := d.Config().Version
	require.NotEmpty(t, version)

	outcomes := d.attempt(t, d.batch("bi", 2))
	require.Equal(t, []string{version, version}, []string{outcomes[0].Version, outcomes[1].Version})
	outcomes = d.attempt(t, d.batch("long-gone", 1))
	require.Equal(t, "config", outcomes[0].Class)
	require.Equal(t, version, outcomes[0].Version, "the one that no longer has the call")

	d.know(t, "crm")
	result := d.dispatch(t, turns(interaction.MomentInteractionStarts))
	require.Equal(t, version, result.Version)
	require.Equal(t, contract.StatusDelivered, result.Deliveries[0].Status)
	require.Empty(t, result.Deliveries[0].Outcome.Version, "the result has said it")

	d.receiver.answer(503)
	result = d.dispatch(t, turns(interaction.MomentEngagementResult, interaction.MomentInteractionEnds))
	require.Equal(t, contract.StatusWaiting, result.Deliveries[0].Status)
	require.Equal(t, "http_5xx", result.Deliveries[0].Outcome.Class)
	require.Equal(t, version, result.Deliveries[0].Outcome.Version, "it goes to the lane without the result")
}
