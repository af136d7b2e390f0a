package platform

import (
	"context"
	"net/http"
	"time"

	"segue/gateway/engagement/ticket"
	"segue/gateway/problem"
	"segue/interaction"
)

// visitTokenLasts is how long a token of a visit counts.
const visitTokenLasts = 8 * time.Hour

// visitInput is a request for the token of a visit.
type visitInput struct {
	Scoped
	Visit string `path:"visitID" doc:"The id of the visit, as ixnProfile names it." minLength:"1" maxLength:"122" pattern:"^[A-Za-z0-9._~:@-]+$" example:"v-1"`
}

// visitToken is the answer.
type visitToken struct{ Body visitTokenBody }

type visitTokenBody struct {
	Token     string    `json:"token" doc:"The token, for the visitor's page."`
	ExpiresAt time.Time `json:"expires_at" doc:"When the token ends. The page's stream ends then, too."`
}

// visitRoutes registers the tokens of visits.
func visitRoutes(a *api) {
	if a.Tickets == nil {
		return
	}
	register(a, route{
		id: "make_visit_token", method: http.MethodPost, path: "/visits/{visitID}/token", tag: "engagement", summary: "Make a token for a visitor's page",
		about: "Makes the token with which the page of a visitor gets the invitations of one visit, by CometD or as server-sent events. It is for the role " +
			"platform.",
		status: http.StatusOK,
	}, a.makeVisitToken)
}

func (a *api) makeVisitToken(ctx context.Context, in *visitInput) (*visitToken, error) {
	s, err := in.list(ctx, "")
	if err != nil {
		return nil, err
	}
	if s.caller.Role != interaction.RolePlatform {
		return nil, fail(problem.NotPermitted, "tokens of visits are for the role platform")
	}
	expires := time.Now().Add(visitTokenLasts).Truncate(time.Second).UTC()
	token, err := a.Tickets.Sign(ticket.Claims{Kind: ticket.Visit, ContactCenter: s.contactCenter, Visit: in.Visit, Expires: expires.Unix()})
	if err != nil {
		return nil, err
	}
	return &visitToken{Body: visitTokenBody{Token: token, ExpiresAt: expires}}, nil
}
