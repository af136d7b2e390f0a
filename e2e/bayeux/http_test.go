package bayeux_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is no Bayeux is refused by the application's Refuse, and sessions nearby go on.
func TestWhatIsNoBayeuxIsRefused(t *testing.T) {
	const messages = `{"channel":"/meta/connect"}`
	for name, c := range map[string]struct {
		method, media, body string
		status              int
	}{
		"GET":                    {method: http.MethodGet, status: http.StatusMethodNotAllowed},
		"HEAD":                   {method: http.MethodHead, status: http.StatusMethodNotAllowed},
		"PUT":                    {method: http.MethodPut, body: "[" + messages + "]", status: http.StatusMethodNotAllowed},
		"DELETE":                 {method: http.MethodDelete, status: http.StatusMethodNotAllowed},
		"PATCH":                  {method: http.MethodPatch, body: "[" + messages + "]", status: http.StatusMethodNotAllowed},
		"plain text":             {media: "text/plain", body: "[" + messages + "]", status: http.StatusUnsupportedMediaType},
		"form":                   {media: "application/x-www-form-urlencoded", body: "message=[]", status: http.StatusUnsupportedMediaType},
		"multipart":              {media: "multipart/form-data; boundary=x", body: "--x--", status: http.StatusUnsupportedMediaType},
		"empty":                  {body: "", status: http.StatusBadRequest},
		"white space":            {body: " \n", status: http.StatusBadRequest},
		"no JSON":                {body: "channel=/meta/connect", status: http.StatusBadRequest},
		"number":                 {body: "7", status: http.StatusBadRequest},
		"text":                   {body: `"/meta/connect"`, status: http.StatusBadRequest},
		"null":                   {body: "null", status: http.StatusBadRequest},
		"array of a number":      {body: "[7]", status: http.StatusBadRequest},
		"array of null":          {body: "[null]", status: http.StatusBadRequest},
		"array of an array":      {body: "[[" + messages + "]]", status: http.StatusBadRequest},
		"half":                   {body: "[" + messages, status: http.StatusBadRequest},
		"more than one value":    {body: "[" + messages + "][]", status: http.StatusBadRequest},
		"invalid UTF-8":          {body: "[{\"channel\":\"/t/\xff\"}]", status: http.StatusBadRequest},
		"101 messages":           {body: "[" + strings.Repeat(messages+",", 100) + messages + "]", status: http.StatusBadRequest},
		"too deep":               {body: `[{"channel":"/t/a","data":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}]`, status: http.StatusBadRequest},
		"too large":              {body: `[{"channel":"/t/a","data":"` + strings.Repeat("x", 2<<20) + `"}]`, status: http.StatusRequestEntityTooLarge},
		"too large, white space": {body: strings.Repeat(" ", 2<<20), status: http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				good := w.caller("good").handshake(t)
				good.subscribe(t, "/t/a")
				method := c.method
				if method == "" {
					method = http.MethodPost
				}
				request, err := http.NewRequestWithContext(t.Context(), method, "http://server/cometd", strings.NewReader(c.body))
				require.NoError(t, err)
				request.Header.Set("Content-Type", "application/json")
				if c.media != "" {
					request.Header.Set("Content-Type", c.media)
				}
				a, err := w.caller("other").do(request)
				require.NoError(t, err)
				require.Equal(t, c.status, a.status, a.body)
				if method != http.MethodHead {
					var refusal struct{ Refused string }
					require.NoError(t, json.Unmarshal([]byte(a.body), &refusal))
					require.NotEmpty(t, refusal.Refused)
				}
				if c.status == http.StatusMethodNotAllowed {
					require.Contains(t, a.header.Get("Allow"), http.MethodPost)
				}
				w.publish("/t/a", "1")
				require.Equal(t, []string{"/t/a 1"}, contents(good.poll(t)))
			})
		})
	}
}

// Bodies that are unusual but Bayeux.
func TestUnusualBodiesAreAnswered(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		for name, body := range map[string]string{
			"an object":      encoded(t, handshakeMessage(nil)),
			"an array":       encoded(t, []fields{handshakeMessage(nil)}),
			"unknown fields": encoded(t, []fields{handshakeMessage(fields{"x": fields{"y": []int{1}}, "minimumVersion": "1.0", "advice": fields{"timeout": 60000, "interval": 0}})}),
			"white space":    "\n [ " + encoded(t, handshakeMessage(nil)) + " ] \r\n",
			"escapes":        strings.ReplaceAll(encoded(t, handshakeMessage(nil)), "/meta/handshake", `\/meta\/h\u0061ndshake`),
		} {
			a := c.raw(t, body)
			require.Equal(t, http.StatusOK, a.status, name)
			require.True(t, strings.HasPrefix(a.header.Get("Content-Type"), "application/json"), name)
			require.True(t, only(t, a.messages).ok(), name)
			require.True(t, strings.HasPrefix(a.body, "["), "%s: a reply is an array", name)
		}
	})
}

// No content of a message makes the server fail: it is refused as no Bayeux, or its reply is unsuccessful.
func TestHostileMessagesAreRefused(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		id := `"clientId":"` + s.id + `"`
		for name, body := range map[string]string{
			"duplicate channels":       `[{"channel":"/meta/subscribe","channel":"/t/a",` + id + `}]`,
			"NUL in the channel":       `[{"channel":"/t/\u0000",` + id + `}]`,
			"NUL in the id":            `[{"channel":"/t/a","id":"\u0000",` + id + `}]`,
			"NUL in a subscription":    `[{"channel":"/meta/subscribe","subscription":"/t/\u0000",` + id + `}]`,
			"half a surrogate":         `[{"channel":"/t/\ud800",` + id + `}]`,
			"subscription of a number": `[{"channel":"/meta/subscribe","subscription":7,` + id + `}]`,
			"subscription of null":     `[{"channel":"/meta/subscribe","subscription":null,` + id + `}]`,
			"no subscription":          `[{"channel":"/meta/subscribe",` + id + `}]`,
			"subscription of objects":  `[{"channel":"/meta/subscribe","subscription":[{}],` + id + `}]`,
			"empty subscription":       `[{"channel":"/meta/subscribe","subscription":"",` + id + `}]`,
			"channel of a number":      `[{"channel":7,` + id + `}]`,
			"channel of null":          `[{"channel":null,` + id + `}]`,
			"clientId of a number":     `[{"channel":"/meta/subscribe","subscription":"/t/a","clientId":7}]`,
			"clientId of an object":    `[{"channel":"/meta/connect","clientId":{"a":1}}]`,
			"long clientId":            `[{"channel":"/meta/connect","clientId":"` + strings.Repeat("x", 10_000) + `"}]`,
			"long id":                  `[{"channel":"/meta/x","id":"` + strings.Repeat("x", 10_000) + `",` + id + `}]`,
			"deep id":                  `[{"channel":"/meta/x","id":[[[[{}]]]],` + id + `}]`,
			"no handshake version":     `[{"channel":"/meta/handshake"}]`,
			"types of a number":        `[{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":7}]`,
			"relative channel":         `[{"channel":"t/a",` + id + `}]`,
			"dots":                     `[{"channel":"/meta/../t/a",` + id + `}]`,
			"wildcard as channel":      `[{"channel":"/**",` + id + `}]`,
		} {
			a := s.raw(t, body)
			require.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, a.status, "%s: %s", name, a.body)
			require.True(t, json.Valid([]byte(a.body)), "%s: %s", name, a.body)
			require.NotEmpty(t, a.body, name)
			for _, m := range a.messages {
				require.NotNil(t, m.Successful, name)
				require.False(t, *m.Successful, "%s: %s", name, a.body)
				require.NotEmpty(t, m.Error, name)
			}
		}
		s.subscribe(t, "/t/a")
		w.publish("/t/a", "1")
		require.Equal(t, []string{"/t/a 1"}, contents(s.poll(t)))
	})
}

// The cometd client appends "/", "/handshake" and "/connect" to the URL.
func TestSegmentsBelowTheURL(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		for _, path := range []string{"/cometd", "/cometd/", "/cometd/handshake", "/cometd/connect", "/cometd/disconnect"} {
			a, err := c.post(t.Context(), path, encoded(t, []fields{handshakeMessage(nil)}))
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, a.status, path)
			require.True(t, only(t, a.messages).ok(), path)
		}
	})
}

// A reply has the id of its request, of whatever kind, so that clients find the request.
func TestRepliesRepeatTheID(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		for _, channel := range []string{"/meta/handshake", "/meta/subscribe", "/meta/unsubscribe", "/meta/connect", "/t/a", "/meta/x"} {
			for _, id := range []any{"7", "a1B2", 7, 1.5, nil} {
				message := s.message(channel, fields{
					"id": id, "subscription": "/t/a", "connectionType": "long-polling", "advice": fields{"timeout": 0},
					"version": "1.0", "supportedConnectionTypes": []string{"long-polling"},
				})
				replies := s.send(t, message)
				require.Equal(t, channel, only(t, replies).Channel)
				if id == nil {
					require.Contains(t, []string{"", "null"}, string(replies[0].ID), channel)
					continue
				}
				require.JSONEq(t, encoded(t, id), string(replies[0].ID), channel)
			}
		}
		reply := only(t, s.send(t, s.message("/meta/subscribe", fields{"subscription": "/t/a"})))
		require.Empty(t, reply.ID, "an id that was not sent")
	})
}

// Replies come in the order of the messages, each with its own result.
func TestABatchIsAnsweredInOrder(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		replies := s.send(t,
			s.message("/meta/subscribe", fields{"id": "1", "subscription": "/t/a"}),
			s.message("/t/a", fields{"id": "2", "data": fields{}}),
			s.message("/meta/unsubscribe", fields{"id": "3", "subscription": "/t/a"}),
			s.message("/meta/connect", fields{"id": "4", "connectionType": "long-polling"}),
			s.message("/meta/x", fields{"id": "5"}),
			fields{"clientId": s.id, "id": "6"},
			s.message("/meta/disconnect", fields{"id": "7"}),
			s.message("/meta/subscribe", fields{"id": "8", "subscription": "/t/a"}),
		)
		got := map[string]string{}
		for _, m := range replies {
			got[string(m.ID)] = m.Error
			require.Equal(t, s.id, m.ClientID)
		}
		require.Equal(t, map[string]string{
			`"1"`: "", `"2"`: "403::publish_denied", `"3"`: "", `"4"`: "", `"5"`: "404::unknown_channel",
			`"6"`: "400::channel_missing", `"7"`: "", `"8"`: "402::session_unknown",
		}, got)
		require.Len(t, replies, 8)
	})
}
