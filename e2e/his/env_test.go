package his_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"segue/e2e/stack"
	"segue/gateway"
	"segue/worker/local"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

// The gateway of all tests, and its configuration. Interactions of different tests have different ids.
var (
	url    string
	file   string
	reload = make(chan os.Signal, 1)
)

const settings = `timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, late_events: 1h}}
desktop:
  scripts: [{channel: inbound, id: s1, name: Sales}, {channel: chat, id: s2, name: Chats}]
  dispositions: [{channel: outbound, id: d1, value: SOLD, labels: [{language: en, country: US, name: Sold, description: Order taken}]}]
`

func TestMain(m *testing.M) { stack.Main(m, stack.Options{}, prepare) }

func prepare(s *stack.Stack) error {
	file = s.File
	store, err := s.Configure(settings)
	if err != nil {
		return err
	}
	if _, err := s.StartWorker(local.WorkerOptions{Config: store}); err != nil {
		return err
	}
	g, err := s.StartGateway(gateway.Options{Config: store, Reloads: true, Reload: reload})
	if err != nil {
		return err
	}
	url = g.URL
	return nil
}

type object = map[string]any

// platform sends a request of the platform, and returns the answer.
func platform(t *testing.T, method, path, body string) object {
	t.Helper()
	answer := stack.Must(t, method, url+"/v1"+path, body)
	require.NotNil(t, answer.Body, "%s", answer.Raw)
	return answer.Body
}

// client is a desktop that knows the protocol alone.
type client struct {
	t       *testing.T
	conn    *websocket.Conn
	session string
	number  int
	waiting []object
}

func connect(t *testing.T) *client {
	t.Helper()
	conn, answer, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/his", nil)
	require.NoError(t, err)
	if answer.Body != nil {
		defer answer.Body.Close()
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &client{t: t, conn: conn}
}

// agent opens a session, and returns the replay.
func agent(t *testing.T, name string) (*client, []string) {
	t.Helper()
	c := connect(t)
	answer := c.ask("prepareSession", "", `{"agent":{"id":"`+name+`","password":"any"},"model":"m","override":true}`)
	require.Equal(t, "success", answer["result"], answer)
	c.session, _ = at(answer, "data", "sessionId").(string)
	var replay []string
	for len(replay) == 0 || replay[len(replay)-1] != "session.initialized" {
		replay = append(replay, c.events(1)...)
	}
	return c, replay
}

func (c *client) read() object {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	_, frame, err := c.conn.Read(ctx)
	require.NoError(c.t, err)
	var read object
	require.NoError(c.t, json.Unmarshal(frame, &read), "%s", frame)
	return read
}

// ask sends a request on an object of the session, and returns the answer. Events before it are kept.
func (c *client) ask(command, target, data string) object {
	c.t.Helper()
	c.number++
	if c.session != "" {
		target = strings.TrimSuffix(c.session+"."+target, ".")
	}
	frame := fmt.Sprintf(`{"command":%q,"target":%q,"requestId":"r%d","data":%s}`, command, target, c.number, data)
	require.NoError(c.t, c.conn.Write(c.t.Context(), websocket.MessageText, []byte(frame)))
	for {
		read := c.read()
		if read["messageType"] == "objectEvent" {
			c.waiting = append(c.waiting, read)
			continue
		}
		require.Equal(c.t, fmt.Sprint("r", c.number), read["requestId"])
		return read
	}
}

func (c *client) succeeds(command, target, data string) object {
	c.t.Helper()
	answer := c.ask(command, target, data)
	require.Equal(c.t, "success", answer["result"], answer)
	return answer
}

func (c *client) event() object {
	c.t.Helper()
	if len(c.waiting) > 0 {
		first := c.waiting[0]
		c.waiting = c.waiting[1:]
		return first
	}
	read := c.read()
	require.Equal(c.t, "objectEvent", read["messageType"], read)
	return read
}

// events returns the next events as "name target" or "state STATE target", without the session.
func (c *client) events(n int) []string {
	c.t.Helper()
	var all []string
	for range n {
		e := c.event()
		target, _ := e["target"].(string)
		rest, isOwn := strings.CutPrefix(target, c.session)
		require.True(c.t, isOwn, e)
		name := fmt.Sprint(e["name"])
		if name == "state.updated" {
			name = fmt.Sprint("state ", at(e, "data", "state"))
		}
		all = append(all, strings.TrimSpace(name+" "+strings.TrimPrefix(rest, ".")))
	}
	return all
}

// at returns what is at a path; nil if there is nothing.
func at(o any, path ...string) any {
	for _, key := range path {
		m, _ := o.(object)
		o = m[key]
	}
	return o
}
