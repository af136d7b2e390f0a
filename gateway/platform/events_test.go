package platform_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/contract"
	"segue/gateway/index"
	"segue/gateway/platform"
	"segue/interaction"
)

func TestIDsOfEvents(t *testing.T) {
	at := bus.Position{Epoch: "2026-01-31T08:00:00Z", Sequence: 42}
	end := platform.EndOf(at)
	require.Regexp(t, `^[0-9a-f]{12}-42-999999$`, end)
	require.NotEqual(t, end, platform.EndOf(bus.Position{Epoch: "2026-01-31T08:00:01Z", Sequence: 42}))
	for text, ok := range map[string]bool{
		end: true, "a-1-0": true, "a-1-7": true, "": false, "a-1": false, "a-1-2-3": false, "a-x-1": false, "a-1-x": false, "a-1--1": false,
		"a--1-1": false, "a-99999999999999999999-1": false, "a-1-99999999999": false,
	} {
		again, isID := platform.ParseID(text)
		require.Equal(t, ok, isID, text)
		if ok {
			require.Equal(t, text, again)
		}
	}
}

func FuzzIDsOfEvents(f *testing.F) {
	f.Add("a-1-0")
	f.Add("a-1-999999")
	f.Fuzz(func(t *testing.T, text string) {
		if again, ok := platform.ParseID(text); ok {
			third, isID := platform.ParseID(again)
			require.True(t, isID)
			require.Equal(t, again, third)
		}
	})
}

func TestFramesOfANotice(t *testing.T) {
	at := time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)
	c := &index.Change{At: bus.Position{Epoch: "e", Sequence: 7}, Time: at, Notice: &contract.Notice{
		ContactCenter: "acme", Interaction: "one", Revision: 3, Sequence: 5, Command: "hold",
	}}
	frames := platform.Frames(t, c)
	require.Len(t, frames, 1)
	require.Equal(t, "id: "+platform.LifeOf("e")+"-7-2\nevent: change\ndata: "+
		`{"contact_center":"acme","interaction":"one","sequence":5,"revision":3,"when":"change","at":"2026-01-31T08:00:00Z","command":"hold","fields":{}}`+"\n\n", frames[0])

	c.Notice.Events = []interaction.Event{
		{Sequence: 4, Moment: interaction.MomentSegmentChange, At: at, Command: "accept", Segment: "handling", Leg: "agent", From: "offered", To: "handling",
			Agent: &interaction.Agent{ID: "ann"}, Queue: "sales", Reason: "r", Fields: map[string]any{"note": "a\nb\r\u2028"}},
		{Sequence: 5, Moment: interaction.MomentFault, At: at, Command: "accept"},
	}
	frames = platform.Frames(t, c)
	require.Len(t, frames, 2)
	for i, want := range []string{"2", "3"} {
		var id, name, data string
		_, err := fmt.Sscanf(frames[i], "id: %s\nevent: %s\ndata: ", &id, &name)
		require.NoError(t, err)
		require.Equal(t, platform.LifeOf("e")+"-7-"+want, id)
		data = frames[i][len("id: "+id+"\nevent: "+name+"\ndata: "):]
		require.NotContains(t, data[:len(data)-2], "\n")
		require.True(t, json.Valid([]byte(data)))
	}
}
