package workflows_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/metrics/metricstest"
)

func TestCommandsAreCounted(t *testing.T) {
	p := metricstest.New(t)
	plugin, err := p.Plugin()
	require.NoError(t, err)
	var options client.Options
	require.NoError(t, plugin.ConfigureClient(t.Context(), client.PluginConfigureClientOptions{ClientOptions: &options}))
	e := newMeasuredEnv(t, options.MetricsHandler)
	e.signals(time.Second,
		[2]string{"place_in_queue", `{"queue":"sales","event_id":"1"}`},
		[2]string{"place_in_queue", `{"queue":"sales","event_id":"1"}`},
		[2]string{"place_in_queue", `{"queue":7}`},
		[2]string{"accept", `{"agent":{"id":""}}`},
		[2]string{"what somebody sent", `{}`},
	)
	update := func(name, payload string) {
		e.UpdateWorkflow(name, name+payload, callbacks{}, json.RawMessage(payload))
	}
	e.RegisterDelayedCallback(func() {
		update("offer", `{"agent":{"id":"ada"}}`)
		update("hold", `{}`) // refused by its validator
		update("commands", `[{"command":"accept","agent":{"id":"ada"}},{"command":"connect"},{"command":"dance"}]`)
	}, time.Minute)
	e.signals(2*time.Minute, [2]string{"complete", `{}`})
	e.start(`{"id":"i-1","contact_center":"cc","channel":"inbound"}`)
	require.Equal(t, map[string]float64{
		"command=place_in_queue,result=applied": 1, "command=place_in_queue,result=duplicate": 1, "command=place_in_queue,result=rejected": 1,
		"command=accept,result=rejected": 1, "command=unknown,result=rejected": 2,
		"command=offer,result=applied": 1, "command=hold,result=rejected": 1, "command=accept,result=applied": 1,
		"command=connect,result=rejected": 1, "command=complete,result=applied": 1,
	}, p.Values("segue_commands_total"))
}

// callbacks ignores the answers of updates.
type callbacks struct{}

func (callbacks) Accept()             {}
func (callbacks) Reject(error)        {}
func (callbacks) Complete(any, error) {}
