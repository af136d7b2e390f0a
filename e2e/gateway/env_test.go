package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/e2e/stack"
	"segue/gateway"
	"segue/interaction"
	"segue/worker/local"
)

const (
	patience  = time.Minute
	pollEvery = 20 * time.Millisecond
)

// caller is a credential of the tests, and who it makes its bearer.
type caller struct {
	name    string
	role    interaction.Role
	centers string
	// token is the JWT of a caller without a key.
	token string
}

// The callers. Those who are agents have their name as their id.
var (
	thePlatform   = caller{name: "switch", role: interaction.RolePlatform, centers: "acme"}
	theAdmin      = caller{name: "root", role: interaction.RoleAdmin, centers: "acme"}
	theSupervisor = caller{name: "sue", role: interaction.RoleSupervisor, centers: "acme"}
	ann           = caller{name: "ann", role: interaction.RoleAgent, centers: "acme"}
	bob           = caller{name: "bob", role: interaction.RoleAgent, centers: "acme"}
	carl          = caller{name: "carl", role: interaction.RoleAgent, centers: "acme"}
	elsewhere     = caller{name: "elsewhere", role: interaction.RolePlatform, centers: "umbrella"}
	anywhere      = caller{name: "anywhere", role: interaction.RolePlatform, centers: "*"}
	nobody        = caller{}
)

func (c caller) key() string { return "a-key-of-the-tests-" + c.name }

// headers returns the credential as a pair of header and value; nothing for nobody.
func (c caller) headers() []string {
	switch {
	case c.token != "":
		return []string{"Authorization", "Bearer " + c.token}
	case c.name != "":
		return []string{"X-API-Key", c.key()}
	}
	return nil
}

// actor is whom the gateway makes of the caller; nil for the platform.
func (c caller) actor() *interaction.Actor {
	if c.role == interaction.RolePlatform {
		return nil
	}
	return &interaction.Actor{ID: c.name, Role: c.role}
}

func (c caller) entry() string {
	fields := fmt.Sprintf("role: %s, contact_centers: [%q], rate: 100000", c.role, c.centers)
	if c.role == interaction.RoleAgent {
		fields += ", agent: " + c.name
	}
	return stack.APIKey(c.name, c.key(), fields)
}

// server is a running gateway.
type server struct {
	url, file string
	reload    chan os.Signal
	store     *config.Store
	log       *stack.Log
}

// The stack and the gateway of all tests. Interactions of different tests have different ids.
var (
	segue  *stack.Stack
	served *server
	issuer *idp
	client = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
)

const timeouts = "timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 1h}}\n"

func TestMain(m *testing.M) { stack.Main(m, stack.Options{}, prepare) }

func prepare(s *stack.Stack) error {
	segue, issuer = s, newIDP()
	s.AtEnd(func() error {
		issuer.server.Close()
		return nil
	})
	if err := os.Setenv(passwordName, userPassword); err != nil {
		return err
	}
	store, err := s.Configure(guarded())
	if err != nil {
		return err
	}
	if _, err := s.StartWorker(local.WorkerOptions{Config: store}); err != nil {
		return err
	}
	served = &server{file: s.File, reload: make(chan os.Signal, 1), store: store, log: &stack.Log{}}
	g, err := s.StartGateway(gateway.Options{
		Config: store, Log: slog.New(slog.NewJSONHandler(served.log, nil)), Reloads: true, Reload: served.reload,
	})
	if err != nil {
		return err
	}
	served.url = g.URL
	s.AtEnd(func() error {
		client.CloseIdleConnections()
		return nil
	})
	return nil
}

// guarded is the configuration of the gateway, less the credentials of some callers.
func guarded(without ...caller) string {
	var text strings.Builder
	text.WriteString(timeouts + "gateway:\n  cors: [\"https://app.example.com\"]\n  auth:\n    api_keys:\n")
	for _, c := range []caller{thePlatform, theAdmin, theSupervisor, ann, bob, carl, elsewhere, anywhere} {
		gone := false
		for _, other := range without {
			gone = gone || c == other
		}
		if !gone {
			text.WriteString(c.entry())
		}
	}
	text.WriteString("    jwt:\n      - " + issuer.entry())
	text.WriteString(users())
	return text.String()
}

// serveOpen starts another gateway, without credentials, and returns its URL.
func serveOpen(t *testing.T) string {
	t.Helper()
	return serveAlso(t, timeouts)
}

// serveAlso starts another gateway, which serves until the test ends, and returns its URL.
func serveAlso(t *testing.T, yaml string) string {
	t.Helper()
	store, err := stack.Parse(yaml)
	require.NoError(t, err)
	g, err := segue.StartGateway(gateway.Options{Config: store})
	require.NoError(t, err)
	t.Cleanup(func() {
		client.CloseIdleConnections()
		require.NoError(t, g.Stop())
	})
	return g.URL
}

type answer = stack.Answer

// textsOf returns a list of texts in a body.
func textsOf(body map[string]any, name string) []string {
	list := []string{}
	values, _ := body[name].([]any)
	for _, value := range values {
		text, _ := value.(string)
		list = append(list, text)
	}
	return list
}

// send sends a request with the caller's credential. The headers are pairs.
func (c caller) send(method, path, body string, headers ...string) (answer, error) {
	return stack.Send(context.Background(), client, method, served.url+path, body, append(c.headers(), headers...)...)
}

// must is send, which must be answered with the status.
func (c caller) must(t *testing.T, status int, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := c.send(method, path, body, headers...)
	require.NoError(t, err)
	require.Equal(t, status, a.Status, "%s %s: %s", method, path, a.Raw)
	require.NotEmpty(t, a.Header.Get("Segue-Request-Id"), "%s %s", method, path)
	require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
	require.Contains(t, []string{"no-store", "private, no-cache"}, a.Header.Get("Cache-Control"), "%s %s", method, path)
	if status >= 400 && method != http.MethodHead {
		require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), "%s %s: %s", method, path, a.Raw)
		require.EqualValues(t, status, a.Body["status"], "%s", a.Raw)
	}
	return a
}
