package day_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/examples"
	"segue/starter/demo/day"
)

// The file in the repository is what `go generate ./examples` writes.
func TestCommittedDayEqualsTheGeneratedOne(t *testing.T) {
	require.True(t, bytes.Equal(examples.Day, day.Generate(day.DefaultSeed).NDJSON()),
		"examples/day.ndjson is not what the generator writes: run `go generate ./examples`")
}

func TestSameSeedGivesTheSameDay(t *testing.T) {
	require.Equal(t, day.Generate(7).NDJSON(), day.Generate(7).NDJSON())
	require.NotEqual(t, day.Generate(7).NDJSON(), day.Generate(8).NDJSON())
}

func TestEverySeedMakesALegalDay(t *testing.T) {
	for seed := range uint64(3) {
		require.NotPanics(t, func() { day.Generate(seed) })
	}
}

func TestDayHasAllCommandsAndFivePercentBadLines(t *testing.T) {
	d := day.Generate(day.DefaultSeed)
	interactions := d.Count(func(l day.Line) string { return l.Interaction })
	require.GreaterOrEqual(t, len(interactions), 200)

	kinds := d.Count(func(l day.Line) string { return string(l.Kind) })
	require.GreaterOrEqual(t, kinds[string(day.Good)]-len(interactions), 1500, "commands besides the starts")
	bad := len(d.Lines) - kinds[string(day.Good)]
	require.InDelta(t, 0.05, float64(bad)/float64(len(d.Lines)), 0.005)
	for _, kind := range day.BadKinds {
		require.Equal(t, bad/len(day.BadKinds), kinds[string(kind)], kind)
	}

	commands := d.Count(func(l day.Line) string {
		var line struct{ Command string }
		require.NoError(t, json.Unmarshal(l.Text, &line))
		if l.Kind != day.Good {
			return ""
		}
		return line.Command
	})
	for _, command := range []string{
		"start", "place_in_queue", "offer", "accept", "reject", "dial", "connect", "disconnect", "abandon", "consult",
		"conference", "leave", "transfer", "hold", "retrieve", "place_in_workbin", "set_disposition", "attach_user_data",
		"update_user_data", "delete_user_data", "set_attributes", "survey", "queue_event", "dtmf", "script_signal",
		"signal_added", "signal_removed", "engage", "noengage", "engagement_result", "complete", "cancel", "segment_change",
	} {
		require.Positive(t, commands[command], command)
	}
}

func TestEveryInteractionBeginsWithItsStart(t *testing.T) {
	begun := map[string]bool{}
	for _, line := range day.Generate(day.DefaultSeed).Lines {
		if !begun[line.Interaction] {
			require.Contains(t, string(line.Text), `"command":"start"`)
		}
		begun[line.Interaction] = true
	}
}
