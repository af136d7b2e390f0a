package gws

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"segue/gateway/auth"
	"segue/gateway/problem"
	"segue/interaction"
)

// The status codes of GWS that Segue uses.
const (
	codeOK           = 0
	codeMissing      = 1
	codeState        = 2
	codeForbidden    = 3
	codeInternal     = 4
	codePermission   = 5
	codeNotFound     = 6
	codePartial      = 7
	codeInvalid      = 10
	codeExists       = 18
	codeUnauthorized = 20
)

// success is the answer of what was done, in both styles of GWS.
type success struct {
	StatusCode int `json:"statusCode"`
	// Status is "ok"; Cancel's is the number 0, as GWS documents it.
	Status      any             `json:"status"`
	ReferenceID json.RawMessage `json:"referenceId,omitempty"`
}

// found is the answer of a GET of one object, under the key of its kind.
type found struct {
	key    string
	object any
}

// MarshalJSON writes the statusCode first, as in all answers.
func (a found) MarshalJSON() ([]byte, error) {
	object, err := json.Marshal(a.object)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"statusCode":%d,%q:%s}`, codeOK, a.key, object), nil
}

// done returns the answer of a request that was done.
func (q *request) done() success { return success{Status: "ok", ReferenceID: q.reference} }

// failed is the answer of what was not done, in both styles of GWS.
type failed struct {
	StatusCode       int    `json:"statusCode"`
	StatusMessage    string `json:"statusMessage"`
	Status           string `json:"status"`
	ErrorDescription string `json:"errorDescription"`
}

// refusal is an error that a readable request is answered with, as HTTP 200.
type refusal struct {
	code    int
	message string
}

func (r *refusal) Error() string { return r.message }

// refuse returns the refusal of a readable request. The message names the field, its value and the
// remedy.
func refuse(code int, format string, args ...any) error {
	return &refusal{code: code, message: fmt.Sprintf(format, args...)}
}

// Refuse answers with a problem in both styles of GWS.
func Refuse(w http.ResponseWriter, r *http.Request, p *problem.Problem) {
	auth.Challenged(w.Header(), p)
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	code, status := statusOf(p)
	writeFailed(w, status, code, messageOf(p))
}

// outcome is the status code of a type of problem. A readable request on an interaction that the
// caller may see is answered as HTTP 200; only other requests have the problem's own HTTP status.
type outcome struct {
	code     int
	readable bool
}

var outcomes = map[string]outcome{
	problem.IllegalCommand:        {codeState, true},
	problem.OutOfOrder:            {codeState, true},
	problem.Completed:             {codeState, true},
	problem.InvalidPayload:        {codeInvalid, true},
	problem.UnknownCommand:        {codeForbidden, true},
	problem.AlreadyExists:         {codeExists, true},
	problem.NotPermitted:          {codePermission, false},
	problem.Malformed:             {codeInvalid, false},
	problem.ContactCenterRequired: {codeInvalid, false},
	problem.UnsupportedMediaType:  {codeInvalid, false},
	problem.TooLarge:              {codeInvalid, false},
	problem.Timeout:               {codeInvalid, false},
	problem.MethodNotAllowed:      {codeForbidden, false},
	problem.NotFound:              {codeNotFound, false},
	problem.Unauthenticated:       {codeUnauthorized, false},
}

// statusOf returns the status code of GWS and the HTTP status of a problem. Why distinguishes the
// refusals of an interaction, which are about a readable request, from those of the server.
func statusOf(p *problem.Problem) (code, status int) {
	o, known := outcomes[p.Type]
	if !known {
		return codeInternal, p.Status
	}
	switch p.Why {
	case "csrf", "origin":
		return codeForbidden, p.Status
	case string(interaction.WhyMissing):
		o.code = codeMissing
	case string(interaction.WhyAgent), string(interaction.WhyRole), string(interaction.WhyTooLarge):
		o.readable = true
	}
	if o.readable {
		return o.code, http.StatusOK
	}
	return o.code, p.Status
}

// messageOf returns what a person reads of a problem.
func messageOf(p *problem.Problem) string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Detail
}

func writeFailed(w http.ResponseWriter, status, code int, message string) {
	write(w, status, failed{StatusCode: code, StatusMessage: message, Status: "error", ErrorDescription: message})
}

// write answers with a value as JSON. The media type is exactly what clients compare with.
func write(w http.ResponseWriter, status int, answer any) {
	encoded, err := json.Marshal(answer)
	if err != nil {
		// Cannot happen: what is answered came as JSON.
		encoded, status = []byte(`{"statusCode":4,"statusMessage":"Internal error","status":"error","errorDescription":"Internal error"}`), http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // the client has gone
}
