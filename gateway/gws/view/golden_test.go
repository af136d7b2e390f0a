package view_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/gws/view"
)

var update = flag.Bool("update", false, "write the golden notifications")

// sessions are agents at work, one for each medium: what each of the two agents receives is in testdata.
var sessions = map[string]struct {
	start string
	lines []string
}{
	"call": {
		start("inbound", `"queue":"sales"`, `"ani":"+493012345"`, `"dnis":"5001"`, `"native_id":"u-1"`, `"user_data":{"Segment":"gold","Account":12345678901234567890}`),
		[]string{
			`offer {"agent":{"id":"anna","name":"Anna"}}`, `anna: accept`, `anna: update_user_data {"user_data":{"Segment":"<b> & \u2028","Score":1e-7}}`, `anna: hold`, `anna: retrieve`,
			`anna: consult {"to":{"agent":{"id":"ben@home","name":"Ben"}}}`, `anna: transfer {"mode":"consult","wrap_up":true}`, `anna: set_disposition {"code":"SOLD","notes":"n"}`, `[wrap_up_timeout] {"Agent":"anna"}`,
			`ben@home: conference {"party":"0800"}`, `disconnect`, `ben@home: complete`,
		},
	},
	"chat": {
		start("chat", `"queue":"sales"`, `"customer":{"nickname":"Zoë \"Z\""}`),
		[]string{
			`place_in_queue {"queue":"sales"}`, `offer {"agents":["anna","ben@home"]}`, `anna: accept`, `set_attributes {"comment":"VIP"}`, `anna: conference {"agent":"ben@home"}`,
			`anna: hold`, `anna: leave`, `ben@home: transfer {"to":{"agent":"anna"},"mode":"offer"}`, `anna: reject`, `abandon`,
		},
	},
	"email": {
		start("email", `"queue":"support"`, `"customer":{"email":"zoe@example.com"}`, `"user_data":{"Subject":"Late","To":["help@example.com"]}`),
		[]string{
			`offer {"agent":"anna"}`, `[offer_timeout]`, `anna: accept`, `anna: reply`, `anna: place_in_workbin {"workbin":"drafts"}`, `ben@home: accept`, `ben@home: complete {"disposition":{"code":"DONE"}}`,
		},
	},
	"draft": {
		start("email", `"parent":"i0"`, `"draft":true`, `"direction":"outbound"`, `"agent":"anna"`, `"destination":"zoe@example.com"`, `"user_data":{"subject":"Re: Late"}`),
		[]string{`anna: attach_user_data {"user_data":{"body":"Dear Zoe"}}`, `anna: cancel`},
	},
	"openmedia": {
		start("sms", `"direction":"internal"`),
		[]string{`anna: accept`, `anna: update_user_data {"user_data":{"n":1.50}}`, `anna: transfer {"to":{"agent":"ben@home"}}`, `cancel`},
	},
}

// TestNotificationsAreAsDocumented compares every byte of what agents receive. -update writes the files again.
func TestNotificationsAreAsDocumented(t *testing.T) {
	for name, session := range sessions {
		t.Run(name, func(t *testing.T) {
			p, n := started(t, session.start)
			var before *view.Look
			var b bytes.Buffer
			for _, line := range append([]string{"start " + session.start}, session.lines...) {
				if before = p.last; b.Len() > 0 {
					_, n = p.do(line)
				} else {
					before = nil
				}
				b.WriteString(line + "\n")
				for _, agent := range []string{"anna", "ben@home"} {
					var reference json.RawMessage
					if strings.HasPrefix(line, agent+": ") {
						reference = json.RawMessage("12")
					}
					for _, m := range view.Notifications(before, n, agent, base, reference) {
						require.True(t, json.Valid(m.Data), "%s", m.Data)
						b.WriteString("  " + agent + " " + m.Topic + " " + string(m.Data) + "\n")
					}
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
