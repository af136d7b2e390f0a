package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus/bustest"
	"segue/client"
	"segue/contract"
	"segue/gateway/cometd"
	"segue/gateway/gws/notify"
	"segue/gateway/index"
	"segue/gateway/index/indextest"
	"segue/gateway/presence"
)

const base = "https://gws.example"

// bench is a notifier with all that it needs, in a bubble of synctest.
type bench struct {
	world    *indextest.World
	stream   *bustest.Stream
	presence *presence.Presence
	log      *slog.Logger // nil for none
	index    *index.Index
	notifier *notify.Notifier
	server   *cometd.Server
}

// run runs a test with a bench whose notifier is ready. before is done before that.
func run(t *testing.T, before func(*bench), test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, stop := open(before)
		defer stop()
		test(t, b)
	})
}

// open returns a bench whose notifier is ready, and begin one whose is not.
func open(before func(*bench)) (b *bench, stop func()) {
	b, stop = begin(before)
	for !b.notifier.IsReady() {
		time.Sleep(10 * time.Millisecond)
	}
	return b, stop
}

func begin(before func(*bench)) (b *bench, stop func()) {
	b = &bench{world: indextest.New(), stream: bustest.New()}
	if before != nil {
		before(b)
	}
	c := &client.Client{Temporal: b.world, TaskQueue: "q", Patience: time.Millisecond}
	b.index = index.New(index.Options{Client: c, Bus: b.stream})
	b.notifier = notify.New(notify.Options{Index: b.index, Presence: b.presence, Log: b.log})
	b.server = cometd.New(cometd.Options{
		Identify: func(r *http.Request) string { return r.Header.Get("Agent") },
		Open: func(h *cometd.Handshake) (*cometd.Peer, error) {
			agent := h.Request.Header.Get("Agent")
			cc, id, found := strings.Cut(agent, "/")
			if !found {
				cc, id = indextest.Center, agent
			}
			return &cometd.Peer{Key: agent, Context: context.Background(), Value: notify.User{ContactCenter: cc, Agent: id, Base: base}}, nil
		},
		Grants: b.notifier.Grants, Subscribed: b.notifier.Subscribed, Closed: b.notifier.Closed,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- b.index.Run(ctx) }()
	go func() { ended <- b.notifier.Run(ctx) }()
	return b, func() {
		b.server.Close()
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				panic(err)
			}
		}
	}
}

// publish publishes notices, and waits until they are delivered.
func (b *bench) publish(notices ...*contract.Notice) {
	for _, n := range notices {
		b.stream.Publish(n)
	}
	time.Sleep(time.Millisecond)
	synctest.Wait()
}

// desktop is a client of an agent.
type desktop struct {
	t         require.TestingT
	server    http.Handler
	agent, id string
	browser   string
	ack       int // the number of the last reply to a connect
}

// received is one message.
type received struct {
	Channel string
	Data    json.RawMessage
	data    struct {
		MessageType, NotificationType string
		ReferenceID                   json.RawMessage
		Revision                      int64
		Interaction, Call             *resource
	}
}

type resource struct {
	ID, State    string
	Capabilities []string
}

// desktop opens a session, in a new browser if it is empty.
func (b *bench) desktop(t require.TestingT, agent, browser string, topics ...string) *desktop {
	d := &desktop{t: t, server: b.server, agent: agent, browser: browser}
	d.open("")
	if len(topics) > 0 {
		require.Empty(t, d.subscribe(topics...))
	}
	return d
}

// open opens a session. fields are more of the handshake, such as ext.
func (d *desktop) open(fields string) {
	replies, _ := d.post(`[{"channel":"/meta/handshake",` + fields + `"version":"1.0","supportedConnectionTypes":["long-polling"]}]`)
	require.Equal(d.t, true, replies[0]["successful"], replies)
	d.id, _ = replies[0]["clientId"].(string)
	d.ack = 0
}

// post returns the replies and the messages.
func (d *desktop) post(body string) (replies []map[string]any, messages []received) {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/api/v2/notifications", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Agent", d.agent)
	if d.browser != "" {
		r.AddCookie(&http.Cookie{Name: "BAYEUX_BROWSER", Value: d.browser})
	}
	w := httptest.NewRecorder()
	d.server.ServeHTTP(w, r)
	require.Equal(d.t, http.StatusOK, w.Code, w.Body.String())
	for _, c := range w.Result().Cookies() {
		if c.Name == "BAYEUX_BROWSER" {
			d.browser = c.Value
		}
	}
	var all []json.RawMessage
	require.NoError(d.t, json.Unmarshal(w.Body.Bytes(), &all))
	for _, one := range all {
		if bytes.Contains(one, []byte(`"data"`)) {
			var m received
			require.NoError(d.t, json.Unmarshal(one, &m))
			require.NoError(d.t, json.Unmarshal(m.Data, &m.data))
			messages = append(messages, m)
			continue
		}
		var reply map[string]any
		require.NoError(d.t, json.Unmarshal(one, &reply))
		replies = append(replies, reply)
	}
	return replies, messages
}

// subscribe subscribes, and returns the messages that came because of it.
func (d *desktop) subscribe(topics ...string) []received {
	names, err := json.Marshal(topics)
	require.NoError(d.t, err)
	replies, messages := d.post(fmt.Sprintf(`[{"channel":"/meta/subscribe","clientId":%q,"subscription":%s}]`, d.id, names))
	require.Equal(d.t, true, replies[0]["successful"], replies)
	return append(messages, d.poll()...)
}

// poll returns the messages that wait.
func (d *desktop) poll() []received {
	var all []received
	for {
		messages := d.connect()
		if len(messages) == 0 {
			return all
		}
		all = append(all, messages...)
	}
}

// connect acknowledges what came with the last connect, and returns what waits.
func (d *desktop) connect() []received {
	replies, messages := d.post(fmt.Sprintf(
		`[{"channel":"/meta/connect","clientId":%q,"connectionType":"long-polling","ext":{"ack":%d},"advice":{"timeout":0}}]`, d.id, d.ack))
	if ext, isAcking := replies[0]["ext"].(map[string]any); isAcking {
		d.ack = int(ext["ack"].(float64))
	}
	return messages
}

func (d *desktop) disconnect() {
	d.post(fmt.Sprintf(`[{"channel":"/meta/disconnect","clientId":%q}]`, d.id))
}

// lose lets the session expire.
func (d *desktop) lose() {
	time.Sleep(61 * time.Second)
	synctest.Wait()
}

// brief are messages as topic, type, state and reference, sorted by topic; the order of those of a topic stays.
func brief(messages []received) []string {
	lines := make([]string, 0, len(messages))
	for _, m := range messages {
		line := strings.TrimPrefix(m.Channel, "/v2/me/") + " " + m.data.NotificationType
		for _, r := range []*resource{m.data.Call, m.data.Interaction} {
			if r != nil {
				line += " " + r.ID + " " + r.State
			}
		}
		if m.data.ReferenceID != nil {
			line += " " + string(m.data.ReferenceID)
		}
		lines = append(lines, line)
	}
	slices.SortStableFunc(lines, func(a, b string) int {
		topicA, _, _ := strings.Cut(a, " ")
		topicB, _, _ := strings.Cut(b, " ")
		return strings.Compare(topicA, topicB)
	})
	return lines
}
