package problem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"time"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

// Of returns the problem for an error of package client, of a body that cannot be read, or of this
// package. Any other error is Internal, without a detail: its text is for the log alone.
func Of(err error) *Problem {
	var p *Problem
	var refused *client.RefusedError
	var invalid *interaction.InvalidError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &refused):
		return ofRefusal(refused)
	case errors.As(err, &invalid):
		return Of(client.Malformed(invalid))
	}
	if p := ofInteraction(err); p != nil {
		return p
	}
	if p := ofRequest(err); p != nil {
		return p
	}
	return New(Internal, "")
}

// ofInteraction returns the problem of an interaction that did not judge the command; nil if the
// error is none of them.
func ofInteraction(err error) *Problem {
	var completed *client.CompletedError
	var exists *client.ExistsError
	switch {
	case errors.As(err, &completed):
		return ofCompleted(completed)
	case errors.As(err, &exists):
		return New(AlreadyExists, fmt.Sprintf("The id %q was taken by another start. "+
			"Use another id, or start with reopen once that interaction is completed.", exists.Name.ID))
	case errors.Is(err, client.ErrCompleted):
		return New(Completed, "The interaction has ended and accepts no command any more.")
	case errors.Is(err, client.ErrStuck):
		return unavailable("The interaction cannot be processed at present. It loses nothing; "+
			"repeat the request later with the same key.", stuckPause)
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, client.ErrNoWorker), errors.Is(err, context.DeadlineExceeded):
		return unavailable("There was no answer in time, so the outcome is open. Repeat the request with the same key.",
			time.Duration(1+rand.IntN(longestPause))*time.Second)
	case errors.Is(err, client.ErrNotFound):
		return NoInteraction()
	}
	return nil
}

// NoInteraction returns the problem of an interaction that does not exist, or that is of a contact
// center which the caller may not use: nobody can tell one from the other.
func NoInteraction() *Problem {
	return New(NotFound, "No such interaction: check its id and its contact center, or start it.")
}

// Repeats of what failed together come spread over longestPause seconds. An interaction whose
// tasks fail needs a person.
const (
	longestPause = 10
	stuckPause   = 30 * time.Second
)

func unavailable(detail string, after time.Duration) *Problem {
	p := New(Unavailable, detail)
	p.RetryAfter = after
	return p
}

func ofCompleted(e *client.CompletedError) *Problem {
	p := New(Completed, "The interaction has ended and accepts no command any more.")
	p.State = string(interaction.StateCompleted)
	if e.Last != nil && e.Last.EndedAt != nil {
		p.Detail = fmt.Sprintf("The interaction ended as %s at %s, and accepts no command any more.",
			e.Last.Outcome, e.Last.EndedAt.UTC().Format(time.RFC3339))
	}
	return p
}

// ofRequest returns the problem of a body that cannot be read, or of a client that has gone; nil if
// the error is none of them.
func ofRequest(err error) *Problem {
	var large *http.MaxBytesError
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &large):
		return New(TooLarge, fmt.Sprintf("The body has more than %d bytes, which is the limit.", large.Limit))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return New(Timeout, "The body did not arrive in time.")
	case errors.Is(err, context.Canceled):
		return New(Canceled, "")
	case errors.As(err, &syntax):
		return New(Malformed, fmt.Sprintf("The body is not JSON: %s, at byte %d.", syntax, syntax.Offset))
	case errors.As(err, &mismatch):
		p := New(Malformed, fmt.Sprintf("The body has a %s where it needs another type, at byte %d.", mismatch.Value, mismatch.Offset))
		p.Field = mismatch.Field
		return p
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return New(Malformed, "The body ends too early; send one whole JSON value.")
	}
	return nil
}

// ofRefusal returns the problem of a command or a start that the interaction refused.
func ofRefusal(refused *client.RefusedError) *Problem {
	if refused.Type == contract.ErrorOverloaded {
		p := New(Overloaded, refused.Message)
		p.RetryAfter = time.Second
		return p
	}
	p := New(typeOf(refused), refused.Message)
	p.Why, p.Field = string(refused.Why), refused.Field
	p.State, p.Legal = string(refused.State), refused.Legal
	p.Command = commandIn(refused.Message)
	if p.Type == InvalidPayload {
		p.Errors = []Pointer{{Pointer: PointerTo(refused.Field), Detail: withoutPath(refused.Message, p.Command, refused.Field)}}
	}
	return p
}

func typeOf(refused *client.RefusedError) string {
	switch refused.Why {
	case interaction.WhyState, interaction.WhyNeeds:
		return IllegalCommand
	case interaction.WhyOrder:
		return OutOfOrder
	case interaction.WhyAgent, interaction.WhyRole:
		return NotPermitted
	case interaction.WhyUnknown:
		return UnknownCommand
	case interaction.WhyTooLarge:
		if refused.Field == "" {
			return TooLarge // the payload as a whole
		}
		return InvalidPayload
	case interaction.WhyMissing, interaction.WhyInvalid:
		return InvalidPayload
	}
	if refused.Type == contract.ErrorIllegalCommand {
		return IllegalCommand
	}
	return InvalidPayload
}

// commandIn returns the command that a refusal's message begins with; "" if it begins with none.
func commandIn(message string) string {
	name := message
	if end := strings.IndexAny(message, ": "); end >= 0 {
		name = message[:end]
	}
	if name == "start" || interaction.IsCommand(name) {
		return name
	}
	return ""
}

// withoutPath returns a message without the command and the field that it begins with.
func withoutPath(message, command, field string) string {
	for _, part := range []string{command, field} {
		if part != "" {
			message = strings.TrimPrefix(message, part+": ")
		}
	}
	return message
}

// PointerTo returns the JSON pointer of a field path: "agents[0].id" is "/agents/0/id".
func PointerTo(field string) string {
	if field == "" {
		return ""
	}
	field = strings.NewReplacer("~", "~0", "/", "~1", "[", ".", "]", "").Replace(field)
	return "/" + strings.ReplaceAll(strings.TrimPrefix(field, "."), ".", "/")
}
