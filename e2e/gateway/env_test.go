package gateway_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/bus"
	"segue/config"
	"segue/embedded"
	"segue/gateway"
	"segue/interaction"
	"segue/worker/local"
)

const (
	patience  = 20 * time.Second
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
	sum := sha256.Sum256([]byte(c.key()))
	agent := ""
	if c.role == interaction.RoleAgent {
		agent = ", agent: " + c.name
	}
	return fmt.Sprintf("      - {name: %s, sha256: %s, role: %s, contact_centers: [%q], rate: 100000%s}\n", c.name, hex.EncodeToString(sum[:]), c.role, c.centers, agent)
}

// server is a running gateway.
type server struct {
	url, file string
	reload    chan os.Signal
	store     *config.Store
	log       *lines
}

// lines are the logged lines.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// The Segue and the gateway of all tests. Interactions of different tests have different ids.
var (
	segue   *local.Segue
	carrier *gateway.Bus
	served  *server
	issuer  *idp
	client  = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const timeouts = "timeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 1h}}\n"

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	if carrier, err = gateway.OpenBus(config.Bus{MaxBytes: 64 << 20}, true, quiet); err != nil {
		return 1, err
	}
	defer carrier.Close()
	publisher := bus.NewPublisher(carrier.Conn)
	segue, err = local.Start(ctx, local.Options{Server: embedded.Options{UIPort: embedded.NoUI, Progress: func(string) {}}, Log: quiet, Notices: publisher})
	if err != nil {
		return 1, err
	}
	defer func() {
		err = cmp.Or(err, segue.Stop())
		closing, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		err = cmp.Or(err, publisher.Close(closing))
	}()
	set, err := config.Parse("worker.yaml", []byte(timeouts))
	if err != nil {
		return 1, err
	}
	if _, err := segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set)}); err != nil {
		return 1, err
	}
	if err := os.Setenv(passwordName, userPassword); err != nil {
		return 1, err
	}
	issuer = newIDP()
	defer issuer.server.Close()
	dir, err := os.MkdirTemp("", "gateway")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	stop, err := serve(filepath.Join(dir, "segue.yaml"))
	if err != nil {
		return 1, err
	}
	code = m.Run()
	client.CloseIdleConnections()
	return code, stop()
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

// serve starts the gateway of all tests.
func serve(file string) (stop func() error, err error) {
	served = &server{file: file, reload: make(chan os.Signal, 1), log: &lines{}}
	if err := os.WriteFile(file, []byte(guarded()), 0o600); err != nil {
		return nil, err
	}
	if served.store, err = config.Open(file); err != nil {
		return nil, err
	}
	served.url, stop, err = begin(gateway.Options{
		Config: served.store, Log: slog.New(slog.NewJSONHandler(served.log, nil)), Reloads: true, Reload: served.reload,
	})
	return stop, err
}

// serveOpen starts another gateway, without credentials, and returns its URL.
func serveOpen(t *testing.T) string {
	t.Helper()
	set, err := config.Parse("open.yaml", []byte(timeouts))
	require.NoError(t, err)
	url, stop, err := begin(gateway.Options{Config: config.NewStore(set), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() {
		client.CloseIdleConnections()
		require.NoError(t, stop())
	})
	return url
}

// begin starts a gateway on a free port, and waits until it is ready.
func begin(options gateway.Options) (url string, stop func() error, err error) {
	if options.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return "", nil, err
	}
	options.Client, options.Namespace, options.Bus = segue.Client, segue.Settings.Namespace, carrier.Conn
	g, err := gateway.New(options)
	if err != nil {
		return "", nil, err
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
			return "", nil, fmt.Errorf("the gateway is not ready: %+v: %w", g.Health(), stop())
		}
	}
	return gateway.URL(options.Config.Current().Gateway, options.Listener), stop, nil
}

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

// texts returns a list of texts in the body.
func (a answer) texts(name string) []string {
	list := []string{}
	values, _ := a.body[name].([]any)
	for _, value := range values {
		text, _ := value.(string)
		list = append(list, text)
	}
	return list
}

// send sends a request with the caller's credential. The headers are pairs.
func (c caller) send(method, path, body string, headers ...string) (answer, error) {
	r, err := http.NewRequest(method, served.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	headers = append(c.headers(), headers...)
	for i := 0; i+1 < len(headers); i += 2 {
		switch headers[i] {
		case "Host":
			r.Host = headers[i+1]
		case "Content-Type":
			r.Header["Content-Type"] = []string{headers[i+1]}
		default:
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	return receive(r)
}

func receive(r *http.Request) (answer, error) {
	response, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	a := answer{status: response.StatusCode, header: response.Header, raw: raw}
	_ = json.Unmarshal(raw, &a.body) // an array, or nothing
	return a, err
}

func received(t *testing.T, r *http.Request) answer {
	t.Helper()
	a, err := receive(r)
	require.NoError(t, err)
	return a
}

// must is send, which must be answered with the status.
func (c caller) must(t *testing.T, status int, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := c.send(method, path, body, headers...)
	require.NoError(t, err)
	require.Equal(t, status, a.status, "%s %s: %s", method, path, a.raw)
	require.NotEmpty(t, a.header.Get("Segue-Request-Id"), "%s %s", method, path)
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	require.Contains(t, []string{"no-store", "private, no-cache"}, a.header.Get("Cache-Control"), "%s %s", method, path)
	if status >= 400 && method != http.MethodHead {
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), "%s %s: %s", method, path, a.raw)
		require.EqualValues(t, status, a.body["status"], "%s", a.raw)
	}
	return a
}
