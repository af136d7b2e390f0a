package bayeux_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

func TestTheReplyToAHandshake(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		a := w.caller("anna").raw(t, encoded(t, []fields{handshakeMessage(fields{"id": "1", "ext": fields{"ack": true}})}))
		var replies []map[string]any
		require.NoError(t, json.Unmarshal([]byte(a.body), &replies))
		require.Len(t, replies, 1)
		require.GreaterOrEqual(t, len(replies[0]["clientId"].(string)), 22, "128 random bits")
		require.Regexp(t, `^[0-9A-Za-z_-]+$`, replies[0]["clientId"])
		delete(replies[0], "clientId")
		require.Equal(t, map[string]any{
			"id": "1", "channel": "/meta/handshake", "successful": true, "version": "1.0",
			"supportedConnectionTypes": []any{"websocket", "long-polling"},
			"ext":                      map[string]any{"ack": true},
			"advice":                   map[string]any{"reconnect": "retry", "interval": 0.0, "timeout": 30000.0, "maxInterval": 60000.0},
		}, replies[0])
	})
}

func TestAHandshakeWithoutAckHasNoExt(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		for _, ext := range []any{nil, fields{}, fields{"ack": false}} {
			reply := only(t, w.caller("anna").send(t, handshakeMessage(fields{"ext": ext})))
			require.True(t, reply.ok())
			require.True(t, reply.Ext == nil || len(reply.Ext.Ack) == 0, "%+v", reply)
		}
	})
}

func TestClientIDsDiffer(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		ids := map[string]bool{}
		for range 100 {
			ids[w.caller("anna").handshake(t).id] = true
		}
		require.Len(t, ids, 100)
		require.Equal(t, 100, w.server.Sessions())
	})
}

func TestHandshakesThatAreDenied(t *testing.T) {
	for name, c := range map[string]struct {
		key, text string
		advice    string
		more      fields
	}{
		"no credential":             {key: "", text: "403::handshake_denied", advice: `{"reconnect":"none"}`},
		"wrong token":               {key: "", more: fields{"ext": fields{"authentication": fields{"token": "no"}}}, text: "403::handshake_denied", advice: `{"reconnect":"none"}`},
		"the application fails":     {key: brokenKey, text: "403::handshake_denied", advice: `{"reconnect":"none"}`},
		"too many sessions":         {key: busyKey, text: "429::too_many_sessions", advice: `{"reconnect":"handshake","interval":10000}`},
		"no common connection type": {key: "anna", more: fields{"supportedConnectionTypes": []string{"callback-polling"}}},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, func(t *testing.T, w *world) {
				a := w.caller(c.key).raw(t, encoded(t, []fields{handshakeMessage(c.more)}))
				require.Equal(t, http.StatusOK, a.status)
				reply := only(t, a.messages)
				require.NotNil(t, reply.Successful)
				require.False(t, *reply.Successful)
				require.Empty(t, reply.ClientID)
				require.Regexp(t, `^[0-9]{3}:[^:]*:.+$`, reply.Error)
				require.NotContains(t, a.body, "secret of the database")
				if c.text != "" {
					require.Equal(t, c.text, reply.Error)
					var whole []struct{ Advice json.RawMessage }
					require.NoError(t, json.Unmarshal([]byte(a.body), &whole))
					require.JSONEq(t, c.advice, string(whole[0].Advice))
				}
				require.Zero(t, w.server.Sessions())
			})
		})
	}
}

// A handshake is alone: either it is denied, or what comes with it is ignored.
func TestAHandshakeIsAlone(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		s := w.caller("anna").handshake(t)
		replies := s.send(t, handshakeMessage(fields{"id": "1"}), s.message("/meta/subscribe", fields{"subscription": "/t/a"}))
		require.Equal(t, `"1"`, string(replies[0].ID))
		if replies[0].ok() {
			require.Len(t, replies, 1)
			return
		}
		require.Equal(t, 1, w.server.Sessions())
		require.Empty(t, replies[0].ClientID)
	})
}

func TestTheBrowserCookie(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		c := w.caller("anna")
		a := c.raw(t, encoded(t, []fields{handshakeMessage(nil)}))
		cookies := (&http.Response{Header: a.header}).Cookies()
		require.Len(t, cookies, 1)
		require.Equal(t, "BAYEUX_BROWSER", cookies[0].Name)
		require.GreaterOrEqual(t, len(cookies[0].Value), 16)

		c.cookie = cookies[0].Name + "=" + cookies[0].Value
		again := c.raw(t, encoded(t, []fields{handshakeMessage(nil)}))
		for _, cookie := range (&http.Response{Header: again.header}).Cookies() {
			require.Equal(t, cookies[0].Value, cookie.Value)
		}
		require.Equal(t, []string{"", cookies[0].Value}, w.browsers)

		other := w.caller("anna").raw(t, encoded(t, []fields{handshakeMessage(nil)}))
		require.NotEqual(t, cookies[0].Value, (&http.Response{Header: other.header}).Cookies()[0].Value)
	})
}

// A WebSocket has the cookie of its upgrade, or sets one with it.
func TestTheBrowserCookieOfAWebSocket(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		for _, sent := range []string{"", "BAYEUX_BROWSER=abcdef"} {
			conn, response, err := websocket.Dial(t.Context(), "http://server/cometd", &websocket.DialOptions{
				HTTPClient: w.http, HTTPHeader: http.Header{keyHeader: {"anna"}, "Cookie": {sent}},
			})
			require.NoError(t, err)
			s := socket{conn}
			s.handshake(t, w.caller("anna"), false)
			if sent == "" {
				require.Equal(t, "BAYEUX_BROWSER", response.Cookies()[0].Name)
			} else {
				require.Empty(t, response.Cookies())
			}
			require.NoError(t, conn.CloseNow())
		}
		require.Equal(t, []string{"", "abcdef"}, w.browsers)
	})
}

// A client whose handshake had the credential as a token sends nothing else that identifies it.
func TestASessionOpenedByATokenNeedsNoKey(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		reply := only(t, w.caller("").send(t, handshakeMessage(fields{"ext": fields{"authentication": fields{"token": goodToken}}})))
		require.True(t, reply.ok())
		s := &session{caller: w.caller(""), id: reply.ClientID}
		s.subscribe(t, "/t/a")
		w.publish("/t/a", "1")
		require.Equal(t, []string{"/t/a 1"}, contents(s.poll(t)))
	})
}

// Nobody learns from the reply whether a session of somebody else exists.
func TestSessionsThatACallerDoesNotHave(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		anna := w.caller("anna").handshake(t)
		anna.subscribe(t, "/t/a")
		disconnected := w.caller("anna").handshake(t)
		require.True(t, only(t, disconnected.send(t, disconnected.message("/meta/disconnect", nil))).ok())
		expired := w.caller("anna").handshake(t)
		time.Sleep(50 * time.Second)
		anna.poll(t)
		time.Sleep(50 * time.Second)

		for name, s := range map[string]*session{
			"never opened": {caller: w.caller("anna"), id: "Un1q31d3nt1f13rUn1q31d"},
			"empty":        {caller: w.caller("anna"), id: ""},
			"disconnected": disconnected,
			"expired":      expired,
			"another's":    {caller: w.caller("boris"), id: anna.id},
			"no key":       {caller: w.caller(""), id: anna.id},
		} {
			for _, channel := range []string{"/meta/connect", "/meta/subscribe", "/meta/unsubscribe", "/meta/disconnect"} {
				reply := only(t, s.send(t, s.message(channel, fields{"id": "1", "subscription": "/t/a", "connectionType": "long-polling"})))
				reply.unsuccessful(t, "402::session_unknown")
				require.Equal(t, channel, reply.Channel, name)
				require.Equal(t, `"1"`, string(reply.ID), name)
				require.NotNil(t, reply.Advice, name)
				require.Equal(t, "handshake", reply.Advice.Reconnect, name)
				require.Zero(t, *reply.Advice.Interval, name)
			}
		}
		w.publish("/t/a", "1")
		require.Equal(t, []string{"/t/a 1"}, contents(anna.poll(t)))
	})
}
