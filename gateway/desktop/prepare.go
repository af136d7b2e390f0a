package desktop

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"segue/client"
	"segue/gateway/auth"
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
	override, err := q.given().flag("override")
	if err != nil {
		return nil, err
	}
	if _, err := q.given().text("model"); err != nil { // no session depends on it
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
	if s.isElsewhere(ctx, of, override) && !override {
		return confirm{}, nil
	}
	n, err := s.open(q, caller)
	if err != nil {
		return nil, err
	}
	if override {
		s.evict(ctx, of)
	}
	s.awaitOffer(ctx, center)
	s.options.Index.Catch(ctx)
	if !s.attach(n, of, override) {
		n.release()
		return confirm{}, nil
	}
	q.socket.join(n)
	s.announce(ctx, n)
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
	uncount, err := s.options.Stream(caller)
	if err != nil {
		return nil, err
	}
	uncount = sync.OnceFunc(uncount)
	watched, unwatch := s.options.Watch(context.WithoutCancel(q.socket.request.Context()), caller.ForStream())
	n := &session{id: "s-" + strings.ToLower(rand.Text()), socket: q.socket, caller: caller, watched: watched, uncount: uncount, opened: time.Now().UTC(), release: func() {
		unwatch()
		uncount()
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
	id, password, err := credentialIn(q)
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
	center, err = centerOf(q, caller, center)
	return caller, center, err
}

// credentialIn returns the id and the password that prepareSession has; empty for none.
func credentialIn(q *request) (id, password string, err error) {
	given, err := q.given().inner("agent")
	if err != nil {
		return "", "", err
	}
	if given == nil {
		return "", "", invalid("data.agent", nil, "is missing; send {id, password}")
	}
	if id, err = given.text("id"); err != nil {
		return "", "", err
	}
	password, err = given.secret("password")
	return id, password, err
}

// centerOf returns the contact center of a session: the one that the id of the agent names, or the headers or
// the query of the upgrade, else the agent's only one.
func centerOf(q *request, caller *auth.Caller, named string) (string, error) {
	upgrade := q.socket.request
	center, err := auth.ContactCenterOf(upgrade.WithContext(auth.With(upgrade.Context(), caller)), named)
	var foreign *auth.ForeignError
	switch refused := problem.Of(err); {
	case err == nil:
		return center, nil
	case errors.As(err, &foreign):
		return "", foreign.List()
	case refused.Type == problem.ContactCenterRequired:
		return "", agentID(q, "names no contact center, and the agent may use several; send CENTER/AGENT")
	case refused.Type == problem.Malformed && named != "" && !isCenter(named):
		return "", agentID(q, "the contact center before the slash is not an id; use A-Z a-z 0-9 . _ ~ : @ -")
	case refused.Type == problem.Malformed && named != "":
		return "", agentID(q, "names another contact center than the upgrade of the WebSocket; name one")
	case refused.Type == problem.Malformed:
		return "", problem.New(problem.InvalidPayload, "The upgrade of the WebSocket names several contact centers, or one that is not an id; "+
			"connect with one of Segue-Contact-Center, ContactCenterId and contact_center, or send CENTER/AGENT in data.agent.id.")
	}
	return "", err
}

func isCenter(named string) bool {
	return client.Name{ContactCenter: named, ID: "any"}.Check() == nil
}

// agentID refuses the id of the agent.
func agentID(q *request, what string) *problem.Problem {
	given, _ := q.given().inner("agent") // it was read before
	return invalid("data.agent.id", given.object.Values["id"], what)
}

// callerOf authenticates by the password, or by the token with which the WebSocket was opened.
func (s *Server) callerOf(q *request, name, password string) (*auth.Caller, error) {
	upgrade := auth.From(q.socket.request.Context())
	if upgrade == nil || !strings.HasPrefix(upgrade.Name, "jwt:") || password != "" {
		if name == "" {
			return nil, invalid("data.agent.id", nil, "is missing; send the id of the agent")
		}
		caller, err := s.options.Password(q.socket.request, name, password)
		if p := problem.Of(err); err != nil && p.Type == problem.Unauthenticated && p.Detail == "" {
			p.Detail = "data.agent: there is no such agent, or the password is wrong; send another id or password."
			return nil, p
		}
		return caller, err
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
func (q *request) name(id string) (client.Name, error) {
	name := client.Name{ContactCenter: q.session.seat.agent.contactCenter, ID: id}
	if name.Check() != nil {
		return name, noObject(q)
	}
	return name, nil
}
