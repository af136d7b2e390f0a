package draw_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/starter/draw"
)

var update = flag.Bool("update", false, "write the golden pictures")

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func span(leg, name, segment string, from, to int) draw.Span {
	s := draw.Span{Leg: leg, Name: name, Segment: segment, Start: at(from)}
	if to >= 0 {
		s.End = at(to)
	}
	return s
}

var pictures = map[string][]draw.Span{
	"handled": {
		span("channel", "", "interaction_starts", 0, 30),
		span("business_process", "sales", "agent_selecting", 0, 20),
		span("agent", "bea", "interaction_starts", 20, 20),
		span("agent", "bea", "offered", 20, 30),
		span("business_process", "sales", "offered", 20, 30),
		span("agent", "bea", "handling", 30, 250),
		span("business_process", "sales", "handling", 30, 300),
		span("channel", "", "handling", 30, 250),
		span("agent", "bea", "wrap_up", 250, 300),
		span("channel", "", "handled", 250, 250),
		span("channel", "", "interaction_ends", 250, -1),
		span("agent", "bea", "interaction_ends", 300, -1),
		span("business_process", "sales", "interaction_ends", 300, -1),
	},
	"open": {
		span("channel", "", "interaction_starts", 0, 60),
		span("business_process", "sales", "agent_selecting", 0, 60),
		span("business_process", "sales", "offered", 60, -1),
		span("agent", "bea", "offered", 60, -1),
	},
	"instant": {
		span("channel", "", "interaction_starts", 0, 0),
		span("channel", "", "abandoned", 0, 0),
		span("channel", "", "interaction_ends", 0, -1),
	},
	"unknown_segment": {
		span("channel", "", "interaction_starts", 0, 10),
		span("channel", "", "meditating", 10, 20),
	},
	"none": nil,
}

func TestTimelineIsDrawnAsInTheGoldenFiles(t *testing.T) {
	for name, spans := range pictures {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			require.NoError(t, draw.Timeline(&b, spans, at(120), 60))
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
		})
	}
}

// A span shorter than a column is drawn as one letter, in its order.
func TestShortSpansAreVisible(t *testing.T) {
	var b strings.Builder
	require.NoError(t, draw.Timeline(&b, []draw.Span{
		span("agent", "bea", "interaction_starts", 0, 0),
		span("agent", "bea", "offered", 0, 1),
		span("agent", "bea", "rejected", 1, 1),
		span("agent", "bea", "interaction_ends", 1, 1),
		span("channel", "", "handling", 0, 3600),
	}, at(0), 40))
	require.Contains(t, b.String(), "sor|")
}

func TestDurationHasAtMostTwoUnits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                       "0s",
		17 * time.Millisecond:                   "17ms",
		2340 * time.Millisecond:                 "2.3s",
		75 * time.Second:                        "1m15s",
		26*time.Hour + 4*time.Minute:            "26h04m",
		59*time.Minute + 59600*time.Millisecond: "1h00m",
	} {
		require.Equal(t, want, draw.Duration(d))
	}
}
