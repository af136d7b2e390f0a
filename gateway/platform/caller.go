package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/problem"
	"segue/interaction"
)

// defaultContactCenter is the contact center of a gateway without authentication.
const defaultContactCenter = "default"

// scope is who sends a request, and the contact center that the request is about.
type scope struct {
	caller        *auth.Caller
	contactCenter string
}

// Scoped is the parameters that name the contact center, on every route.
type Scoped struct {
	Header string `header:"Segue-Contact-Center" doc:"The contact center. Required if the credential is valid for several, unless the query or the body names it." example:"default"`
	Query  string `query:"contact_center" doc:"The contact center, instead of the header." example:"default"`
}

// scope returns who sends the request, and its contact center: the one that a header, the query or
// the body names, or else the only one of the credential. It reports whether the caller may use it.
func (s *Scoped) scope(ctx context.Context, inBody string) (scope, bool, error) {
	caller := auth.From(ctx)
	if caller == nil {
		return scope{}, false, fail(problem.Unauthenticated, "")
	}
	named := ""
	for _, one := range []string{s.Header, s.Query, inBody} {
		if one != "" && named != "" && one != named {
			return scope{}, false, fail(problem.Malformed, "header, query and body name different contact centers")
		}
		if one != "" {
			named = one
		}
	}
	switch {
	case named != "":
		return scope{caller, named}, caller.MaySee(named), nil
	case len(caller.ContactCenters) == 1:
		return scope{caller, caller.ContactCenters[0]}, true, nil
	case caller.All && caller.Name == "loopback":
		return scope{caller, defaultContactCenter}, true, nil
	}
	return scope{}, false, fail(problem.ContactCenterRequired, "name the contact center in the header Segue-Contact-Center")
}

// list returns the scope of a list. Lists of a foreign contact center are not permitted.
func (s *Scoped) list(ctx context.Context, inBody string) (scope, error) {
	found, mayUse, err := s.scope(ctx, inBody)
	if err != nil {
		return scope{}, err
	}
	if !mayUse {
		return scope{}, fail(problem.NotPermitted, "the credential is not valid for this contact center")
	}
	if err := (client.Name{ContactCenter: found.contactCenter, ID: "x"}).Check(); err != nil {
		return scope{}, invalidAt("/contact_center", err.Error())
	}
	return found, nil
}

// Targeted is the parameters of every route of one interaction.
type Targeted struct {
	Scoped
	ID string `path:"id" doc:"The id of the interaction." maxLength:"128" pattern:"^[A-Za-z0-9._~:@-]{1,128}$" example:"call-1"`
}

// target returns the scope of a request and the interaction. One of a foreign contact center does
// not exist for the caller.
func (t *Targeted) target(ctx context.Context) (scope, client.Name, error) {
	found, mayUse, err := t.scope(ctx, "")
	if err != nil {
		return scope{}, client.Name{}, err
	}
	n := client.Name{ContactCenter: found.contactCenter, ID: t.ID}
	if err := n.Check(); err != nil {
		return scope{}, n, invalidAt("/path/id", err.Error())
	}
	if !mayUse {
		return scope{}, n, fail(problem.NotFound, fmt.Sprintf("interaction %s does not exist", t.ID))
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

// mayOperate returns an error unless the caller may redeliver and discard.
func (s scope) mayOperate() error {
	if s.caller.Role == interaction.RolePlatform || s.caller.Role == interaction.RoleAdmin {
		return nil
	}
	return fail(problem.NotPermitted, "deliveries are for the roles platform and admin")
}

// ofPlatforms are the commands that supervisors may not give: they report what happened elsewhere.
var ofPlatforms = []string{
	"start", "connect", "abandon", "segment_change", "survey", "queue_event", "dtmf",
	"signal_added", "signal_removed", "engage", "noengage", "engagement_result",
}

// mayGive returns an error unless the caller's role may give a command. Which commands an agent may
// give, the interaction decides.
func (s scope) mayGive(command string) error {
	denied := s.caller.Role == interaction.RoleSupervisor && slices.Contains(ofPlatforms, command) ||
		s.isAgent() && command == "start"
	if !denied {
		return nil
	}
	p := problem.New(problem.NotPermitted, fmt.Sprintf("the role %s may not give the command %s", s.caller.Role, command))
	p.Command, p.Why = command, string(interaction.WhyRole)
	return failure{p}
}

// stamp sets who gives a command. The platform may name anyone; all others are themselves.
func (s scope) stamp(command *object) error {
	if s.caller.Role == interaction.RolePlatform {
		return nil
	}
	own := s.actor()
	if given := command.values["by"]; len(given) > 0 && !isNone(given) && !names(given, own) {
		return fail(problem.NotPermitted, `"by" names somebody else; leave it out`)
	}
	return command.set("by", own)
}

func isNone(value json.RawMessage) bool { return string(value) == "null" || string(value) == `""` }

// names reports whether a given actor is the caller, as far as it says.
func names(given json.RawMessage, own interaction.Actor) bool {
	var by struct {
		ID   any               `json:"id"`
		Role *interaction.Role `json:"role"`
	}
	decoder := json.NewDecoder(strings.NewReader(string(given)))
	decoder.UseNumber()
	if decoder.Decode(&by) != nil {
		return false
	}
	sameID := by.ID == nil || by.ID == "" || fmt.Sprint(by.ID) == own.ID
	return sameID && (by.Role == nil || *by.Role == "" || *by.Role == own.Role)
}
