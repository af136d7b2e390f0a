package desktop

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/body"
	"segue/gateway/problem"
	"segue/interaction"
)

// prepared is the data of the answer to prepareSession.
type prepared struct {
	SessionID  string `json:"sessionId"`
	ResourceID string `json:"resourceId"`
}

// confirm is the answer to prepareSession if the agent has a session already.
type confirm struct{}

const confirmMessage = "The agent has a session already. Send the request again with override true to end it."

// prepare opens the session of an agent.
func (s *Server) prepare(ctx context.Context, q *request) (any, error) {
	if q.session != nil {
		return nil, problem.New(problem.IllegalCommand, "The WebSocket has a session; end it by session.request.logout.")
	}
	override, err := flag(q.data, "override")
	if err != nil {
		return nil, err
	}
	caller, center, err := s.authenticate(q)
	if err != nil {
		return nil, err
	}
	of := agent{center, caller.User}
	if !override && s.sessionOf(of) != nil {
		return confirm{}, nil
	}
	n, err := s.open(q, caller)
	if err != nil {
		return nil, err
	}
	s.awaitOffer(ctx, center)
	s.options.Index.Catch(ctx)
	if !s.attach(n, of, override) {
		n.release()
		return confirm{}, nil
	}
	q.socket.join(n)
	return prepared{SessionID: n.id, ResourceID: n.id}, nil
}

// awaitOffer waits a short time for what the contact center offers. Without it, or with what was known before,
// the session is as good: dispositions come with an event.
func (s *Server) awaitOffer(ctx context.Context, contactCenter string) {
	ctx, cancel := context.WithTimeout(ctx, prepareWait)
	defer cancel()
	if _, err := s.offer(ctx, contactCenter); err != nil {
		s.isStale()
	}
}

// open counts a session, which is nobody's yet.
func (s *Server) open(q *request, caller *auth.Caller) (*session, error) {
	stream, err := s.options.Stream(caller)
	if err != nil {
		return nil, err
	}
	watched, unwatch := s.options.Watch(context.WithoutCancel(q.socket.request.Context()), caller.ForStream())
	n := &session{id: "s-" + strings.ToLower(rand.Text()), socket: q.socket, caller: caller, watched: watched, release: func() {
		unwatch()
		stream()
	}}
	if watched.Err() != nil { // a token in the leeway of its exp
		n.release()
		return nil, problem.New(problem.Unauthenticated, "")
	}
	return n, nil
}

// authenticate returns whose session prepareSession opens, and in which contact center: the agent is named
// as AGENT or CC/AGENT.
func (s *Server) authenticate(q *request) (*auth.Caller, string, error) {
	given, err := object(q.data, "agent")
	if err != nil {
		return nil, "", err
	}
	if given == nil {
		return nil, "", invalid("data.agent", "is missing; send {id, password}")
	}
	id, err := text(given, "id", "data.agent.")
	if err != nil {
		return nil, "", err
	}
	password, err := text(given, "password", "data.agent.")
	if err != nil {
		return nil, "", err
	}
	center, name, isNamed := strings.Cut(id, "/")
	if !isNamed {
		center, name = "", id
	}
	caller, err := s.callerOf(q, name, password)
	if err != nil {
		return nil, "", err
	}
	if caller.Role != interaction.RoleAgent && caller.Role != interaction.RoleSupervisor {
		return nil, "", problem.New(problem.NotPermitted, "Sessions are for agents and supervisors.")
	}
	center, err = auth.ContactCenterOf(q.socket.request.WithContext(auth.With(q.socket.request.Context(), caller)), center)
	var foreign *auth.ForeignError
	if errors.As(err, &foreign) {
		return nil, "", foreign.List()
	}
	return caller, center, err
}

// callerOf authenticates by the password, or by the token with which the WebSocket was opened.
func (s *Server) callerOf(q *request, name, password string) (*auth.Caller, error) {
	upgrade := auth.From(q.socket.request.Context())
	if upgrade == nil || !strings.HasPrefix(upgrade.Name, "jwt:") || password != "" {
		if name == "" {
			return nil, invalid("data.agent.id", "is missing; name the agent")
		}
		return s.options.Password(q.socket.request, name, password)
	}
	if name != "" && name != upgrade.User {
		return nil, problem.New(problem.NotPermitted, "The credential is another agent's.")
	}
	return upgrade, nil
}

// logout ends the session, and forgets its channels.
func (s *Server) logout(_ context.Context, q *request) (any, error) {
	q.socket.leave(true)
	return nothing{}, nil
}

// echo answers with what was sent: services and bindings need nothing here.
func (s *Server) echo(_ context.Context, q *request) (any, error) { return q.echoed(), nil }

// actor is the agent of the session as commands name it.
func (n *session) actor() interaction.Actor {
	return interaction.Actor{ID: n.caller.User, Role: n.caller.Role}
}

// name returns the name of an interaction of the session's contact center.
func (n *session) name(id string) (client.Name, error) {
	name := client.Name{ContactCenter: n.seat.agent.contactCenter, ID: id}
	if name.Check() != nil {
		return name, problem.NoInteraction()
	}
	return name, nil
}

func text(o *body.Object, field, path string) (string, error) {
	value, isText := o.Text(field)
	if !isText {
		return "", invalid(path+field, "is not a text; send a text in quotes")
	}
	return value, nil
}

func object(o *body.Object, field string) (*body.Object, error) {
	given := o.Values[field]
	if isNone(given) {
		return nil, nil
	}
	if given[0] != '{' {
		return nil, invalid("data."+field, "is not an object")
	}
	return body.ReadObject(given)
}

func flag(o *body.Object, field string) (bool, error) {
	given := o.Values[field]
	if isNone(given) {
		return false, nil
	}
	var value bool
	if json.Unmarshal(given, &value) != nil {
		return false, invalid("data."+field, "is neither true nor false")
	}
	return value, nil
}
