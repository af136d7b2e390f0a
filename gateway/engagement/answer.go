package engagement

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/problem"
	"segue/interaction"
)

const (
	statusOK    = "OK"
	statusFault = "FAULT"
)

// answer is the answer of a request that was done.
type answer struct {
	Status    string          `json:"status"`
	IxnID     json.RawMessage `json:"ixnId"`
	State     string          `json:"state"`
	Attempt   int             `json:"attempt,omitempty"`
	Outcome   string          `json:"outcome,omitempty"`
	Duplicate bool            `json:"duplicate,omitempty"`
}

func answerOf(q *request, s *contract.State, duplicate bool) *answer {
	return &answer{Status: statusOK, IxnID: q.ixnID, State: string(s.State), Attempt: attemptsOf(s), Outcome: string(s.Outcome), Duplicate: duplicate}
}

// fault is the answer of a request that was not done.
type fault struct {
	Status  string `json:"status"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// statusOf returns the HTTP status of a problem. A strategy takes 400 as final: only what a later request
// can change has another one.
func statusOf(p *problem.Problem) int {
	switch p.Type {
	case problem.IllegalCommand, problem.OutOfOrder, problem.NotFound, problem.UnknownCommand, problem.Completed, problem.AlreadyExists,
		problem.UnsupportedMediaType, problem.InvalidPayload:
		return http.StatusBadRequest
	}
	return p.Status
}

// Refuse answers with a problem in the form of GWE.
func Refuse(w http.ResponseWriter, r *http.Request, p *problem.Problem) {
	auth.Challenged(w.Header(), p)
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
	message := p.Detail
	if message == "" {
		message = p.Title
	}
	if why := distrust(r); why != "" && (p.Type == problem.Unauthenticated || p.Type == problem.NotPermitted) {
		message = why
	}
	write(w, statusOf(p), fault{Status: statusFault, Code: p.Type, Message: message})
}

// refuse answers with an error. The text of a defect is for the log alone.
func (f *Face) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.Of(err)
	if p.Type == problem.Internal {
		f.Log.ErrorContext(r.Context(), "A request of an engagement failed", "error", err)
	}
	var invalid *interaction.InvalidError
	if errors.As(err, &invalid) {
		p.Detail = invalid.Error()
	}
	if own := (*problem.Problem)(nil); p.Type == problem.Unavailable && !errors.As(err, &own) && r.Header.Get("Idempotency-Key") == "" {
		p.Detail = "The interaction did not answer, so the outcome is open. Send the request again as it is: it counts once."
	}
	Refuse(w, r, p)
}

func unknownPath(w http.ResponseWriter, r *http.Request) {
	p := problem.New(problem.NotFound, "no such path")
	write(w, http.StatusNotFound, fault{Status: statusFault, Code: p.Type, Message: p.Detail})
}

func write(w http.ResponseWriter, status int, value any) {
	encoded, err := json.Marshal(value)
	if err != nil {
		encoded = []byte(`{"status":"FAULT"}`) // cannot happen: texts, numbers, and JSON that was read
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // the client has gone
}
