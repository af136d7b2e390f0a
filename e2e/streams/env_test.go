package streams_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/contract"
	"segue/e2e/stack"
	"segue/gateway"
	"segue/worker/local"
	"segue/workflows/notices"
)

const patience = time.Minute

// What all tests share: a stack with a worker, and two gateways. Each test has a contact center of its own.
var (
	segue    *stack.Stack
	told     *sink
	replicas [2]*stack.Gateway
	expires  = time.Now().Add(time.Hour)
)

// sink publishes what the worker tells, but for the notices that a test loses.
type sink struct {
	publisher *bus.Publisher
	lose      atomic.Pointer[func(*contract.Notice) bool]
}

func (s *sink) Publish(n *contract.Notice) {
	if lose := s.lose.Load(); lose == nil || !(*lose)(n) {
		s.publisher.Publish(n)
	}
}

func (s *sink) Due(d contract.Due) { s.publisher.Due(d) }

func TestMain(m *testing.M) {
	stack.Main(m, stack.Options{BusBytes: bus.DefaultMaxBytes, Notices: func(to *bus.Publisher) notices.Sink {
		told = &sink{publisher: to}
		return told
	}}, prepare)
}

func prepare(s *stack.Stack) error {
	segue = s
	store, err := stack.Parse("timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 0s, late_events: 0s}}\n")
	if err != nil {
		return err
	}
	if _, err := s.StartWorker(local.WorkerOptions{Config: store}); err != nil {
		return err
	}
	for i := range replicas {
		if replicas[i], err = startReplica(keys()); err != nil {
			return err
		}
	}
	return nil
}

// keys is a configuration with a key for each role. The keys are their names.
func keys() string {
	text := "gateway:\n  auth:\n    api_keys:\n"
	for _, key := range []string{
		"platform: platform", "admin: admin", "supervisor: supervisor", "ann: agent, agent: ann", "bob: agent, agent: bob", "short: supervisor",
	} {
		name, role, _ := strings.Cut(key, ": ")
		fields := `contact_centers: ["*"], rate: 100000, role: ` + role
		if name == "short" {
			fields += ", expires: " + expires.UTC().Format(time.RFC3339)
		}
		text += stack.APIKey(name, name, fields)
	}
	return text + stack.APIKey("stranger", "stranger", "contact_centers: [elsewhere], role: admin")
}

func startReplica(text string) (*stack.Gateway, error) {
	store, err := stack.Parse(text)
	if err != nil {
		return nil, err
	}
	return segue.StartGateway(gateway.Options{
		Config: store, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
}

// center is the contact center of a test.
type center struct {
	*testing.T
	name string
}

func newCenter(t *testing.T) *center {
	t.Helper()
	return &center{T: t, name: fmt.Sprintf("c-%d", time.Now().UnixNano())}
}

// send sends a request to a replica and returns the answer.
func (c *center) send(replica int, key, method, path string, body io.Reader, headers ...string) *http.Response {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, replicas[replica].URL+path, body)
	require.NoError(c, err)
	r.Header.Set("X-API-Key", key)
	r.Header.Set("Segue-Contact-Center", c.name)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(c, err)
	return response
}

// post sends a command, or another request that must succeed.
func (c *center) post(path, body string) {
	c.Helper()
	response := c.send(0, "platform", http.MethodPost, path, strings.NewReader(body))
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(c, err)
	require.Less(c, response.StatusCode, 300, "%s %s: %s", path, body, text)
}

func (c *center) start(id, more string) {
	c.Helper()
	c.post("/v1/interactions", fmt.Sprintf(`{"id":%q,"channel":"inbound"%s}`, id, more))
}

func (c *center) command(id, name, body string) {
	c.Helper()
	c.post("/v1/interactions/"+id+"/commands/"+name, body)
}

// event is one server-sent event, as a browser sees it. A block without data is one without a name.
type event struct {
	id, name, data string
}

func (e event) body(t *testing.T) map[string]any {
	t.Helper()
	var body map[string]any
	require.NoError(t, json.Unmarshal([]byte(e.data), &body), e.data)
	return body
}

// events is a client that reads a stream.
type events struct {
	c        *center
	response *http.Response
	comments atomic.Int64
	received chan event

	mu   sync.Mutex
	last string // the id from which it goes on
}

// open opens a stream, which must succeed.
func (c *center) open(replica int, key, query, last string) *events {
	c.Helper()
	var headers []string
	if last != "" {
		headers = []string{"Last-Event-ID", last}
	}
	response := c.send(replica, key, http.MethodGet, "/v1/events"+query, nil, headers...)
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		require.Equal(c, http.StatusOK, response.StatusCode, "%s", text)
	}
	require.Equal(c, "text/event-stream", response.Header.Get("Content-Type"))
	require.Equal(c, "no-store", response.Header.Get("Cache-Control"))
	require.Equal(c, "no", response.Header.Get("X-Accel-Buffering"))
	e := &events{c: c, response: response, received: make(chan event, 10000)}
	c.Cleanup(e.close)
	go e.read()
	return e
}

func (e *events) close() { _ = e.response.Body.Close() }

func (e *events) read() {
	defer close(e.received)
	lines := bufio.NewScanner(e.response.Body)
	lines.Buffer(nil, 4<<20)
	var now event
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case lines.Text() == "":
			if now.id != "" {
				e.mu.Lock()
				e.last = now.id
				e.mu.Unlock()
			}
			if now.name != "" {
				e.received <- now
			}
			now = event{}
		case field == "":
			e.comments.Add(1)
		case field == "id":
			now.id = value
		case field == "event":
			now.name = value
		case field == "data":
			now.data = value
		}
	}
}

func (e *events) lastID() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// next returns the next event.
func (e *events) next() event {
	e.c.Helper()
	select {
	case got, ok := <-e.received:
		require.True(e.c, ok, "the stream ended")
		return got
	case <-time.After(patience):
		require.Fail(e.c, "no event came")
		return event{}
	}
}

// until returns the events up to one of a name.
func (e *events) until(name string) (all []event) {
	e.c.Helper()
	for {
		all = append(all, e.next())
		if all[len(all)-1].name == name {
			return all
		}
	}
}

// ended waits until the stream has ended.
func (e *events) ended(within time.Duration) {
	e.c.Helper()
	limit := time.After(within)
	for {
		select {
		case _, ok := <-e.received:
			if !ok {
				return
			}
		case <-limit:
			require.Fail(e.c, "the stream goes on")
		}
	}
}

func names(all []event) (list []string) {
	for _, e := range all {
		list = append(list, e.name)
	}
	return list
}
