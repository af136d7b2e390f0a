package host_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/worker/host"
)

var discard = slog.New(slog.DiscardHandler)

func TestWithoutABusThereAreNoNotices(t *testing.T) {
	notices, err := host.OpenNotices(config.Bus{}, discard)
	require.NoError(t, err)
	require.Nil(t, notices)
	notices.Close()
}

// The bus need not run when the worker starts.
func TestNoticesFindTheBusByItsURLOrWhereItListens(t *testing.T) {
	server, err := bus.Embed(bus.ServerOptions{Listen: "127.0.0.1:0", Log: discard})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	gateway, err := bus.Connect(bus.Options{Server: server, Creates: true, Log: discard})
	require.NoError(t, err)
	t.Cleanup(gateway.Close)
	address := server.URL()[len("nats://"):]
	for name, set := range map[string]config.Bus{
		"url":    {URL: server.URL()},
		"listen": {Listen: address},
		"both":   {URL: server.URL(), Listen: "127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Eventually(t, gateway.Connected, time.Minute, time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			before, err := gateway.Last(ctx)
			require.NoError(t, err)
			notices, err := host.OpenNotices(set, discard)
			require.NoError(t, err)
			notices.Publish(&contract.Notice{ContactCenter: "cc", Interaction: "i1", RunID: name, Revision: 1})
			require.Eventually(t, func() bool { return notices.Stats().Published == 1 }, time.Minute, time.Millisecond)
			notices.Close()
			after, err := gateway.Last(ctx)
			require.NoError(t, err)
			require.Equal(t, before.Sequence+1, after.Sequence)
		})
	}
}

func TestMistakesInTheBusAreReported(t *testing.T) {
	for name, tc := range map[string]struct {
		set  config.Bus
		want string
	}{
		"no password": {config.Bus{URL: "nats://127.0.0.1:4222", User: "u", Password: "env:SEGUE_TEST_NO_SUCH"}, "bus.password"},
		"no token":    {config.Bus{Listen: "127.0.0.1:4222", Token: "env:SEGUE_TEST_NO_SUCH"}, "bus.token"},
		"no CA":       {config.Bus{URL: "tls://127.0.0.1:4222", CA: delivery.SecretRef("file:" + t.TempDir() + "/none")}, "bus.tls"},
		"no URL":      {config.Bus{URL: "http://127.0.0.1:4222"}, "bus.url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := host.OpenNotices(tc.set, discard)
			require.ErrorContains(t, err, tc.want)
		})
	}
}
