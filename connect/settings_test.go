package connect

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyThisMachineIsLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:7233": true, "localhost:7233": true, "[::1]:7233": true, "127.9.9.9:1": true, "dns:///localhost:7233": true,
		"passthrough:///127.0.0.1:7233": true,
		"10.0.0.1:7233":                 false, "temporal:7233": false, "localhost.example.com:7233": false, "acme.tmprl.cloud:7233": false, "": false,
	} {
		require.Equal(t, want, isLoopback(address), address)
	}
}

func TestAKeyNeverCrossesANetworkInPlainText(t *testing.T) {
	require.True(t, Settings{Address: "acme.tmprl.cloud:7233", APIKey: "env:KEY"}.wantsTLS())
	require.False(t, Settings{Address: "127.0.0.1:7233", APIKey: "env:KEY"}.wantsTLS())
	require.False(t, Settings{Address: "temporal:7233"}.wantsTLS())
	require.True(t, Settings{Address: "127.0.0.1:7233", TLS: TLS{Enabled: true}}.wantsTLS())
	require.True(t, Settings{Address: "temporal:7233", TLS: TLS{CA: "ca.pem"}}.wantsTLS())
}

func TestDefaults(t *testing.T) {
	require.Equal(t, Settings{Address: DefaultAddress, Namespace: DefaultNamespace, TaskQueue: DefaultTaskQueue}, Settings{}.WithDefaults())
}
