package platform_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/client"
	"segue/config"
	"segue/embedded"
	"segue/gateway/auth"
	"segue/gateway/board"
	"segue/gateway/commands"
	"segue/gateway/index"
	"segue/gateway/platform"
	"segue/interaction"
	"segue/worker/local"
)

const (
	patience  = 20 * time.Second
	pollEvery = 20 * time.Millisecond
)

// The Segue of all tests. Interactions of different tests have different ids.
var (
	segue   *local.Segue
	gateway *httptest.Server
	live    *index.Index
	boards  *board.Board
	// fails makes the receiver of calls answer with 410, which parks a delivery at once.
	fails atomic.Bool
)

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
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if fails.Load() {
			w.WriteHeader(http.StatusGone)
		}
	}))
	defer receiver.Close()
	set, err := config.Parse("platform.yaml", fmt.Appendf(nil, `
calls:
  - {name: crm, method: POST, url: "%s/crm", json: {id: "${interaction.id}"}}
triggers:
  - {when: inbound.dtmf, call: crm}
queues: [{name: sales}]
timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 0s}}
`, receiver.URL))
	if err != nil {
		return 1, err
	}
	server, err := bus.Embed(bus.ServerOptions{})
	if err != nil {
		return 1, err
	}
	defer server.Close()
	connection, err := bus.Connect(bus.Options{Server: server, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 1, err
	}
	defer connection.Close()
	publisher := bus.NewPublisher(connection)
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err = cmp.Or(publisher.Close(closing), err)
	}()
	segue, err = local.Start(ctx, local.Options{
		Server: embedded.Options{UIPort: embedded.NoUI, Progress: func(string) {}}, Log: slog.New(slog.DiscardHandler), Notices: publisher,
	})
	if err != nil {
		return 1, err
	}
	defer func() { err = cmp.Or(segue.Stop(), err) }()
	store := config.NewStore(set)
	if _, err := segue.StartWorker(local.WorkerOptions{Config: store, Allow: []string{"127.0.0.0/8"}, Bus: connection}); err != nil {
		return 1, err
	}
	return serve(ctx, m, store, connection)
}

// serve runs the tests with a gateway.
func serve(ctx context.Context, m *testing.M, store *config.Store, connection *bus.Conn) (int, error) {
	live = index.New(index.Options{Client: segue.Client, Bus: connection, Log: slog.New(slog.DiscardHandler)})
	boards = board.New(board.Options{Config: store, Client: segue.Client, Index: live, Bus: connection})
	ended := make(chan error, 2)
	running, stop := context.WithCancel(ctx)
	go func() { ended <- live.Run(running) }()
	go func() { ended <- boards.Run(running) }()
	gateway = httptest.NewServer(authenticated(apiOf(segue.Client, platform.DefaultDeadline)))
	code := m.Run()
	gateway.Close()
	stop()
	return code, cmp.Or(<-ended, <-ended)
}

// apiOf returns the API over a client.
func apiOf(c *client.Client, deadline time.Duration) http.Handler {
	return platform.New(platform.Options{
		Client: c, Sender: commands.New(commands.Options{Client: c}), Index: live, Board: boards, Sessions: sessions{}, Deadline: deadline,
		CursorKeys: func() [][]byte { return [][]byte{[]byte("a key of the tests")} }, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
}

// sessions sets a cookie, as package auth does.
type sessions struct{}

func (sessions) Session(w http.ResponseWriter, _ *http.Request) error {
	http.SetCookie(w, &http.Cookie{Name: "segue_session", Value: "sealed"})
	w.Header().Set("X-CSRF-TOKEN", "token")
	return nil
}

func (sessions) End(w http.ResponseWriter, _ *http.Request, cookie string) {
	http.SetCookie(w, &http.Cookie{Name: cookie, MaxAge: -1})
}

// authenticated gives each request the caller whom the header X-Caller names: ROLE, ROLE:USER, each with
// contact centers after a space. Without the header, a request has no caller.
func authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		named := strings.Fields(r.Header.Get("X-Caller"))
		if len(named) > 0 {
			role, user, _ := strings.Cut(named[0], ":")
			caller := &auth.Caller{Name: named[0], User: user, Role: interaction.Role(role), ContactCenters: named[1:], All: len(named) == 1}
			if caller.Role == interaction.RoleAgent {
				caller.Agent = user
			}
			r = r.WithContext(auth.With(r.Context(), caller))
		}
		next.ServeHTTP(w, r)
	})
}

// The callers of the tests.
const (
	thePlatform   = "platform acme"
	theAdmin      = "admin:root acme"
	theSupervisor = "supervisor:sue acme"
	ann           = "agent:ann acme"
	bob           = "agent:bob acme"
	elsewhere     = "platform umbrella"
)

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

// problem returns the type of the answer's problem.
func (a answer) problem() string {
	kind, _ := a.body["type"].(string)
	return strings.TrimPrefix(kind, "urn:segue:")
}

// send sends a request. The headers are pairs.
func send(t *testing.T, caller, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, gateway.URL+path, bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if caller != "" {
		r.Header.Set("X-Caller", caller)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	a := answer{status: response.StatusCode, header: response.Header, raw: raw}
	_ = json.Unmarshal(raw, &a.body) // an array, or nothing
	if a.status >= 400 && method != http.MethodHead {
		require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"), "%s %s: %s", method, path, raw)
		require.EqualValues(t, a.status, a.body["status"], "%s", raw)
	}
	if caller != "" {
		published().check(t, method, path, a)
	}
	return a
}

// get sends a GET.
func get(t *testing.T, caller, path string) answer { return send(t, caller, http.MethodGet, path, "") }

// post sends a POST, which must be answered with the status.
func post(t *testing.T, status int, caller, path, body string, headers ...string) answer {
	t.Helper()
	a := send(t, caller, http.MethodPost, path, body, headers...)
	require.Equal(t, status, a.status, "POST %s %s: %s", path, body, a.raw)
	return a
}

// started starts an inbound interaction of the contact center acme.
func started(t *testing.T, id string) client.Name {
	t.Helper()
	post(t, http.StatusCreated, thePlatform, "/v1/interactions", fmt.Sprintf(`{"id":%q,"channel":"inbound"}`, id))
	return client.Name{ContactCenter: "acme", ID: id}
}
