package spelling_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/spelling"
)

func TestClosest(t *testing.T) {
	names := []string{"accept", "transfer", "place_in_queue", "hold"}
	for word, want := range map[string]string{
		"accpet": "accept", "trasnfer": "transfer", "place_in_que": "place_in_queue", "ACCEPT": "accept", "holdd": "hold",
		"self_destruct": "", "": "",
	} {
		require.Equal(t, want, spelling.Closest(word, names), word)
	}
}

func TestMisspells(t *testing.T) {
	for _, c := range []struct {
		word, name string
		want       bool
	}{
		{"agnet", "agent", true}, {"agents", "agent", true}, {"agen", "agent", true}, {"Agent", "agent", true},
		{"userData", "user_data", true}, {"user-data", "user_data", true}, {"eventId", "event_id", true}, {"By", "by", true},
		{"source_sequnce", "source_sequence", true}, {"destnaton", "destination", true},
		{"agent", "agent", false}, {"agency", "agent", false}, {"votes", "notes", false}, {"mode", "code", false},
		{"cat", "at", false}, {"too", "to", false}, {"anis", "ani", false}, {"", "agent", false}, {"agent_name", "agent", false},
		{"queue_id", "queue", false}, {"custom", "customer", false}, {"p21", "p20", false},
	} {
		require.Equal(t, c.want, spelling.Misspells(c.word, c.name), "%s for %s", c.word, c.name)
	}
}
