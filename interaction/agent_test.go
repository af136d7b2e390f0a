package interaction_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func TestAgentsAreWrittenFlat(t *testing.T) {
	for _, test := range []struct {
		agent interaction.Agent
		want  string
	}{
		{interaction.Agent{ID: "ada"}, `{"id":"ada"}`},
		{interaction.Agent{ID: "ada", Name: "Ada <1>"}, `{"id":"ada","name":"Ada \u003c1\u003e"}`},
		{interaction.Agent{ID: "ada", Fields: map[string]any{"location": "home"}}, `{"id":"ada","location":"home"}`},
		{interaction.Agent{ID: "ada", Name: "Ada", Fields: map[string]any{"team": 7.0, "extern_id": "x"}},
			`{"extern_id":"x","id":"ada","name":"Ada","team":7}`},
	} {
		text, err := json.Marshal(test.agent)
		require.NoError(t, err)
		require.Equal(t, test.want, string(text))
		var read interaction.Agent
		require.NoError(t, json.Unmarshal(text, &read))
		require.Equal(t, test.agent, read)
	}
}
