package auth_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"segue/config"
	"segue/delivery"
	"segue/gateway/auth"
	"segue/interaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when the clock of a test begins. It is now, as certificates are checked by the real clock.
var start = time.Now().Truncate(time.Second)

type clock struct {
	mutex sync.Mutex
	now   time.Time
}

func newClock() *clock { return &clock{now: start} }

func (c *clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.Add(d)
}

const (
	adminKey = "key-of-the-admin"
	agentKey = "key-of-an-agent"
	shortKey = "key-that-expires"
)

func hashed(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// secrets resolves references to what is in the map.
type secrets struct {
	mutex  sync.Mutex
	values map[delivery.SecretRef]string
}

func (s *secrets) resolve(ref delivery.SecretRef) (string, error) {
	if file, ok := strings.CutPrefix(string(ref), "file:"); ok {
		content, err := os.ReadFile(file)
		return string(content), err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	value, ok := s.values[ref]
	if !ok {
		return "", errors.New("secret is not set")
	}
	return value, nil
}

func (s *secrets) set(ref delivery.SecretRef, value string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.values[ref] = value
}

func newSecrets() *secrets {
	return &secrets{values: map[delivery.SecretRef]string{"env:PASSWORD": "open sesame",
		"env:OLD": "an older session key of 32 bytes or more", "env:NEW": "a newer session key of 32 bytes or more"}}
}

var passwordHash = func() string {
	hash, err := bcrypt.GenerateFromPassword([]byte("bcrypted"), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hash)
}()

// longPassword is as long as what bcrypt reads.
var longPassword = strings.Repeat("l", 72)

var longHash = func() string {
	hash, err := bcrypt.GenerateFromPassword([]byte(longPassword), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hash)
}()

// configured has a credential of every kind.
func configured(issuers ...config.Issuer) config.Gateway {
	return config.Gateway{
		Address: "0.0.0.0:8080",
		Auth: config.Auth{
			APIKeys: []config.APIKey{
				{Name: "admin", SHA256: hashed(adminKey), Role: interaction.RoleAdmin, ContactCenters: []string{"acme", "globex"}, Rate: 50},
				{Name: "agent", SHA256: hashed(agentKey), Role: interaction.RoleAgent, Agent: "ann", ContactCenters: []string{"acme"}},
				{Name: "short", SHA256: hashed(shortKey), Role: interaction.RolePlatform, ContactCenters: []string{"*"}, Expires: start.Add(time.Hour)},
			},
			Users: []config.User{
				{Name: "bob", Password: "env:PASSWORD", Role: interaction.RoleAgent, ContactCenters: []string{"acme"}},
				{Name: "long", PasswordHash: longHash, Role: interaction.RoleAgent, ContactCenters: []string{"acme"}},
				{Name: "sue", PasswordHash: passwordHash, Role: interaction.RoleSupervisor, ContactCenters: []string{"acme"}},
			},
			JWT: issuers,
		},
	}
}

// fixture is an Auth with a clock and secrets of the test.
type fixture struct {
	*auth.Auth
	t       *testing.T
	clock   *clock
	secrets *secrets
	classes []string
	mutex   sync.Mutex
}

func newFixture(t *testing.T, g config.Gateway, change ...func(*auth.Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: newClock(), secrets: newSecrets()}
	options := auth.Options{Resolve: f.secrets.resolve, Now: f.clock.Now, Observe: f.observe}
	for _, c := range change {
		c(&options)
	}
	made, err := auth.New(g, options)
	require.NoError(t, err)
	t.Cleanup(made.Close)
	f.Auth = made
	return f
}

func (f *fixture) observe(class string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.classes = append(f.classes, class)
}

func (f *fixture) lastClass() string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.classes) == 0 {
		return ""
	}
	return f.classes[len(f.classes)-1]
}

// ready waits until no issuer is missing.
func (f *fixture) ready() *fixture {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return len(f.Health()) == 0 }, time.Minute, 5*time.Millisecond)
	return f
}

// answer is what a request got, and the caller that the handler saw; nil if it was not reached.
type answer struct {
	*http.Response
	// wire is the header with its names as they are sent.
	wire   http.Header
	body   map[string]any
	caller *auth.Caller
}

// send sends a request through the middleware of a face.
func (f *fixture) send(face auth.Face, r *http.Request) answer {
	f.t.Helper()
	var got answer
	handler := f.For(face)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got.caller = auth.From(r.Context()) }))
	return f.record(handler, r, &got)
}

func (f *fixture) record(handler http.Handler, r *http.Request, got *answer) answer {
	f.t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	got.Response = recorder.Result()
	got.wire = got.Header.Clone()
	for name, values := range got.wire { // as a client of Go reads them
		got.Header[http.CanonicalHeaderKey(name)] = values
	}
	if recorder.Body.Len() > 0 {
		require.NoError(f.t, json.Unmarshal(recorder.Body.Bytes(), &got.body))
	}
	return *got
}

// request makes a request as the server sees it.
func request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = "203.0.113.7:4711"
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	return r
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func basic(name, password string) []string {
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		panic(err)
	}
	r.SetBasicAuth(name, password)
	return []string{"Authorization", r.Header.Get("Authorization")}
}

// cookieOf returns the cookie that an answer sets.
func cookieOf(t *testing.T, got answer, name string) *http.Cookie {
	t.Helper()
	for _, c := range got.Cookies() {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no cookie "+name)
	return nil
}
