package his_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/config"
	"segue/embedded"
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

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	carrier, err := gateway.OpenBus(config.Bus{MaxBytes: 64 << 20}, true, quiet)
	if err != nil {
		return 1, err
	}
	defer carrier.Close()
	publisher := bus.NewPublisher(carrier.Conn)
	segue, err := local.Start(ctx, local.Options{Server: embedded.Options{UIPort: embedded.NoUI, Progress: func(string) {}}, Log: quiet, Notices: publisher})
	if err != nil {
		return 1, err
	}
	defer func() {
		err = cmp.Or(err, segue.Stop())
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err = cmp.Or(err, publisher.Close(closing))
	}()
	dir, err := os.MkdirTemp("", "his")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	file = filepath.Join(dir, "segue.yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return 1, err
	}
	store, err := config.Open(file)
	if err != nil {
		return 1, err
	}
	if _, err := segue.StartWorker(local.WorkerOptions{Config: store}); err != nil {
		return 1, err
	}
	stop, err := serve(gateway.Options{Config: store, Client: segue.Client, Namespace: segue.Settings.Namespace, Bus: carrier.Conn,
		Log: quiet, Reloads: true, Reload: reload})
	if err != nil {
		return 1, err
	}
	code = m.Run()
	http.DefaultClient.CloseIdleConnections()
	return code, stop()
}

// serve starts the gateway on a free port, and waits until it is ready.
func serve(o gateway.Options) (stop func() error, err error) {
	if o.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	g, err := gateway.New(o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	stop = func() error {
		cancel()
		return <-ended
	}
	for begun := time.Now(); !g.Health().Ready || len(g.Health().Degraded) > 0; time.Sleep(pollEvery) {
		if time.Since(begun) > patience {
			return nil, fmt.Errorf("the gateway is not ready: %+v: %w", g.Health(), stop())
		}
	}
	url = gateway.URL(o.Config.Current().Gateway, o.Listener)
	return stop, nil
}

type object = map[string]any

// platform sends a request of the platform, and returns the answer.
func platform(t *testing.T, method, path, body string) object {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url+"/v1"+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, 300, "%s %s: %s", method, path, raw)
	var read object
	require.NoError(t, json.Unmarshal(raw, &read), "%s", raw)
	return read
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
