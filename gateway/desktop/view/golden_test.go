package view_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/desktop/view"
)

var update = flag.Bool("update", false, "write the golden events")

// scenes are agents at work: the events of a1 and a2 are in testdata.
var scenes = map[string]struct {
	start string
	lines []string
}{
	"call": {start("inbound", `"queue":"sales"`, `"ani":"+4930"`, `"native_id":"n0"`, `"user_data":{"Segment":"gold","Account":12345678901234567890}`), []string{
		`place_in_queue {"queue":"sales"}`, `offer {"agents":["a1","a2"]}`, `a1: accept`, `set_attributes {"native_id":"n1","comment":"c"}`, `a1: hold`, `a1: retrieve`,
		`signal_added {"name":"s","tooltip":"t","p1":"x","p20":"y"}`, `signal_removed {"name":"s"}`, `a1: consult {"to":{"agent":"a2"}}`, `a1: retrieve`,
		`a1: consult {"to":{"number":"+1"}}`, `a1: conference`, `a1: conference {"agent":"a2"}`, `a1: leave`, `disconnect`, `a2: set_disposition {"code":"SOLD","notes":"n"}`, `a2: complete`,
	}},
	"dialed":  {start("outbound", `"destination":"+1"`), []string{`a1: dial`, `connect`, `a1: consult {"to":{"agent":"a2"}}`, `a1: transfer {"mode":"consult"}`, `disconnect`, `[wrap_up_timeout] {"Agent":"a2"}`}},
	"chat":    {start("chat", `"customer":{"name":"Zoe"}`), []string{`offer {"agents":["a1","a2"]}`, `a2: reject`, `a1: accept`, `a1: update_user_data {"user_data":{"k":"<b>"}}`, `a1: transfer {"to":{"agent":"a2"},"mode":"offer"}`, `abandon`}},
	"preview": {start("outbound", `"destination":"+1"`), []string{`offer {"agent":"a1","preview":true}`, `a1: accept`, `disconnect`}},
}

// TestEventsAreAsDocumented compares every byte of the data of events. -update writes the files again.
func TestEventsAreAsDocumented(t *testing.T) {
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			p := started(t, scene.start)
			var b bytes.Buffer
			note := func(agent string, events []view.Event) {
				for _, e := range events {
					data, err := json.Marshal(e.Data)
					require.NoError(t, err)
					b.WriteString("  " + agent + " " + e.Name + " " + e.Target + " " + string(data) + "\n")
				}
			}
			for _, line := range scene.lines {
				require.NoError(t, p.try(line), line)
				b.WriteString(line + "\n")
				for _, agent := range []string{"a1", "a2"} {
					events := p.see(agent)
					for _, e := range events {
						if e.Sequence != p.last.Sequence || e.Revision != p.last.Revision {
							require.Fail(t, "each event has the sequence and the revision of its change", e.Name)
						}
					}
					note(agent, events)
				}
			}
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
		})
	}
}
