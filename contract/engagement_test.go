package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

func TestTheHeaderOfACallbackCanBeRead(t *testing.T) {
	for _, id := range []string{"visit-v-1", "A.b_c~d:e@f-9"} {
		sent := contract.EngagementAttempt{ContactCenter: "berlin", Interaction: id, FirstRunID: "0198-ab", Number: 3}
		read, ok := contract.ParseEngagement(sent.Header())
		require.True(t, ok)
		require.Equal(t, sent, read)
	}
	for _, value := range []string{"", "x", "interaction=a; attempt=1", "interaction=a; attempt=1; run=b", "interaction=a; attempt=-1; run=b; contact_center=c", "attempt=1; run=b; contact_center=c", "interaction=a; attempt=; run=b; contact_center=c"} {
		_, ok := contract.ParseEngagement(value)
		require.False(t, ok, value)
	}
}

func TestOnlyTheTwoCallbacksAreOfTheBackend(t *testing.T) {
	require.True(t, contract.IsEngagementCallback("engage", "engage"))
	require.True(t, contract.IsEngagementCallback("noengage", "noengage"))
	require.False(t, contract.IsEngagementCallback("crm", "engage"))
	require.False(t, contract.IsEngagementCallback("engage", "noengage"))
	require.False(t, contract.IsEngagementCallback("survey", "survey"))
}
