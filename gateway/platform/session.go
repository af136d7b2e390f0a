package platform

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"segue/gateway/auth"
	"segue/gateway/problem"
)

// sessionInput gives the handler the request and the headers of the answer, where the cookie goes.
type sessionInput struct {
	r *http.Request
	w http.ResponseWriter
}

// Resolve keeps the request.
func (in *sessionInput) Resolve(ctx huma.Context) []error {
	in.r, in.w = humago.Unwrap(ctx)
	return nil
}

// session is who has a session.
type session struct{ Body sessionBody }

type sessionBody struct {
	Role           string   `json:"role" doc:"The role of the caller." example:"agent"`
	User           string   `json:"user,omitempty" doc:"The id of the user, if the credential has one."`
	Agent          string   `json:"agent,omitempty" doc:"The id of the agent, for agents."`
	ContactCenters []string `json:"contact_centers" doc:"The contact centers that the caller may use; empty for all."`
}

// nothing is an answer without a body.
type nothing struct{}

// sessionRoutes registers the sessions of browsers.
func sessionRoutes(a *api) {
	if a.Sessions == nil {
		return
	}
	register(a, route{
		id: "begin_session", method: http.MethodPost, path: "/session", tag: "session", summary: "Begin a session", status: http.StatusOK,
		problems: []string{problem.TooLarge},
		about: "Sets the cookie segue_session for a browser, with any credential. Requests with the cookie alone need the header X-CSRF-TOKEN of this " +
			"answer, unless they only read.",
	}, a.beginSession)
	register(a, route{
		id: "end_session", method: http.MethodDelete, path: "/session", tag: "session", summary: "End a session", status: http.StatusNoContent,
		about: "Removes the cookie segue_session.",
	}, func(_ context.Context, in *sessionInput) (*nothing, error) {
		a.Sessions.End(in.w, in.r, auth.PlatformCookie)
		return &nothing{}, nil
	})
	headers := registered(a, route{method: http.MethodPost, path: "/session"}).Responses["200"].Headers
	for name, about := range map[string]string{"X-CSRF-TOKEN": "The token of the session.", "Set-Cookie": "The cookie segue_session."} {
		headers[name] = &huma.Param{Description: about, Schema: &huma.Schema{Type: "string"}}
	}
}

func (a *api) beginSession(ctx context.Context, in *sessionInput) (*session, error) {
	if err := a.Sessions.Session(in.w, in.r); err != nil {
		return nil, err
	}
	caller := auth.From(ctx)
	body := sessionBody{Role: string(caller.Role), User: caller.User, Agent: caller.Agent, ContactCenters: listOf(caller.ContactCenters)}
	if caller.All {
		body.ContactCenters = []string{}
	}
	return &session{Body: body}, nil
}
