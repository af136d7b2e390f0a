package interaction_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// TestTheReadmeShowsTheTable holds the state diagram of the README against the
// table it is drawn from. SEGUE_WRITE_README=1 draws it anew.
func TestTheReadmeShowsTheTable(t *testing.T) {
	const file, begin, end = "../README.md", "holds it equal -->\n", "<!-- /states -->"
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	head, rest, found := strings.Cut(string(content), begin)
	require.True(t, found)
	shown, tail, found := strings.Cut(rest, end)
	require.True(t, found)
	want := "```mermaid\n" + interaction.Diagram() + "```\n"
	if os.Getenv("SEGUE_WRITE_README") == "1" {
		require.NoError(t, os.WriteFile(file, []byte(head+begin+want+end+tail), 0o644))
		return
	}
	require.Equal(t, want, shown, "draw it anew: SEGUE_WRITE_README=1 go test -run TestTheReadmeShowsTheTable ./interaction")
}
