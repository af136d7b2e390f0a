package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/body"
	"segue/gateway/problem"
	"segue/interaction"
)

// scope is who sends a request, and the contact center that the request is about.
type scope struct {
	caller        *auth.Caller
	contactCenter string
}

// Scoped is the parameters that name the contact center, on every route.
type Scoped struct {
	Header string `header:"Segue-Contact-Center" doc:"The contact center. Required if the credential is valid for several, unless the query or the body names it." example:"default"`
	GWS    string `header:"ContactCenterId" doc:"The same, as Genesys Web Services names it." example:"default"`
	Query  string `query:"contact_center" doc:"The contact center, instead of the header." example:"default"`
}

// scope returns who sends the request, and its contact center: the one that a header, the query or
// the body names, or else the credential's own. The error is an *auth.ForeignError if the caller may
// not use it.
func (s *Scoped) scope(ctx context.Context, inBody string) (scope, error) {
	named := ""
	for _, one := range []string{s.Header, s.GWS, s.Query, inBody} {
		if one != "" && named != "" && one != named {
			return scope{}, fail(problem.Malformed, "headers, query and body name different contact centers")
		}
		if one != "" {
			named = one
		}
	}
	caller := auth.From(ctx)
	contactCenter, err := caller.ContactCenter(named)
	return scope{caller, contactCenter}, err
}

// list returns the scope of a list. Lists of a foreign contact center are not permitted.
func (s *Scoped) list(ctx context.Context, inBody string) (scope, error) {
	found, err := s.scope(ctx, inBody)
	var foreign *auth.ForeignError
	if errors.As(err, &foreign) {
		return found, foreign.List()
	}
	return found, err
}

// Targeted is the parameters of every route of one interaction.
type Targeted struct {
	Scoped
	ID string `path:"id" doc:"The id of the interaction." maxLength:"128" pattern:"^[A-Za-z0-9._~:@-]{1,128}$" example:"ixn-1"`
}

// target returns the scope of a request and the interaction. One of a foreign contact center does
// not exist for the caller.
func (t *Targeted) target(ctx context.Context) (scope, client.Name, error) {
	return t.targetIn(ctx, "")
}

// targetIn is target for a body that may name the contact center.
func (t *Targeted) targetIn(ctx context.Context, inBody string) (scope, client.Name, error) {
	found, err := t.scope(ctx, inBody)
	n := client.Name{ContactCenter: found.contactCenter, ID: t.ID}
	var foreign *auth.ForeignError
	switch {
	case errors.As(err, &foreign):
		return found, n, client.ErrNotFound
	case err != nil:
		return found, n, err
	}
	if err := n.Check(); err != nil {
		return found, n, invalidAt("/path/id", err.Error())
	}
	return found, n, nil
}

// actor returns the caller as commands name it. The id of an agent is the agent's.
func (s scope) actor() interaction.Actor {
	if s.caller.Role == interaction.RoleAgent {
		return interaction.Actor{ID: s.caller.Agent, Role: interaction.RoleAgent}
	}
	return *s.caller.Actor()
}

// isAgent reports whether the caller is an agent, who sees less than others.
func (s scope) isAgent() bool { return s.caller.Role == interaction.RoleAgent }

// isUnlimited reports whether the caller may give any command that the platform may.
func (s scope) isUnlimited() bool {
	return s.caller.Role == interaction.RolePlatform || s.caller.Role == interaction.RoleAdmin
}

// mayOperate returns an error unless the caller may redeliver and discard.
func (s scope) mayOperate() error {
	if s.isUnlimited() {
		return nil
	}
	return fail(problem.NotPermitted, "deliveries are for the roles platform and admin")
}

// mayGive returns an error unless the caller's role may give a command. Which commands an agent may
// give, the interaction decides.
func (s scope) mayGive(command string) error {
	if auth.MayCommand(s.caller, command) {
		return nil
	}
	p := problem.New(problem.NotPermitted, fmt.Sprintf("the role %s may not give the command %s", s.caller.Role, command))
	p.Command, p.Why = command, string(interaction.WhyRole)
	return p
}

// stamp sets who gives a command. The platform may name anyone; all others are themselves.
func (s scope) stamp(command *body.Object) error {
	if s.caller.Role == interaction.RolePlatform {
		return nil
	}
	own := s.actor()
	if given := command.Values["by"]; len(given) > 0 && !isNone(given) {
		isOwn, err := names(given, own)
		switch {
		case err != nil:
			return invalidAt("/by", `by: not an actor; send {"id": …, "role": …}, or leave it out`)
		case !isOwn:
			return fail(problem.NotPermitted, `"by" names somebody else; leave it out`)
		}
	}
	return command.Set("by", own)
}

func isNone(value json.RawMessage) bool { return string(value) == "null" || string(value) == `""` }

// names reports whether a given actor is the caller, as far as it says. An error means that it is no
// actor.
func names(given json.RawMessage, own interaction.Actor) (bool, error) {
	var by struct {
		ID   any               `json:"id"`
		Role *interaction.Role `json:"role"`
	}
	decoder := json.NewDecoder(strings.NewReader(string(given)))
	decoder.UseNumber()
	if err := decoder.Decode(&by); err != nil {
		return false, err
	}
	sameID := by.ID == nil || by.ID == "" || fmt.Sprint(by.ID) == own.ID
	return sameID && (by.Role == nil || *by.Role == "" || *by.Role == own.Role), nil
}
