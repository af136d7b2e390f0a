package desktop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"segue/gateway/auth"
	"segue/interaction"
)

// Session is a session without a WebSocket, for fuzzing.
type Session struct {
	ctx    context.Context
	server *Server
	socket *socket
}

// NewSession opens a session of an agent which has the interactions that are open.
func NewSession(ctx context.Context, s *Server, name string) *Session {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, Path, nil)
	c := &socket{server: s, request: r, changed: make(chan struct{}, 1), giveUp: func() {}}
	caller := &auth.Caller{Name: "user:" + name, User: name, Role: interaction.RoleAgent, Agent: name, ContactCenters: []string{"berlin"}}
	n, err := s.open(&request{socket: c}, caller)
	if err != nil || !s.attach(n, agent{"berlin", name}, true) {
		panic("no session")
	}
	c.join(n)
	return &Session{ctx, s, c}
}

// ID returns the id of the session.
func (s *Session) ID() string { return s.socket.session.id }

// Do answers a frame. Events that come meanwhile are thrown away.
func (s *Session) Do(frame []byte) []byte {
	s.socket.serveFrame(s.ctx, frame)
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	frames := s.socket.queue
	s.socket.queue, s.socket.bytes = nil, 0
	for _, one := range frames {
		if !bytes.HasPrefix(one, []byte(`{"messageType":"objectEvent"`)) {
			return one
		}
	}
	return nil
}

// End ends the session.
func (s *Session) End() { s.socket.leave(true) }

// Commands are the names of all commands.
func Commands() []string { return slices.Sorted(maps.Keys(handlers)) }

// Unconfirmed returns how many requests of an agent's session have answers that the client may not know.
func (s *Server) Unconfirmed(contactCenter, id string) int {
	n := s.sessionOf(agent{contactCenter, id})
	if n == nil {
		return 0
	}
	n.repeats.mu.Lock()
	defer n.repeats.mu.Unlock()
	return len(n.repeats.order)
}

// Repeats are those of a session, without a WebSocket.
type Repeats struct{ own *repeats }

// NewRepeats returns those of a first session.
func NewRepeats() Repeats { return Repeats{(*repeats)(nil).next()} }

// Next returns those of the session that follows.
func (r Repeats) Next() Repeats { return Repeats{r.own.next()} }

// EventID returns what identifies the effect of a request, "COMMAND" or "INTERACTION: COMMAND"; "" for a session that
// is over.
func (r Repeats) EventID(session, id, what string, answer int) string {
	interaction, _, _ := strings.Cut(what, ": ")
	if interaction == what {
		interaction = "i1"
	}
	key, _ := r.own.eventID(session, id, interaction, sha256.Sum256([]byte(what)), answer)
	return key
}

// Reached notes that the client has the answers up to a number.
func (r Repeats) Reached(answer int) { r.own.reached(answer) }

// Len returns how many requests are kept.
func (r Repeats) Len() int { return len(r.own.order) }

// HasSession reports whether an agent has a session in this replica.
func (s *Server) HasSession(contactCenter, id string) bool {
	return s.sessionOf(agent{contactCenter, id}) != nil
}

// AnnounceAll announces what other replicas may not have heard of, as is done each minute.
func (s *Server) AnnounceAll(ctx context.Context) { s.announceAll(ctx) }
