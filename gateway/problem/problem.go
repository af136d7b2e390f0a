package problem

import (
	"encoding/json"
	"net/http"
	"time"
)

// Problem is an error of a face, as RFC 9457 describes it. Every face shows the same problems, each in
// its own form.
type Problem struct {
	// Type is one of the types below, after "urn:segue:".
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Command, State and Legal are set for a command that is refused; an IllegalCommand has Legal
	// also if no command is legal.
	Command string   `json:"command,omitempty"`
	State   string   `json:"state,omitempty"`
	Legal   []string `json:"legal,omitzero"`
	// Why is the reason for programs, and Field the field it is about.
	Why   string `json:"why,omitempty"`
	Field string `json:"-"`
	// Errors point into the body.
	Errors []Pointer `json:"errors,omitempty"`
	// RetryAfter is how long the caller waits before a repeat; 0 for no header.
	RetryAfter time.Duration `json:"-"`
}

// Pointer is one thing that is wrong with a body: a JSON pointer and what is wrong there.
type Pointer struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// The types of problems.
const (
	IllegalCommand        = "illegal-command"
	OutOfOrder            = "out-of-order"
	NotPermitted          = "not-permitted"
	InvalidPayload        = "invalid-payload"
	Malformed             = "malformed"
	ContactCenterRequired = "contact-center-required"
	UnsupportedMediaType  = "unsupported-media-type"
	TooLarge              = "too-large"
	UnknownCommand        = "unknown-command"
	NotFound              = "not-found"
	MethodNotAllowed      = "method-not-allowed"
	Completed             = "completed"
	AlreadyExists         = "already-exists"
	Unauthenticated       = "unauthenticated"
	RateLimited           = "rate-limited"
	Overloaded            = "overloaded"
	Unavailable           = "unavailable"
	Internal              = "internal"
	Timeout               = "timeout"
	NotParked             = "not-parked"
	// Canceled is for a client that has gone. Nobody reads it, and it is no defect.
	Canceled = "canceled"
)

// StatusCanceled is the status of a request whose client has gone, for the access log.
const StatusCanceled = 499

// Prefix begins the type of every problem on the wire.
const Prefix = "urn:segue:"

// Error returns the title and the detail.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// MarshalJSON writes the type with its prefix.
func (p *Problem) MarshalJSON() ([]byte, error) {
	type plain Problem
	shown := plain(*p)
	shown.Type = Prefix + p.Type
	if p.Type == IllegalCommand && p.Legal == nil {
		shown.Legal = []string{}
	}
	return json.Marshal(shown)
}

// New returns a problem of a type with its usual status and title.
func New(kind, detail string) *Problem {
	known := kinds[kind]
	return &Problem{Type: kind, Title: known.title, Status: known.status, Detail: detail}
}

// OfStatus returns a problem with an HTTP status, for errors of packages that know HTTP alone.
func OfStatus(status int, detail string) *Problem {
	p := New(kindOf(status), detail)
	p.Status = status
	return p
}

func kindOf(status int) string {
	switch status {
	case http.StatusNotFound:
		return NotFound
	case http.StatusMethodNotAllowed:
		return MethodNotAllowed
	case http.StatusRequestTimeout:
		return Timeout
	case http.StatusRequestEntityTooLarge:
		return TooLarge
	case http.StatusUnsupportedMediaType:
		return UnsupportedMediaType
	case http.StatusUnprocessableEntity:
		return InvalidPayload
	case http.StatusServiceUnavailable:
		return Unavailable
	}
	if status < http.StatusInternalServerError {
		return Malformed
	}
	return Internal
}

var kinds = map[string]struct {
	status int
	title  string
}{
	IllegalCommand:        {http.StatusConflict, "The command is not legal now"},
	OutOfOrder:            {http.StatusConflict, "The command is out of order"},
	NotPermitted:          {http.StatusForbidden, "Not permitted"},
	InvalidPayload:        {http.StatusUnprocessableEntity, "The payload is invalid"},
	Malformed:             {http.StatusBadRequest, "The request cannot be read"},
	ContactCenterRequired: {http.StatusBadRequest, "The contact center is required"},
	UnsupportedMediaType:  {http.StatusUnsupportedMediaType, "The media type is not supported"},
	TooLarge:              {http.StatusRequestEntityTooLarge, "The request is too large"},
	UnknownCommand:        {http.StatusNotFound, "The command does not exist"},
	NotFound:              {http.StatusNotFound, "Not found"},
	MethodNotAllowed:      {http.StatusMethodNotAllowed, "The method is not allowed"},
	Completed:             {http.StatusConflict, "The interaction is completed"},
	AlreadyExists:         {http.StatusConflict, "The interaction exists"},
	Unauthenticated:       {http.StatusUnauthorized, "No valid credential"},
	RateLimited:           {http.StatusTooManyRequests, "Too many requests"},
	Overloaded:            {http.StatusTooManyRequests, "The interaction is overloaded"},
	Unavailable:           {http.StatusServiceUnavailable, "Temporarily unavailable"},
	Internal:              {http.StatusInternalServerError, "Internal error"},
	Timeout:               {http.StatusRequestTimeout, "The request took too long"},
	NotParked:             {http.StatusConflict, "The delivery is not parked"},
	Canceled:              {StatusCanceled, "The client has gone"},
}
