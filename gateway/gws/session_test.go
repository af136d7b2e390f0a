package gws_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/gateway/gws"
	"segue/gateway/presence"
)

// withPresence gives a world the presence on an embedded bus.
func withPresence(t *testing.T) (*world, *presence.Presence) {
	t.Helper()
	server, err := bus.Embed(bus.ServerOptions{})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := bus.Connect(bus.Options{Server: server, Creates: true})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	p := presence.New(presence.Options{Bus: conn})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	require.Eventually(t, func() bool {
		_, err := p.Update(t.Context(), cc, "warm", func(*presence.Agent) error { return nil })
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	w := newWorld(t)
	w.face = gws.NewIn(gws.Options{Presence: p, Settings: func() gws.Settings { return w.settings }},
		gws.World{Sender: w, Lists: w, Watchers: w, Involved: w.Involved})
	return w, p
}

const start = `{"operationName":"StartContactCenterSession","channels":["voice","chat"],"place":"p1","loginCode":"7001","queue":"q","referenceId":"r1"}`

// channels returns the channels that an answer has, each as "NAME STATE".
func channelsOf(of any) []string {
	list := []string{}
	for _, c := range of.([]any) {
		channel := c.(map[string]any)
		list = append(list, fmt.Sprint(channel["channel"], " ", channel["userState"].(map[string]any)["state"]))
	}
	return list
}

func (w *world) channels(who string) []string {
	w.t.Helper()
	return channelsOf(w.do(who, "GET /api/v2/me/channels", "").is(200, 0).body["channels"])
}

func TestASessionFromLoginToLogout(t *testing.T) {
	w, p := withPresence(t)
	changes := make(chan presence.Agent, 100)
	defer p.Watch(func(_, after presence.Agent) { changes <- after })()
	require.Empty(t, w.channels("anna"))
	w.do("anna", "POST /api/v2/me", `{"operationName":"Ready"}`).is(200, 2)

	require.Equal(t, "r1", w.do("anna", "POST /api/v2/me", start).is(200, 0).body["referenceId"])
	require.Equal(t, []string{"voice NotReady", "chat NotReady"}, w.channels("anna"))
	w.do("anna", "POST /api/v2/me", `{"operationName":"Ready","referenceId":8}`).is(200, 0)
	w.do("anna", "POST /api/v2/me/channels/chat", `{"operationName":"Lunch Break-1"}`).is(200, 0)
	require.Equal(t, []string{"voice Ready", "chat Lunch Break-1"}, w.channels("anna"))
	w.do("anna", "POST /api/v2/me/channels/email", `{"operationName":"Ready"}`).is(200, 2)

	w.do("anna", "POST /api/v2/me", `{"operationName":"StartContactCenterSession","channels":["email","voice"]}`).is(200, 0)
	require.Equal(t, []string{"voice Ready", "chat Lunch Break-1", "email NotReady"}, w.channels("anna"), "states stay")
	device := w.do("anna", "GET /api/v2/me/devices", "").is(200, 0).body["devices"].([]any)[0].(map[string]any)
	require.Equal(t, "Active", device["deviceState"])
	require.Equal(t, "p1", device["phoneNumber"])
	w.do("anna", "POST /api/v2/me/devices/"+device["id"].(string), `{"operationName":"NotReady"}`).is(200, 0)
	w.do("bert", "POST /api/v2/me/devices/"+device["id"].(string), `{"operationName":"NotReady"}`).is(404, 6)
	w.do("bert", "GET /api/v2/me/devices/"+device["id"].(string), "").is(404, 6)
	for method, body := range map[string]string{"GET": "", "POST": `{"operationName":"NotReady"}`} {
		w.do("anna", method+" /api/v2"+device["path"].(string), body).is(200, 0)
		w.do("bert", method+" /api/v2"+device["path"].(string), body).is(404, 6)
		w.do("platform", method+" /api/v2"+device["path"].(string), body).is(404, 6)
	}
	user := w.do("anna", "GET /api/v2/me", "").is(200, 0).body["user"].(map[string]any)
	require.Equal(t, user, w.do("anna", "GET /api/v2"+user["path"].(string), "").is(200, 0).body["user"])
	w.do("bert", "GET /api/v2"+user["path"].(string), "").is(404, 6)
	one := w.do("anna", "GET /api/v2/me/devices/"+device["id"].(string), "").is(200, 0).body["device"].(map[string]any)
	require.Equal(t, map[string]any{"id": "900D55CC-2BB0-431F-8BF9-D3525B383BE6", "state": "NotReady", "displayName": "Not Ready"}, one["userState"])
	channel := w.do("anna", "GET /api/v2/me/channels/chat", "").is(200, 0).body["channel"].(map[string]any)
	require.Equal(t, "Lunch Break-1", channel["userState"].(map[string]any)["state"])

	w.do("anna", "POST /api/v2/me/channels/chat", `{"operationName":"LoggedOut"}`).is(200, 0)
	require.Equal(t, []string{"voice NotReady", "email NotReady"}, w.channels("anna"))
	w.do("anna", "POST /api/v2/me", `{"operationName":"EndContactCenterSession"}`).is(200, 0)
	w.do("anna", "POST /api/v2/me", `{"operationName":"EndContactCenterSession"}`).is(200, 0)
	require.Empty(t, w.channels("anna"))
	require.Equal(t, presence.LoggedOut, p.Read(t.Context(), cc, "anna").State)

	first, second := <-changes, <-changes
	require.Equal(t, `"r1"`, first.Reference)
	require.Equal(t, []string{"voice", "chat"}, first.Concerns)
	require.Equal(t, "8", second.Reference)
	require.Eventually(t, func() bool { return len(changes) == 7 }, time.Minute, time.Millisecond, "what is refused changes nothing")
}

func TestTheUserHasEverything(t *testing.T) {
	w, _ := withPresence(t)
	w.start("c1", "inbound", `offer {"agent":"anna"}`)
	w.start("s1", "sms", `offer {"agent":"anna"}`)
	w.start("e1", "email", `offer {"agent":"bert"}`)
	w.do("anna", "POST /api/v2/me", start).is(200, 0)
	for _, path := range []string{"/me", "/me/", "/me?subresources=*", "/me?subresources=features,devices"} {
		user := w.do("anna", "GET /api/v2"+path, "").is(200, 0).body["user"].(map[string]any)
		for key, want := range map[string]any{
			"id": "anna", "userName": "anna", "firstName": "anna", "lastName": "", "roles": []any{"ROLE_AGENT"}, "enabled": true,
			"uri": "http://segue.example/api/v2/users/anna", "path": "/users/anna", "skills": []any{}, "settings": map[string]any{},
			"chats": []any{}, "emails": []any{},
		} {
			require.Equal(t, want, user[key], key)
		}
		require.Equal(t, []string{"voice NotReady", "chat NotReady"}, channelsOf(user["channels"]))
		require.Len(t, user["devices"], 1)
		require.Equal(t, "c1", user["calls"].([]any)[0].(map[string]any)["id"])
		require.Equal(t, "s1", user["openmedia"].([]any)[0].(map[string]any)["id"])
	}
	for _, role := range []string{"supervisor", "admin", "platform"} {
		for _, path := range []string{"GET /api/v2/me", "GET /api/v2/me/channels", "GET /api/v2/me/devices", "GET /api/v2/me/channels/voice"} {
			w.do(role, path, "").is(403, 5)
		}
		w.do(role, "POST /api/v2/me", start).is(403, 5)
	}
}

func TestChannelsOfALogin(t *testing.T) {
	for channels, want := range map[string]struct {
		code int
		has  []string
	}{
		`null`:               {0, []string{"voice NotReady", "chat NotReady", "email NotReady"}},
		`[]`:                 {0, []string{"voice NotReady", "chat NotReady", "email NotReady"}},
		`["sms","sms"]`:      {0, []string{"sms NotReady"}},
		`["fax","workitem"]`: {7, []string{"workitem NotReady"}},
		`["fax"]`:            {10, []string{}},
		`"voice"`:            {10, []string{}},
		`[1]`:                {10, []string{}},
		`[` + strings.Repeat(`"chat",`, 40) + `"chat"]`: {10, []string{}},
	} {
		w, _ := withPresence(t)
		w.do("anna", "POST /api/v2/me", `{"operationName":"StartContactCenterSession","channels":`+channels+`}`).is(200, want.code)
		require.Equal(t, want.has, w.channels("anna"), channels)
	}
}

func TestRefusedCallsOfASession(t *testing.T) {
	w, p := withPresence(t)
	w.do("anna", "POST /api/v2/me", start).is(200, 0)
	before := p.Read(t.Context(), cc, "anna")
	for body, code := range map[string]int{
		`{}`: 1, `{"operationName":""}`: 1, `{"operationName":7}`: 10, `{"operationName":"a/b"}`: 10, `{"operationName":" a"}`: 10, `{"operationName":"` + strings.Repeat("x", 65) + `"}`: 10,
		`{"operationName":"StartContactCenterSession","place":7}`:                                  10,
		`{"operationName":"StartContactCenterSession","queue":"` + strings.Repeat("x", 300) + `"}`: 10,
		`{"operationName":"StartContactCenterSession","loginCode":"a\u0000"}`:                      10,
	} {
		w.do("anna", "POST /api/v2/me", body).is(200, code)
	}
	w.do("anna", "POST /api/v2/me/channels/chat", `{"operationName":"EndContactCenterSession"}`).is(200, 3)
	w.do("anna", "POST /api/v2/me/channels/fax", `{"operationName":"Ready"}`).is(404, 6)
	w.do("anna", "GET /api/v2/me/channels/fax", "").is(404, 6)
	w.do("anna", "POST /api/v2/me", `[]`).is(400, 10)
	w.do("anna", "PUT /api/v2/me", `{}`).is(405, 3)
	require.Equal(t, before, p.Read(t.Context(), cc, "anna"))
}

func TestNoSessionWithoutTheBus(t *testing.T) {
	w := newWorld(t)
	a := w.do("anna", "POST /api/v2/me", start).is(503, 4)
	require.Equal(t, "1", a.Header().Get("Retry-After"))
	w.do("anna", "GET /api/v2/me", "").is(200, 0)
}
