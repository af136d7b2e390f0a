package desktop_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/e2e/bayeux/clients"
)

// kind is how a desktop reaches the gateway.
type kind struct {
	client, transport string
	ack               bool
	// browser makes all but the first request with the session's cookie and CSRF token.
	browser bool
}

func (k kind) String() string {
	return fmt.Sprintf("%s, %s, ack %t, browser %t", k.client, k.transport, k.ack, k.browser)
}

// kinds are all clients by all transports, with and without ack.
func kinds() []kind {
	var all []kind
	for _, client := range []string{"cometd", "faye"} {
		for _, transport := range []string{"websocket", "long-polling"} {
			all = append(all, kind{client: client, transport: transport, ack: true}, kind{client: client, transport: transport})
		}
	}
	return all
}

// desk is the desktop of an agent.
type desk struct {
	*testing.T
	name, url  string
	kind       kind
	headers    map[string]string
	http       *http.Client
	client     *clients.Process
	references int

	// notes are the notifications that no step has looked at, by interaction and topic; others are further messages, by topic.
	notes  map[string]map[string][]note
	others map[string][]map[string]any
	// last has the revision of the last notification of each interaction.
	last map[string]float64
	// handshakes and subscribed count.
	handshakes, subscribed int
}

// note is a notification about an interaction.
type note struct {
	MessageType, NotificationType string
	Reference                     any
	Sequence, Revision            float64
	Resource                      map[string]any
}

var agentCount, interactionCount atomic.Int64

// newAgent returns an agent who has no desktop yet.
func newAgent(t *testing.T, url string, k kind) *desk {
	t.Helper()
	n := int(agentCount.Add(1)) - 1
	require.Less(t, n, agentLimit)
	d := &desk{
		T: t, name: agentName(n), url: url, kind: k, headers: map[string]string{},
		http:  &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}},
		notes: map[string]map[string][]note{}, others: map[string][]map[string]any{}, last: map[string]float64{},
	}
	d.headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(d.name+":"+password))
	return d
}

// open is an agent at the desktop: it asks who it is, handshakes, subscribes, logs in and is ready.
func open(t *testing.T, url string, k kind) *desk {
	t.Helper()
	d := newAgent(t, url, k)
	me, header := d.request(http.MethodGet, "/me", nil)
	require.EqualValues(t, 0, me["statusCode"], "%v", me)
	user := me["user"].(map[string]any)
	require.Equal(t, d.name, user["id"])
	require.Empty(t, user["channels"])
	if k.browser {
		cookie, _, _ := strings.Cut(header.Get("Set-Cookie"), ";")
		require.True(t, strings.HasPrefix(cookie, "JSESSIONID="), "%v", header)
		d.headers = map[string]string{"Cookie": cookie, header.Get("X-CSRF-HEADER"): header.Get("X-CSRF-TOKEN")}
	}
	d.connect("/**")
	d.logIn()
	return d
}

// connect starts the client, and waits until it is subscribed.
func (d *desk) connect(topics ...string) {
	d.Helper()
	d.client = clients.Run(d.T, clients.Options{
		Client: d.kind.client, Transport: d.kind.transport, Ack: d.kind.ack, Headers: d.headers, Topics: topics,
		URL: d.url + "/api/v2/notifications",
	})
	d.until("subscribed", func() bool { return d.subscribed == len(topics) })
}

// logIn begins the agent's session.
func (d *desk) logIn() {
	d.Helper()
	started := d.must("/me", map[string]any{
		"operationName": "StartContactCenterSession", "channels": []string{"voice", "chat", "email"}, "place": "desk", "loginCode": "7001",
	})
	d.presence("NotReady", started["referenceId"])
	ready := d.must("/me", map[string]any{"operationName": "Ready"})
	d.presence("Ready", ready["referenceId"])
}

// presence waits for the messages of a state of all channels.
func (d *desk) presence(state string, reference any) {
	d.Helper()
	channels := d.other("/v2/me/channels")
	require.Equal(d, "ChannelStateChangeMessageV2", channels["messageType"])
	require.Equal(d, reference, channels["referenceId"])
	shown := map[string]any{}
	for _, one := range channels["channels"].([]any) {
		channel := one.(map[string]any)
		shown[channel["channel"].(string)] = channel["userState"].(map[string]any)["state"]
	}
	require.Equal(d, map[string]any{"voice": state, "chat": state, "email": state}, shown)
	devices := d.other("/v2/me/devices")
	require.Equal(d, "DeviceStateChangeMessage", devices["messageType"])
	require.Equal(d, reference, devices["referenceId"])
	device := devices["devices"].([]any)[0].(map[string]any)
	require.Equal(d, state, device["userState"].(map[string]any)["state"])
}

// close ends the agent's session and the client, and requires that every message was looked at.
func (d *desk) close() {
	d.Helper()
	ended := d.must("/me", map[string]any{"operationName": "EndContactCenterSession"})
	d.presence("LoggedOut", ended["referenceId"])
	d.client.Command(d.T, "disconnect", "")
	d.until("disconnected", func() bool { return d.others["disconnected"] != nil })
	for id, topics := range d.notes {
		for topic, notes := range topics {
			require.Empty(d, notes, "%s: %s", id, topic)
		}
	}
}

// must sends an operation, which succeeds, with a reference, and returns the answer.
func (d *desk) must(path string, body map[string]any) map[string]any {
	d.Helper()
	if body["referenceId"] == nil {
		d.references++
		body["referenceId"] = fmt.Sprintf("%s-%d", d.name, d.references)
	}
	got, _ := d.request(http.MethodPost, path, body)
	require.EqualValues(d, 0, got["statusCode"], "%v: %v", body, got)
	require.Equal(d, body["referenceId"], got["referenceId"])
	want := any("ok")
	if body["operationName"] == "Cancel" {
		want = float64(0)
	}
	require.Equal(d, want, got["status"], "%v", got)
	return got
}

// get returns an answer to a GET.
func (d *desk) get(path string) map[string]any {
	d.Helper()
	got, _ := d.request(http.MethodGet, path, nil)
	require.EqualValues(d, 0, got["statusCode"], "%s: %v", path, got)
	return got
}

// request sends a request of the desktop.
func (d *desk) request(method, path string, body any) (map[string]any, http.Header) {
	d.Helper()
	return request(d.T, d.http, method, d.url+"/api/v2"+path, body, d.headers)
}

func request(t *testing.T, client *http.Client, method, url string, body any, headers map[string]string) (map[string]any, http.Header) {
	t.Helper()
	text := ""
	if body != nil {
		encoded, err := json.Marshal(body)
		require.NoError(t, err)
		text = string(encoded)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(text))
	require.NoError(t, err)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(raw, &got), "%s", raw)
	return got, response.Header
}

// platform sends a request of the platform to a gateway.
func platform(t *testing.T, url, path string, body any) map[string]any {
	t.Helper()
	got, _ := request(t, http.DefaultClient, http.MethodPost, url+"/v1/interactions"+path, body, map[string]string{"X-API-Key": platformKey})
	require.True(t, got["answer"] != nil || got["revision"] != nil, "%s: %v", path, got)
	require.Nil(t, got["type"], "%s: %v", path, got)
	return got
}

// start starts an interaction in the queue support, and returns its id.
func start(t *testing.T, channel string) string {
	t.Helper()
	id := fmt.Sprintf("%s-%d", channel, interactionCount.Add(1))
	platform(t, replicas[0], "", map[string]any{
		"id": id, "channel": channel, "queue": "support", "user_data": map[string]any{"subject": "Order 7", "from": "kim@example.com"},
	})
	return id
}

// command gives a command of the platform, by either gateway in turn.
func command(t *testing.T, id, name string, payload map[string]any) {
	t.Helper()
	if payload == nil {
		payload = map[string]any{}
	}
	platform(t, replicas[interactionCount.Add(1)%2], "/"+id+"/commands/"+name, payload)
}

// offer offers an interaction to agents.
func offer(t *testing.T, id string, to ...*desk) {
	t.Helper()
	var agents []string
	for _, d := range to {
		agents = append(agents, d.name)
	}
	command(t, id, "offer", map[string]any{"agents": agents})
}

// until takes what the client prints until a condition holds.
func (d *desk) until(what string, holds func() bool) {
	d.Helper()
	patient := time.NewTimer(patience)
	defer patient.Stop()
	for !holds() {
		select {
		case e, more := <-d.client.Events:
			require.True(d, more, "the client ended; missing: %s", what)
			d.take(e)
		case <-patient.C:
			require.Fail(d, "missing: "+what, "%s (%s): %s", d.name, d.kind, d.inbox())
		}
	}
}

// inbox shows what no step has looked at.
func (d *desk) inbox() string {
	text := ""
	for id, topics := range d.notes {
		for topic, notes := range topics {
			for _, n := range notes {
				text += fmt.Sprintf("\n%s %s: %s %v, reference %v, revision %v", id, topic, n.NotificationType, n.Resource["state"], n.Reference, n.Revision)
			}
		}
	}
	for topic, messages := range d.others {
		text += fmt.Sprintf("\n%s: %v", topic, messages)
	}
	return text
}

// take keeps what the client prints.
func (d *desk) take(e clients.Event) {
	d.Helper()
	switch e.Event {
	case "message":
		d.receive(strings.TrimSuffix(e.Channel, "/"), e.Data)
	case "handshake":
		if e.Successful {
			d.handshakes++
		}
	case "subscribed":
		require.True(d, e.Successful, e.Error)
		d.subscribed++
	case "disconnected":
		d.others["disconnected"] = []map[string]any{{}}
	case "unreadable":
		require.Fail(d, e.Error)
	}
}

// messageTypes are those of notifications, with the key of the resource.
var messageTypes = map[string]string{
	"CallStateChangeMessage": "call", "ChatStateChangeMessage": "chat", "EmailStateChangeMessage": "email",
	"OpenmediaStateChangeMessage": "openmedia", "InteractionStateMessage": "interaction",
}

// topicOf is the topic of each key.
var topicOf = map[string]string{
	"call": "/v2/me/calls", "chat": "/v2/me/chats", "email": "/v2/me/emails", "openmedia": "/v2/me/openmedia", "interaction": "/v2/me/interactions",
}

func (d *desk) receive(topic string, data json.RawMessage) {
	d.Helper()
	var fields map[string]any
	require.NoError(d, json.Unmarshal(data, &fields), "%s", data)
	messageType, _ := fields["messageType"].(string)
	key := messageTypes[messageType]
	if key == "" {
		d.others[topic] = append(d.others[topic], fields)
		return
	}
	require.Equal(d, topicOf[key], topic, "%s", data)
	var n note
	require.NoError(d, json.Unmarshal(data, &n), "%s", data)
	n.Reference = fields["referenceId"]
	n.Resource, _ = fields[key].(map[string]any)
	id, _ := n.Resource["id"].(string)
	require.NotEmpty(d, id, "%s", data)
	if d.notes[id] == nil {
		d.notes[id] = map[string][]note{}
	}
	d.notes[id][topic] = append(d.notes[id][topic], n)
}

// other waits for the next message on a topic that is no notification of an interaction.
func (d *desk) other(topic string) map[string]any {
	d.Helper()
	d.until("a message on "+topic, func() bool { return len(d.others[topic]) > 0 })
	next := d.others[topic][0]
	d.others[topic] = d.others[topic][1:]
	return next
}
