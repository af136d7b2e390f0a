package bayeux_test

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// world is an application on an HTTP server in memory.
type world struct {
	*application
	network *network
	http    *http.Client
}

// inMemory runs a test with a fake clock. The test fails if the server leaves anything running.
func inMemory(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t)) })
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{application: newApplication(0), network: newNetwork()}
	transport := &http.Transport{DialContext: w.network.dial}
	w.http = &http.Client{Transport: transport}
	server := &http.Server{Handler: w.handler(t), ErrorLog: log.New(io.Discard, "", 0)}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(w.network) }()
	t.Cleanup(func() {
		w.server.Close()
		require.NoError(t, server.Close())
		transport.CloseIdleConnections()
		require.ErrorIs(t, <-stopped, http.ErrServerClosed)
		time.Sleep(time.Second) // net/http keeps a connection for a while whose request it did not read
	})
	return w
}

// handler fails the test if the server panics, which net/http would only log.
func (a *application) handler(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				t.Errorf("panic: %v", p)
			}
		}()
		a.server.ServeHTTP(w, r)
	})
}

// fields are those of a message that a client sends.
type fields map[string]any

// message is what a client receives.
type message struct {
	Channel      string          `json:"channel"`
	ID           json.RawMessage `json:"id"`
	ClientID     string          `json:"clientId"`
	Successful   *bool           `json:"successful"`
	Error        string          `json:"error"`
	Version      string          `json:"version"`
	Types        []string        `json:"supportedConnectionTypes"`
	Subscription json.RawMessage `json:"subscription"`
	Data         json.RawMessage `json:"data"`
	Advice       *advice         `json:"advice"`
	Ext          *struct {
		Ack json.RawMessage `json:"ack"`
	} `json:"ext"`
}

type advice struct {
	Reconnect   string `json:"reconnect"`
	Interval    *int   `json:"interval"`
	Timeout     *int   `json:"timeout"`
	MaxInterval *int   `json:"maxInterval"`
}

func (m message) ok() bool { return m.Successful != nil && *m.Successful }

// unsuccessful requires a reply with an error.
func (m message) unsuccessful(t *testing.T, text string) {
	t.Helper()
	require.NotNil(t, m.Successful, "%+v", m)
	require.False(t, *m.Successful)
	require.Equal(t, text, m.Error)
}

// answer is the answer to a POST.
type answer struct {
	status   int
	header   http.Header
	body     string
	messages []message
}

// caller sends requests with a key.
type caller struct {
	w      *world
	key    string
	client *http.Client
	cookie string
}

func (w *world) caller(key string) caller { return caller{w: w, key: key, client: w.http} }

// post sends a body and returns the answer, or an error if the connection breaks.
func (c caller) post(ctx context.Context, path, body string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://server"+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	return c.do(request)
}

func (c caller) do(request *http.Request) (answer, error) {
	if c.key != "" {
		request.Header.Set(keyHeader, c.key)
	}
	if c.cookie != "" {
		request.Header.Set("Cookie", c.cookie)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	if a.status != http.StatusOK {
		return a, nil
	}
	return a, json.Unmarshal(body, &a.messages)
}

// send sends messages by one POST, and returns what comes.
func (c caller) send(t *testing.T, messages ...fields) []message {
	t.Helper()
	a := c.raw(t, encoded(t, messages))
	require.Equal(t, http.StatusOK, a.status, a.body)
	return a.messages
}

// raw sends a body, which need not be Bayeux.
func (c caller) raw(t *testing.T, body string) answer {
	t.Helper()
	a, err := c.post(t.Context(), "/cometd", body)
	require.NoError(t, err)
	return a
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
