package desktop_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/desktop"
)

// hostileData are values for the data of any request.
var hostileData = []string{
	`null`, `{}`, `[]`, `7`, `"x"`, `true`, `{"":{}}`, `{"__proto__":{"a":1}}`,
	`{"channel":7,"channelgroup":7,"destination":{},"agent":[],"extensions":7,"reason":{},"interactionDispositionId":{},"value":[],"notes":{},"name":[],"p1":{},"p20":[]}`,
	`{"channel":{"type":7},"channelgroup":{"name":{}},"channels":{},"destination":"","agent":{"id":7,"password":[]},"override":7}`,
	`{"channels":[7],"channelgroup":{"name":"g"},"channel":{"type":"Telephony","endpoint":"` + strings.Repeat("x", 300) + `"}}`,
	`{"destination":"\u0000\r\n","agent":"../%2e%2e","reason":"<script>","interactionDispositionId":"' OR 1=1","p1":"\u0000","name":"${user_data}"}`,
}

// largeData has texts beyond all bounds. It costs most of the time, so only the object that a command is for gets it.
var largeData = `{"destination":"` + strings.Repeat("9", 9_000) + `","agent":"` + strings.Repeat("a", 300) + `","value":"` + strings.Repeat("v", 200) +
	`","reason":"` + strings.Repeat("r", 9_000) + `","p20":"` + strings.Repeat("p", 9_000) + `"}`

// targetsOf are the objects that commands are for, by what their names begin with.
var targetsOf = map[string]string{"session": "", "channel": ".c-1", "interaction": ".c-1.i1", "conversation": ".c-1.i1.p"}

// TestHostileRequestsInEveryState: each command, in each state of a call, is answered in a documented shape,
// and the session lives on.
func TestHostileRequestsInEveryState(t *testing.T) {
	for state, steps := range map[string][]string{
		"offered":    {`offer {"agent":"ann"}`},
		"handling":   {`offer {"agent":"ann"}`, `accept {"agent":"ann"}`},
		"held":       {`offer {"agent":"ann"}`, `accept {"agent":"ann"}`, `hold {"agent":"ann"}`},
		"consulting": {`offer {"agent":"ann"}`, `accept {"agent":"ann"}`, `consult {"to":{"agent":"bob"}}`},
		"conference": {`offer {"agent":"ann"}`, `accept {"agent":"ann"}`, `consult {"to":{"agent":"bob"}}`, `conference`},
		"wrap-up":    {`offer {"agent":"ann"}`, `accept {"agent":"ann"}`, `disconnect`},
		"completed":  {`offer {"agent":"ann"}`, `accept {"agent":"ann"}`, `disconnect`, `complete`},
		"no part":    {`place_in_queue {"queue":"q"}`},
	} {
		t.Run(state, func(t *testing.T) {
			for _, command := range desktop.Commands() {
				w := newWorld(t)
				w.start("i1", "inbound", steps...)
				session := desktop.NewSession(t.Context(), w.server, "ann")
				for _, data := range hostileData {
					for _, target := range []string{"c-1.i1", "c-1.i1.p", "c-1", "", "g-9.c-1.i1"} {
						if command == "session.logout" && target == "" {
							continue // it ends the session
						}
						target = strings.TrimSuffix(session.ID()+"."+target, ".")
						requireDocumented(t, session.Do(fmt.Appendf(nil, `{"command":%q,"target":%q,"data":%s}`, command, target, data)))
					}
				}
				kind, _, _ := strings.Cut(command, ".")
				if command != "session.logout" {
					requireDocumented(t, session.Do(fmt.Appendf(nil, `{"command":%q,"target":%q,"data":%s}`, command, session.ID()+targetsOf[kind], largeData)))
				}
				for _, target := range []string{".c-1.%00", ".c-1." + strings.Repeat("i", 5000), "..", ".%zz"} {
					requireDocumented(t, session.Do(fmt.Appendf(nil, `{"command":%q,"target":%q,"data":{}}`, command, session.ID()+target)))
				}
				requireDocumented(t, session.Do([]byte(`{"command":"`+command+`","target":7,"requestId":{},"messageType":[]}`)))
				require.Contains(t, string(session.Do([]byte(`{"command":"bind"}`))), `"success"`)
				session.End()
				w.stop()
			}
		})
	}
}

func requireDocumented(t *testing.T, answer []byte) {
	t.Helper()
	var read struct {
		Result   string
		Failure  *struct{ Code, Message string }
		Original json.RawMessage
	}
	require.NoError(t, json.Unmarshal(answer, &read), "%s", answer)
	switch read.Result {
	case "success", "confirm":
	case "failure":
		require.NotEmpty(t, read.Failure.Message)
		require.NotContains(t, []string{"", "INTERNAL", "UNAVAILABLE"}, read.Failure.Code, "%.300s", answer)
		require.NotEmpty(t, read.Original)
	default:
		require.Fail(t, "no documented result", "%.300s", answer)
	}
}
