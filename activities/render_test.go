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

func (d *desk) render(t *testing.T, r contract.Request) contract.Request {
	t.Helper()
	value, err := d.ExecuteActivity(contract.ActivityRender, contract.RenderInput{Owner: owner, Request: r})
	require.NoError(t, err)
	var got contract.Request
	require.NoError(t, value.Get(&got))
	return got
}

// Rendered anew under the same configuration, a request is the same.
func TestRenderGivesWhatDispatchGave(t *testing.T) {
	d := newDesk(t)
	in := turns("interaction_starts")
	first := *d.dispatch(t, in).Deliveries[0].Request
	source := contract.SourceOf(&in.Turns[0].View, &in.Turns[0].Events[0])
	got := d.render(t, contract.Request{ID: first.ID, Call: "crm", Source: source})
	assert.Equal(t, first, got)
}

func TestRenderFaultsAreInTheResult(t *testing.T) {
	d := newDesk(t)
	in := turns("interaction_starts")
	source := contract.SourceOf(&in.Turns[0].View, &in.Turns[0].Events[0])
	assert.Contains(t, d.render(t, contract.Request{ID: "d", Call: "crm"}).Fault, "source of delivery d")

	empty, err := config.Parse("test.yaml", nil)
	require.NoError(t, err)
	d.Config = func() *config.Set { return empty }
	got := d.render(t, contract.Request{Call: "crm", Source: source})
	assert.Equal(t, "the call is not in the configuration", got.Fault)
	assert.Equal(t, contract.DeliveryID(owner, &interaction.Event{Sequence: 1}, "crm"), got.ID)
}

// The workflow cannot ask the configuration how long an attempt may take.
func TestARequestCarriesALongTimeoutOnly(t *testing.T) {
	d := newDesk(t)
	assert.Equal(t, 90*time.Second, d.dispatch(t, turns("script_signal")).Deliveries[0].Request.Timeout)
	usual := d.dispatch(t, turns("interaction_starts")).Deliveries[0].Request
	require.NotNil(t, usual)
	encoded, err := json.Marshal(usual)
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), `"timeout"`, "the default is in no history")
}

// The workflow cannot ask the configuration whether a request may be repeated.
func TestARequestSaysWhetherItMayBeRepeated(t *testing.T) {
	d := newDesk(t)
	assert.True(t, d.dispatch(t, turns("engage")).Deliveries[0].Request.Once)
	assert.False(t, d.dispatch(t, turns("interaction_starts")).Deliveries[0].Request.Once)
}
