package gws_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// TestTheOracleKnowsEveryScene begins each situation, and compares what the bus shows of it with the twin.
func TestTheOracleKnowsEveryScene(t *testing.T) {
	reached := map[interaction.State]bool{}
	for _, s := range scenes() {
		id := "scene-" + s.String()
		revision, err := s.begin(id)
		require.NoError(t, err)
		twin, err := s.twin(id)
		require.NoError(t, err)
		notices := changes.after(id, revision-1, 1)
		require.Len(t, notices, 1, id)
		require.NotNil(t, notices[0].State)
		require.Equal(t, essence(twin.Status()), essence(notices[0].State.Status), id)
		require.Equal(t, twin.Sequence(), notices[0].Sequence, id)
		for _, c := range agents {
			present := slices.Contains(twin.Present(), c.name)
			require.Equal(t, present, twin.seenBy(c.name).part() != partNone, "%s in %s", c.name, id)
		}
		reached[twin.Facts().State] = true
		require.NoError(t, ended(id))
	}
	require.Len(t, reached, len(interaction.States()), "every state is reached")
}
