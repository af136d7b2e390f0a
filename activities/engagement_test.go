package activities_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/contract"
	"segue/interaction"
)

func TestACallbackSaysItsAttempt(t *testing.T) {
	f := newFixture(t)
	set, err := config.Parse("test.yaml", []byte("engagement: {backend: '"+f.receiver.URL+"'}"))
	require.NoError(t, err)
	f.Config = config.NewStore(set).Current
	f.renew()
	for _, call := range []interaction.Moment{"engage", "noengage"} {
		in := turns(call)
		in.Turns[0].Events[0].Fields = map[string]any{"ixnProfile": map[string]any{"visitID": "v"}, "cancelData": map[string]any{}, "attempt": 1.0}
		result := f.dispatch(t, in)
		require.Len(t, result.Deliveries, 1)
		r := result.Deliveries[0].Request
		require.Equal(t, contract.EngagementAttempt{ContactCenter: "default", Interaction: "i-1", FirstRunID: "run-1", Number: 1}, *r.Engagement)
		require.Contains(t, r.Headers, contract.Header{Name: "Segue-Engagement", Value: "interaction=i-1; attempt=1; run=run-1; contact_center=default"})

		// Rendered again, perhaps in the lane of an earlier interaction with this id, it is the same.
		r.Source = contract.SourceOf(&in.Turns[0].View, &in.Turns[0].Events[0])
		earlier := owner
		earlier.FirstRunID = "run-0"
		value, err := f.ExecuteActivity(contract.ActivityRender, contract.RenderInput{Owner: earlier, Request: *r})
		require.NoError(t, err)
		var again contract.Request
		require.NoError(t, value.Get(&again))
		require.True(t, reflect.DeepEqual(r.WithoutSource(), again), "%+v", again)
		f.renew()
	}
}
