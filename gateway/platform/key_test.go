package platform_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/platform"
)

func TestAMadeIDIsAnID(t *testing.T) {
	id := platform.IDOf("acme", "key")
	require.NoError(t, client.Name{ContactCenter: "acme", ID: id}.Check())
	require.Equal(t, id, platform.IDOf("acme", "key"))
	require.NotEqual(t, id, platform.IDOf("acme", "other"))
	require.NotEqual(t, platform.IDOf("a", "bc"), platform.IDOf("ab", "c"))
}
