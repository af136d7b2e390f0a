package activities_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/contract"
	"segue/interaction"
)

func (f *fixture) render(t *testing.T, r contract.Request) contract.Request {
	t.Helper()
	value, err := f.ExecuteActivity(contract.ActivityRender, contract.RenderInput{Owner: owner, Request: r})
	require.NoError(t, err)
	var got contract.Request
	require.NoError(t, value.Get(&got))
	return got
}

// A request that is rendered again with the same configuration is the same.
func TestRenderReturnsTheRequestOfDispatch(t *testing.T) {
	f := newFixture(t)
	in := turns("interaction_starts")
	first := *f.dispatch(t, in).Deliveries[0].Request
	source := contract.SourceOf(&in.Turns[0].View, &in.Turns[0].Events[0])
	got := f.render(t, contract.Request{ID: first.ID, Call: "crm", Source: source})
	assert.Equal(t, first, got)
}

func TestRenderReturnsFaultsInTheRequest(t *testing.T) {
	f := newFixture(t)
	in := turns("interaction_starts")
	source := contract.SourceOf(&in.Turns[0].View, &in.Turns[0].Events[0])
	assert.Contains(t, f.render(t, contract.Request{ID: "d", Call: "crm"}).Fault, "source of delivery d")

	empty, err := config.Parse("test.yaml", nil)
	require.NoError(t, err)
	f.Config = func() *config.Set { return empty }
	got := f.render(t, contract.Request{Call: "crm", Source: source})
	assert.Equal(t, "the call is not in the configuration", got.Fault)
	assert.Equal(t, contract.DeliveryID(owner, &interaction.Event{Sequence: 1}, "crm"), got.ID)
}

// The workflow does not know the configuration, and so not how long an attempt may take.
func TestARequestCarriesATimeoutAboveTheDefault(t *testing.T) {
	f := newFixture(t)
	assert.Equal(t, 90*time.Second, f.dispatch(t, turns("script_signal")).Deliveries[0].Request.Timeout)
	usual := f.dispatch(t, turns("interaction_starts")).Deliveries[0].Request
	require.NotNil(t, usual)
	encoded, err := json.Marshal(usual)
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), `"timeout"`, "the default is in no history")
}

// The workflow does not know the configuration, and so not whether a request may be repeated.
func TestARequestCarriesWhetherItMayBeRepeated(t *testing.T) {
	f := newFixture(t)
	assert.True(t, f.dispatch(t, turns("engage")).Deliveries[0].Request.Once)
	assert.False(t, f.dispatch(t, turns("interaction_starts")).Deliveries[0].Request.Once)
}
