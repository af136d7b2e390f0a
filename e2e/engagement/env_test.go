package engagement_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/e2e/stack"
	"segue/gateway"
	"segue/worker/local"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

var (
	url, site string
	// startWorker starts a worker, and worker is the one that runs.
	startWorker func() (*local.Worker, error)
	worker      *local.Worker
	// startGateway starts a gateway, and returns its URL.
	startGateway func() (url string, stop func() error, err error)
	received     callbacks
)

// refusal is in the profiles that the backend refuses, once refuse is closed.
const refusal = `"refuse":true`

var refuse = make(chan struct{})

// callbacks are the requests that the backend has got, and how it answered.
type callbacks struct {
	mu  sync.Mutex
	all []string
}

// of returns those that have a text.
func (c *callbacks) of(text string) (found []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.all {
		if strings.Contains(one, text) {
			found = append(found, one)
		}
	}
	return found
}

// ServeHTTP records a callback and lets the gateway itself answer, unless the profile is to be refused.
func (c *callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	status, answer := http.StatusBadRequest, []byte(`{"status":"FAULT","code":"illegal-command","message":"the visitor has left"}`)
	if strings.Contains(string(body), refusal) {
		<-refuse
	} else {
		status, answer = send(r.Context(), r.Method, url+r.URL.Path, string(body))
	}
	c.mu.Lock()
	c.all = append(c.all, fmt.Sprint(r.URL.Path, " ", status, " ", string(body)))
	c.mu.Unlock()
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// send sends a request of a page or a strategy, which sends no Content-Type, or of the platform.
func send(ctx context.Context, method, to, body string) (int, []byte) {
	r, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	if strings.Contains(to, "/v1/") {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := stack.Do(http.DefaultClient, r)
	if err != nil {
		return http.StatusBadGateway, nil
	}
	return answer.Status, answer.Raw
}

func TestMain(m *testing.M) { stack.Main(m, stack.Options{}, prepare) }

func prepare(s *stack.Stack) (err error) {
	site = s.StartReceiver(http.FileServer(http.Dir("../../examples/engagement")))
	if err := os.Setenv("ENGAGEMENT_TEST_KEY", strings.Repeat("k", 40)); err != nil {
		return err
	}
	store, err := s.Configure(fmt.Sprintf(`
engagement: {backend: %q, queue: web}
gateway: {session_keys: [env:ENGAGEMENT_TEST_KEY], engagement: {open_visits: true, origins: [%q]}}
timeouts:
  default: {engagement: 1h, offer: 0s, queue: 0s, wrap_up: 0s, late_events: 0s}
  channels: {sms: {engagement: 3s}}
`, s.StartReceiver(&received), site))
	if err != nil {
		return err
	}
	startWorker = func() (*local.Worker, error) {
		return s.StartWorker(local.WorkerOptions{Config: store, Allow: []string{"127.0.0.0/8"}, Bus: s.Bus.Conn})
	}
	if worker, err = startWorker(); err != nil {
		return err
	}
	startGateway = func() (string, func() error, error) {
		g, err := s.StartGateway(gateway.Options{Config: store})
		if err != nil {
			return "", nil, err
		}
		return g.URL, g.Stop, nil
	}
	url, _, err = startGateway()
	return err
}

// post sends a request to the gateway.
func post(t *testing.T, path, body string) (int, map[string]any) {
	t.Helper()
	status, text := send(t.Context(), http.MethodPost, url+path, body)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields), "%s", text)
	return status, fields
}

// state returns the state of an interaction.
func state(t *testing.T, id string) map[string]any {
	t.Helper()
	status, text := send(t.Context(), http.MethodGet, url+"/v1/interactions/"+id, "")
	require.Equal(t, 200, status, "%s", text)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	delete(fields, "undelivered") // it changes whenever the backend answers
	return fields
}
