package activities_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/config"
	"segue/interaction"
)

// versioned gives a desk's worker a build id.
func (d *desk) versioned(t *testing.T, temporal string) {
	t.Helper()
	set, err := config.Parse("test.yaml", []byte(strings.ReplaceAll(settings, "URL", d.receiver.URL)+"temporal: "+temporal))
	require.NoError(t, err)
	d.Config = config.NewStore(set).Current
	d.renew()
}

func TestALongChannelsRunIsUnpinned(t *testing.T) {
	for name, c := range map[string]struct {
		temporal string
		channel  interaction.Channel
		unpinned bool // already
		fails    error
		asks     int
		want     bool
	}{
		"a mail":                {temporal: "{build_id: v2}", channel: "email", asks: 1, want: true},
		"a call":                {temporal: "{build_id: v2}", channel: "inbound"},
		"as configured":         {temporal: "{build_id: v2, auto_upgrade: [inbound]}", channel: "inbound", asks: 1, want: true},
		"unversioned":           {temporal: "{}", channel: "email"},
		"done already":          {temporal: "{build_id: v2}", channel: "email", unpinned: true},
		"Temporal is not there": {temporal: "{build_id: v2}", channel: "email", fails: errors.New("unavailable"), asks: 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.versioned(t, c.temporal)
			asked := 0
			d.temporal.On("UpdateWorkflowExecutionOptions", mock.Anything, mock.Anything).Maybe().Run(func(args mock.Arguments) {
				asked++
				request := args.Get(1).(client.UpdateWorkflowExecutionOptionsRequest)
				require.NotEmpty(t, request.WorkflowId)
				require.NotEmpty(t, request.RunId)
				require.IsType(t, &client.AutoUpgradeVersioningOverride{}, request.WorkflowExecutionOptionsChanges.VersioningOverride.Value)
			}).Return(client.WorkflowExecutionOptions{}, c.fails)
			in := turns("no_such_moment")
			in.Turns[0].View.Interaction.Channel = c.channel
			in.Unpinned = c.unpinned
			require.Equal(t, c.want, d.dispatch(t, in).Unpinned)
			require.Equal(t, c.asks, asked)
		})
	}
}
