package notify_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/gateway/index/indextest"
	"segue/gateway/presence"
)

func TestPresenceReachesTheAgentsSessions(t *testing.T) {
	server, err := bus.Embed(bus.ServerOptions{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := bus.Connect(bus.Options{Server: server, Creates: true})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	p := presence.New(presence.Options{Bus: conn})
	running, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(running) }()
	t.Cleanup(func() { cancel(); <-ended })
	b, stop := open(func(b *bench) { b.presence = p })
	defer stop()

	ada, other := b.desktop(t, "ada", "", all...), b.desktop(t, "ada", "", "/v2/me/channels/")
	ben, foreign := b.desktop(t, "ben", "", all...), b.desktop(t, "elsewhere/ada", "", all...)
	update := func(change func(*presence.Agent)) {
		require.EventuallyWithT(t, func(c *assert.CollectT) { // the bus may not be there yet
			_, err := p.Update(t.Context(), indextest.Center, "ada", func(a *presence.Agent) error { change(a); return nil })
			require.NoError(c, err)
		}, time.Minute, 10*time.Millisecond)
	}
	received := func(d *desktop, count int) (all []received) {
		require.Eventually(t, func() bool {
			all = append(all, d.poll()...)
			return len(all) >= count
		}, time.Minute, 10*time.Millisecond)
		return all
	}
	update(func(a *presence.Agent) {
		a.Channels = []presence.Channel{{Name: "voice", State: presence.NotReady}, {Name: "chat", State: presence.NotReady}}
		a.Concerns, a.Reference = []string{"voice", "chat"}, `5`
	})
	messages := received(ada, 2)
	require.Len(t, messages, 2)
	require.Equal(t, "/v2/me/channels", messages[0].Channel)
	require.Equal(t, "ChannelStateChangeMessageV2", messages[0].data.MessageType)
	require.Equal(t, "5", string(messages[0].data.ReferenceID))
	require.Equal(t, "/v2/me/devices", messages[1].Channel)
	require.Equal(t, "DeviceStateChangeMessage", messages[1].data.MessageType)
	require.Equal(t, "/v2/me/channels/", received(other, 1)[0].Channel)

	update(func(a *presence.Agent) {
		a.Channel("chat").State = presence.Ready
		a.Concerns, a.Reference = []string{"chat"}, ""
	})
	messages = received(ada, 1)
	require.Len(t, messages, 1, "the device is that of voice")
	require.Nil(t, messages[0].data.ReferenceID)
	require.Empty(t, ben.poll())
	require.Empty(t, foreign.poll())
}
