package bayeux_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzBodies posts any bytes: the server answers with JSON and never with a failure of its own, and a session nearby goes
// on. SESSION in a body is the id of the sender's session.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		``, `[]`, `{}`, `[{}]`, `null`, `7`, `"x"`, `[null]`, `[[]]`, `[{"channel":null}]`, "\xff", "\x00", `[{"channel":"\u0000"}]`,
		`{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}`,
		`[{"channel":"/meta/handshake","version":"1.0","minimumVersion":"0.9","supportedConnectionTypes":["websocket"],"ext":{"ack":true,"authentication":{"token":"letmein"}},"id":"1"}]`,
		`[{"channel":"/meta/handshake","version":7,"supportedConnectionTypes":[{}],"ext":[]}]`,
		`[{"channel":"/meta/connect","clientId":"SESSION","connectionType":"long-polling","id":1,"ext":{"ack":0}}]`,
		`[{"channel":"/meta/connect","clientId":"SESSION","connectionType":"websocket","advice":{"timeout":-1,"interval":1e99}}]`,
		`[{"channel":"/meta/connect","clientId":"SESSION","connectionType":[],"advice":[],"ext":{"ack":-9223372036854775809}}]`,
		`[{"channel":"/meta/connect","clientId":"SESSION"},{"channel":"/meta/connect","clientId":"SESSION"}]`,
		`[{"channel":"/meta/subscribe","clientId":"SESSION","subscription":"/t/a","id":"a"},{"channel":"/meta/connect","clientId":"SESSION","connectionType":"long-polling","advice":{"timeout":0}}]`,
		`[{"channel":"/meta/subscribe","clientId":"SESSION","subscription":["/t/a","/t/*","/**","/","","//","/t/a/","/*","/**/x"]}]`,
		`[{"channel":"/meta/unsubscribe","clientId":"SESSION","subscription":[null,7]}]`,
		`[{"channel":"/meta/disconnect","clientId":"SESSION"},{"channel":"/meta/subscribe","clientId":"SESSION","subscription":"/t/a"}]`,
		`[{"channel":"/t/a","data":{},"clientId":"SESSION","id":{"a":[1]}}]`,
		`[{"channel":"/meta/x","channel":"/meta/connect","clientId":"SESSION","clientId":7}]`,
		strings.Repeat(`[`, 1000), `[` + strings.Repeat(`{"channel":"/x"},`, 100) + `{}]`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		inMemory(t, func(t *testing.T, w *world) {
			good := w.caller("good").handshakeWithAck(t)
			good.subscribe(t, "/t/a")
			s := w.caller("anna").handshake(t)

			a, err := s.post(t.Context(), "/cometd", strings.ReplaceAll(string(body), "SESSION", s.id))
			require.NoError(t, err)
			require.Contains(t, []int{http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge}, a.status, a.body)
			require.True(t, json.Valid([]byte(a.body)), a.body)
			require.True(t, utf8.ValidString(a.body))

			w.publish("/t/a", "1")
			require.Equal(t, []int{1}, numbers(t, good.poll(t)))
		})
	})
}
