package platform_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/config"
	"segue/e2e/stack"
	"segue/gateway/auth"
	"segue/gateway/board"
	"segue/gateway/commands"
	"segue/gateway/index"
	"segue/gateway/platform"
	"segue/interaction"
	"segue/worker/local"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

// The stack of all tests. Interactions of different tests have different ids.
var (
	segue   *stack.Stack
	gateway *httptest.Server
	live    *index.Index
	boards  *board.Board
	// fails makes the receiver of calls answer with 410, which parks a delivery at once.
	fails atomic.Bool
)

func TestMain(m *testing.M) { stack.Main(m, stack.Options{}, prepare) }

func prepare(s *stack.Stack) error {
	segue = s
	receiver := s.StartReceiver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if fails.Load() {
			w.WriteHeader(http.StatusGone)
		}
	}))
	store, err := stack.Parse(fmt.Sprintf(`
calls:
  - {name: crm, method: POST, url: "%s/crm", json: {id: "${interaction.id}"}}
triggers:
  - {when: inbound.dtmf, call: crm}
queues: [{name: sales}]
timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 0s}}
`, receiver))
	if err != nil {
		return err
	}
	if _, err := s.StartWorker(local.WorkerOptions{Config: store, Allow: []string{"127.0.0.0/8"}, Bus: s.Bus.Conn}); err != nil {
		return err
	}
	serve(s, store)
	return nil
}

// serve serves the API alone, over the index and the boards.
func serve(s *stack.Stack, store *config.Store) {
	live = index.New(index.Options{Client: s.Client, Bus: s.Bus.Conn, Log: slog.New(slog.DiscardHandler)})
	boards = board.New(board.Options{Config: store, Client: s.Client, Index: live, Bus: s.Bus.Conn})
	ended := make(chan error, 2)
	running, stop := context.WithCancel(context.Background())
	go func() { ended <- live.Run(running) }()
	go func() { ended <- boards.Run(running) }()
	gateway = httptest.NewServer(authenticated(apiOf(s.Client, platform.DefaultDeadline)))
	s.AtEnd(func() error {
		gateway.Close()
		stop()
		return cmp.Or(<-ended, <-ended)
	})
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

type answer = stack.Answer

// send sends a request. The headers are pairs.
func send(t *testing.T, caller, method, path, body string, headers ...string) answer {
	t.Helper()
	if caller != "" {
		headers = append([]string{"X-Caller", caller}, headers...)
	}
	a, err := stack.Send(t.Context(), http.DefaultClient, method, gateway.URL+path, body, headers...)
	require.NoError(t, err)
	if a.Status >= 400 && method != http.MethodHead {
		require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), "%s %s: %s", method, path, a.Raw)
		require.EqualValues(t, a.Status, a.Body["status"], "%s", a.Raw)
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
	require.Equal(t, status, a.Status, "POST %s %s: %s", path, body, a.Raw)
	return a
}

// started starts an inbound interaction of the contact center acme.
func started(t *testing.T, id string) client.Name {
	t.Helper()
	post(t, http.StatusCreated, thePlatform, "/v1/interactions", fmt.Sprintf(`{"id":%q,"channel":"inbound"}`, id))
	return client.Name{ContactCenter: "acme", ID: id}
}
