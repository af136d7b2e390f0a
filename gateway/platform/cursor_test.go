package platform_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/platform"
)

// A replica whose keys were reloaded and one that was restarted read each other's cursors.
func TestCursorsAreSealedWithThePresentKeys(t *testing.T) {
	var keys [][]byte
	reloaded := platform.NewCursors(func() [][]byte { return keys })
	seal := func(c platform.Cursors) string {
		text, err := c.Seal()
		require.NoError(t, err)
		return text
	}
	own := seal(reloaded)
	require.True(t, reloaded.Opens(own))
	keys = [][]byte{[]byte("old")}
	require.False(t, reloaded.Opens(own))
	old := seal(reloaded)
	keys = [][]byte{[]byte("new"), []byte("old")}
	require.True(t, reloaded.Opens(old))
	restarted := platform.NewCursors(func() [][]byte { return [][]byte{[]byte("new")} })
	require.False(t, restarted.Opens(old))
	require.True(t, restarted.Opens(seal(reloaded)))
	require.True(t, reloaded.Opens(seal(restarted)))
}
