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

// versioned sets the temporal section of the fixture's configuration.
func (f *fixture) versioned(t *testing.T, temporal string) {
	t.Helper()
	set, err := config.Parse("test.yaml", []byte(strings.ReplaceAll(settings, "URL", f.receiver.URL)+"temporal: "+temporal))
	require.NoError(t, err)
	f.Config = config.NewStore(set).Current
	f.renew()
}

func TestTheRunOfALongLivedChannelIsUnpinned(t *testing.T) {
	for name, c := range map[string]struct {
		temporal string
		channel  interaction.Channel
		unpinned bool // by an earlier Dispatch
		fails    error
		calls    int
		want     bool
	}{
		"a mail":               {temporal: "{build_id: v2}", channel: "email", calls: 1, want: true},
		"a call":               {temporal: "{build_id: v2}", channel: "inbound"},
		"as configured":        {temporal: "{build_id: v2, auto_upgrade: [inbound]}", channel: "inbound", calls: 1, want: true},
		"unversioned":          {temporal: "{}", channel: "email"},
		"unpinned already":     {temporal: "{build_id: v2}", channel: "email", unpinned: true},
		"Temporal unavailable": {temporal: "{build_id: v2}", channel: "email", fails: errors.New("unavailable"), calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.versioned(t, c.temporal)
			calls := 0
			f.temporal.On("UpdateWorkflowExecutionOptions", mock.Anything, mock.Anything).Maybe().Run(func(args mock.Arguments) {
				calls++
				request := args.Get(1).(client.UpdateWorkflowExecutionOptionsRequest)
				require.NotEmpty(t, request.WorkflowId)
				require.NotEmpty(t, request.RunId)
				require.IsType(t, &client.AutoUpgradeVersioningOverride{}, request.WorkflowExecutionOptionsChanges.VersioningOverride.Value)
			}).Return(client.WorkflowExecutionOptions{}, c.fails)
			in := turns("no_such_moment")
			in.Turns[0].View.Interaction.Channel = c.channel
			in.Unpinned = c.unpinned
			require.Equal(t, c.want, f.dispatch(t, in).Unpinned)
			require.Equal(t, c.calls, calls)
		})
	}
}
