package bayeux_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"segue/gateway/cometd"
)

// keyHeader is the credential of the application: whatever it is, it is good, but for the keys below.
const (
	keyHeader = "X-Key"
	busyKey   = "busy"   // has too many sessions
	brokenKey = "broken" // makes the application fail
	goodToken = "letmein"
)

// application has the topics /t/a and /t/b.
type application struct {
	server   *cometd.Server
	stopping chan struct{}

	mu         sync.Mutex
	sessions   map[string]*cometd.Session
	subscribed map[string][]string
	ends       map[string]cometd.End
	revoke     map[string]context.CancelFunc
	browsers   []string
	frames     int
	throttled  bool
}

// newApplication returns an application whose connects are held for a timeout, 0 for the server's default.
func newApplication(timeout time.Duration) *application {
	a := &application{
		stopping: make(chan struct{}), sessions: map[string]*cometd.Session{}, subscribed: map[string][]string{},
		ends: map[string]cometd.End{}, revoke: map[string]context.CancelFunc{},
	}
	a.server = cometd.New(cometd.Options{
		Timeout:    timeout,
		Identify:   func(r *http.Request) string { return r.Header.Get(keyHeader) },
		Open:       a.open,
		Grants:     a.grants,
		Subscribed: a.onSubscribed,
		Closed:     a.onClosed,
		Enter:      a.enter,
		Stopping:   func(context.Context) <-chan struct{} { return a.stopping },
		Cookie: func(_ *http.Request, name, value string) *http.Cookie {
			return &http.Cookie{Name: name, Value: value, Path: "/"}
		},
		Refuse: func(w http.ResponseWriter, _ *http.Request, status int, detail string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"refused": detail})
		},
	})
	return a
}

func (a *application) open(h *cometd.Handshake) (*cometd.Peer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.browsers = append(a.browsers, h.Browser)
	key := h.Request.Header.Get(keyHeader)
	ctx, cancel := context.WithCancel(context.Background())
	switch {
	case h.Token == goodToken:
		a.revoke[goodToken] = cancel
		return &cometd.Peer{Context: ctx}, nil
	case key == busyKey:
		cancel()
		return nil, &cometd.DeniedError{Code: 429, Text: "too_many_sessions", RetryAfter: 10 * time.Second}
	case key == brokenKey:
		cancel()
		return nil, errors.New("secret of the database")
	case key == "":
		cancel()
		return nil, &cometd.DeniedError{Code: 403, Text: "handshake_denied"}
	}
	a.revoke[key] = cancel
	return &cometd.Peer{Key: key, Context: ctx}, nil
}

func (a *application) grants(s *cometd.Session, subscription string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions[s.ID()] = s
	return slices.Contains([]string{"/t/a", "/t/b", "/t/*", "/t/**", "/**"}, strings.TrimSuffix(subscription, "/"))
}

func (a *application) onSubscribed(s *cometd.Session, subscriptions []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.subscribed[s.ID()] = append(a.subscribed[s.ID()], subscriptions...)
}

func (a *application) onClosed(s *cometd.Session, why cometd.End) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if before, closed := a.ends[s.ID()]; closed {
		panic(fmt.Sprintf("a session ends twice: %s, %s", before, why))
	}
	a.ends[s.ID()] = why
	delete(a.sessions, s.ID())
}

func (a *application) enter(*cometd.Peer) (func(), error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.frames++
	if a.throttled {
		return nil, errors.New("too many requests")
	}
	return func() {}, nil
}

// publish delivers a message to every session that has ever subscribed.
func (a *application) publish(channel, data string) {
	a.mu.Lock()
	sessions := make([]*cometd.Session, 0, len(a.sessions))
	for _, s := range a.sessions {
		sessions = append(sessions, s)
	}
	a.mu.Unlock()
	for _, s := range sessions {
		s.Deliver(channel, json.RawMessage(data))
	}
}

// end returns how a session ended, empty while it is open.
func (a *application) end(id string) cometd.End {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ends[id]
}

func (a *application) revokeKey(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoke[key]()
}
