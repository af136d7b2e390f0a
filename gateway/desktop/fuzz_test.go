package desktop_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/desktop"
)

// FuzzFrames answers any frame: each answer is an object of one of the documented shapes, and the session
// lives on.
func FuzzFrames(f *testing.F) {
	for _, frame := range []string{
		``, `{`, `[]`, `{}`, `{"command":"interaction.accept"}`, `{"command":"interaction.accept","target":"SESSION.c-1.i1","requestId":1}`,
		`{"command":"session.request.addchannel","target":"SESSION","data":{"channel":{"endpoint":"x","type":"Chat"}}}`,
		`{"command":"session.addchannelgroup","target":"SESSION","data":{"channelgroup":{"name":"g"},"channels":[{"type":"Email"}]}}`,
		`{"messageType":"resourceRequest","command":"conversation.answer","target":"SESSION.c-1.i1.p","requestId":"r"}`,
		`{"command":"channel.dial","target":"SESSION.c-1","data":{"destination":"+1","extensions":{"a":[1,{"b":null}]}}}`,
		`{"command":"interaction.request.incontact.signal","target":"SESSION.c-1.i1","data":{"p1":"x","p20":"y","name":"n"}}`,
		`{"command":"interaction.setdisposition","target":"SESSION.c-1.i1","data":{"interactionDispositionId":"d1"}}`,
		`{"command":"interaction.consultdial","target":"SESSION.c-1.i1","data":{"destination":"+1","agent":"bob"}}`,
		`{"command":"prepareSession","data":{"agent":{"id":"cc/ann","password":"right"},"override":true}}`, `{"command":"session.logout","target":"SESSION"}`,
		`{"command":"interaction.accept","target":"SESSION.%2E.%zz"}`, `{"command":"bind","messageType":7}`, `{"command":"bind","requestId":{}}`,
	} {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		w := newWorld(t)
		w.start("i1", "inbound", `offer {"agent":"ann"}`)
		session := desktop.NewSession(t.Context(), w.server, "ann")
		defer session.End()
		frame = bytes.ReplaceAll(frame, []byte("SESSION"), []byte(session.ID()))
		answer := session.Do(frame)
		var read struct {
			MessageType string
			Result      string
			Error       *struct{ Code, Message string }
			Failure     *struct{ Code, Message string }
			Original    json.RawMessage
		}
		require.NoError(t, json.Unmarshal(answer, &read), "%s", answer)
		switch {
		case read.MessageType == "coreError" && read.Error != nil:
			require.NotEqual(t, "INTERNAL", read.Error.Code)
			require.NotEmpty(t, read.Error.Message)
		case read.Result == "failure":
			require.NotEmpty(t, read.Failure.Code)
			require.NotEqual(t, "INTERNAL", read.Failure.Code, "%s", answer)
			require.JSONEq(t, string(frame), string(read.Original))
		case read.Result == "confirm":
			require.JSONEq(t, string(frame), string(read.Original))
		default:
			require.Equal(t, "success", read.Result, "%s", answer)
		}
	})
}
