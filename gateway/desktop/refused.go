package desktop

import (
	"errors"
	"fmt"
	"strings"

	"segue/client"
	"segue/gateway/problem"
	"segue/interaction"
)

// originOf are the fields of a request from which those of a command come.
var originOf = map[string]map[string]string{
	"start":           {"destination": "data.destination", "user_data": "data.extensions"},
	"dial":            {"destination": "data.destination"},
	"consult":         {"to": "data.destination", "to.number": "data.destination", "to.agent": "data.agent"},
	"reject":          {"reason": "data.reason"},
	"set_disposition": {"code": "data.value", "notes": "data.notes"},
}

// origin returns the field of a request from which a field of a command comes, as the client knows it.
func (q *request) origin(command, field string) string {
	switch {
	case field == "event_id":
		return "requestId"
	case command == "script_signal":
		return "data." + field
	case command == "set_disposition" && field == "code" && isNone(q.data.Values["value"]):
		return "data.interactionDispositionId"
	}
	for end := len(field); end > 0; end = strings.LastIndexAny(field[:end], ".[") {
		if from, isKnown := originOf[command][field[:end]]; isKnown {
			return from + field[end:]
		}
	}
	return ""
}

// refusalOf returns the problem of a refused request in the words of HIS: the fields, commands and states that the
// client knows, and what it can do.
func (s *Server) refusalOf(q *request, err error) *problem.Problem {
	p := problem.Of(err)
	var own *problem.Problem
	if errors.As(err, &own) {
		return p
	}
	var refused *client.RefusedError
	if errors.As(err, &refused) {
		return s.refusedBy(q, p, refused)
	}
	switch p.Type {
	case problem.Completed:
		p.State, p.Legal = string(interaction.StateCompleted), nil
		s.inWords(q, p)
	case problem.NotFound:
		return noObject(q)
	case problem.AlreadyExists:
		p.Detail = "The requestId has dialed before; send the request with another one."
	case problem.Unavailable:
		p.Detail = "There was no answer in time, so the outcome is open. Send the request again with the same requestId."
	}
	return p
}

// refusedBy returns the problem of what the interaction refused.
func (s *Server) refusedBy(q *request, p *problem.Problem, refused *client.RefusedError) *problem.Problem {
	switch {
	case p.Type == problem.Overloaded:
		p.Detail = "The interaction has too many requests. Send the request again later, with the same requestId."
	case refused.Why == interaction.WhyMissing && q.isConference():
		p = problem.New(problem.IllegalCommand, "")
		p.Detail = s.notLegal(q, p, "nobody is consulted")
	case p.Type == problem.InvalidPayload:
		what := strings.TrimPrefix(refused.Message, p.Command+": ")
		what = strings.TrimPrefix(what, refused.Field+": ")
		p.Field = q.origin(p.Command, refused.Field)
		if p.Detail = what; p.Field != "" {
			p.Detail = p.Field + ": " + what
		}
	case p.State != "":
		s.inWords(q, p)
		p.Detail = s.notLegal(q, p, reasonOf(refused))
	}
	return p
}

// notLegal says why a request is not legal, and what is.
func (s *Server) notLegal(q *request, p *problem.Problem, reason string) string {
	if p.State == "" {
		s.inWords(q, p)
	}
	text := q.command + " is not legal"
	if p.State != "" {
		text += " in state " + p.State
	}
	if reason != "" {
		text += ": " + reason
	}
	if len(p.Legal) == 0 {
		return text + "; no command is legal for this agent"
	}
	return text + "; legal: " + strings.Join(p.Legal, ", ")
}

// reasonOf returns why a command is not legal, besides the state; empty for the state alone.
func reasonOf(refused *client.RefusedError) string {
	_, rest, _ := strings.Cut(refused.Message, " is not legal in state "+string(refused.State))
	rest, hasReason := strings.CutPrefix(rest, ": ")
	if !hasReason {
		return ""
	}
	reason, _, _ := strings.Cut(rest, "; ") // what follows are commands of other APIs
	return reason
}

// inWords replaces the state of an interaction and what is legal there by what the client knows of it.
func (s *Server) inWords(q *request, p *problem.Problem) {
	if q.session == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.State, p.Legal = q.session.seat.desktop.Legal(q.found.Interaction, q.found.Conversation, p.Legal)
}

// noObject refuses a target that the session does not have.
func noObject(q *request) *problem.Problem {
	p := problem.New(problem.NotFound, "")
	p.Field = "target"
	p.Detail = invalid(p.Field, q.fields.Values["target"], "the session has no such object; send the target of one of its events").Detail
	return p
}

// wrongObject refuses a target that is another kind of object than the command is for.
func wrongObject(q *request, is, wants on) *problem.Problem {
	return invalid("target", q.fields.Values["target"], fmt.Sprintf("is %s, and %s is for %s", is, q.command, wants))
}
