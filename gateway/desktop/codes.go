package desktop

import (
	"strings"

	"segue/gateway/problem"
)

// The codes of failures.
const (
	codeIllegalState     = "ILLEGAL_STATE"
	codeNotPermitted     = "NOT_PERMITTED"
	codeInvalidRequest   = "INVALID_REQUEST"
	codeMalformed        = "MALFORMED"
	codeTooLarge         = "TOO_LARGE"
	codeUnknownCommand   = "UNKNOWN_COMMAND"
	codeNotFound         = "NOT_FOUND"
	codeNotAuthenticated = "NOT_AUTHENTICATED"
	codeOverloaded       = "OVERLOADED"
	codeUnavailable      = "UNAVAILABLE"
	codeInternal         = "INTERNAL"
)

var codes = map[string]string{
	problem.IllegalCommand: codeIllegalState, problem.OutOfOrder: codeIllegalState, problem.Completed: codeIllegalState,
	problem.AlreadyExists: codeIllegalState, problem.NotPermitted: codeNotPermitted, problem.InvalidPayload: codeInvalidRequest,
	problem.ContactCenterRequired: codeInvalidRequest, problem.Malformed: codeMalformed, problem.TooLarge: codeTooLarge,
	problem.UnknownCommand: codeUnknownCommand, problem.NotFound: codeNotFound, problem.Unauthenticated: codeNotAuthenticated,
	problem.RateLimited: codeOverloaded, problem.Overloaded: codeOverloaded, problem.Unavailable: codeUnavailable,
	problem.Timeout: codeUnavailable, problem.Canceled: codeUnavailable, problem.Internal: codeInternal,
}

// codeOf returns the code of a problem.
func codeOf(p *problem.Problem) string {
	if code, isKnown := codes[p.Type]; isKnown {
		return code
	}
	return codeInternal
}

// messageOf returns what a person reads of a problem.
func messageOf(p *problem.Problem) string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Detail
}

// contextOf returns what helps to find the reason: the state of the interaction, and what is legal there.
func contextOf(p *problem.Problem) string {
	var parts []string
	if p.State != "" {
		parts = append(parts, "state "+p.State)
	}
	if len(p.Legal) > 0 {
		parts = append(parts, "legal "+strings.Join(p.Legal, ", "))
	}
	if p.Field != "" {
		parts = append(parts, "field "+p.Field)
	}
	return strings.Join(parts, "; ")
}
