package platform

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"segue/gateway/auth"
	"segue/gateway/problem"
)

// failure is a problem as huma answers it.
type failure struct{ *problem.Problem }

// Unwrap returns the problem.
func (f failure) Unwrap() error { return f.Problem }

// GetStatus returns the HTTP status.
func (f failure) GetStatus() int { return f.Status }

// GetHeaders returns Retry-After if the caller should wait, and the challenge of a credential.
func (f failure) GetHeaders() http.Header {
	headers := http.Header{}
	auth.Challenged(headers, f.Problem)
	if f.RetryAfter > 0 {
		headers.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	return headers
}

// ContentType returns the media type of problems.
func (f failure) ContentType(string) string { return "application/problem+json" }

// Schema documents a problem once, under components.
func (f failure) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Ref: "#/components/schemas/Problem"}
}

func init() {
	huma.DefaultArrayNullable = false // no list of ours is null
	// huma has one function for all errors of its own, such as a parameter that does not fit.
	huma.NewError = func(status int, message string, causes ...error) huma.StatusError {
		return failureOf(status, message, causes)
	}
}

// failureOf returns the failure among the causes, or else a problem that lists them.
func failureOf(status int, message string, causes []error) failure {
	for _, cause := range causes {
		var p *problem.Problem
		if errors.As(cause, &p) {
			return failure{p}
		}
	}
	p := problem.OfStatus(status, message)
	if p.Type == problem.Internal {
		p.Detail = ""
		return failure{p}
	}
	for _, cause := range causes {
		var detailed huma.ErrorDetailer
		if errors.As(cause, &detailed) {
			detail := detailed.ErrorDetail()
			p.Errors = append(p.Errors, problem.Pointer{Pointer: "/" + pathOfLocation.Replace(detail.Location), Detail: detail.Message})
		}
	}
	if len(p.Errors) > 0 {
		p.Detail = p.Errors[0].Pointer + ": " + p.Errors[0].Detail
	}
	return failure{p}
}

// pathOfLocation makes a JSON pointer of where huma says that a mistake is: query.state[1].
var pathOfLocation = strings.NewReplacer(".", "/", "[", "/", "]", "")

// fail returns a problem of a type as an error.
func fail(kind, detail string) error { return failure{problem.New(kind, detail)} }

// invalidAt returns the problem of a body, or of a parameter, that is wrong at a JSON pointer.
func invalidAt(pointer, detail string) error {
	p := problem.New(problem.InvalidPayload, detail)
	p.Errors = []problem.Pointer{{Pointer: pointer, Detail: detail}}
	return failure{p}
}

// retryAfter is when a caller repeats what Temporal did not answer.
const retryAfter = 5 * time.Second

// failed returns the problem of an error of packages client and commands. An error without a type of
// its own is logged: the caller sees that something is wrong here, and nothing else.
func (a *api) failed(ctx context.Context, err error) error {
	p := problem.Of(err)
	switch {
	case p.Type == problem.Internal:
		a.Log.ErrorContext(ctx, "a request failed", "error", err)
	case p.Type == problem.Unavailable && p.RetryAfter == 0:
		p.RetryAfter = retryAfter
	}
	return failure{p}
}
