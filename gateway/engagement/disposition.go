package engagement

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/body"
	"segue/gateway/engagement/ticket"
	"segue/gateway/problem"
	"segue/interaction"
)

// results are the answers of a page, as the interaction knows them.
var results = map[string]string{
	"accepted": accepted, "rejected": "declined", "declined": "declined", "timeout": "timeout", "failed": "failed",
}

// disposition is the answer of a page to an invitation.
type disposition struct {
	name    client.Name
	attempt int
	result  string
	claims  ticket.Claims
}

// Disposition returns the handler of the answers of pages. The token is the credential.
func (f *Face) Disposition() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store") // an answer that a browser has kept would hide the next one
		if r.Method != http.MethodGet && r.Method != http.MethodPost {
			w.Header().Set("Allow", "GET, POST")
			Refuse(w, r, problem.New(problem.MethodNotAllowed, "use GET or POST"))
			return
		}
		if name := ahead(r); name != "" {
			Refuse(w, r, problem.New(problem.NotPermitted, "a link that is loaded in advance ("+name+") is no answer of the visitor: open it"))
			return
		}
		d, err := f.readDisposition(w, r)
		if err != nil {
			f.refuse(w, r, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), f.Deadline)
		defer cancel()
		answer, err := f.report(ctx, d)
		f.Observe(d.result, outcomeOf(answer, err))
		if err != nil {
			f.refuse(w, r, err)
			return
		}
		write(w, http.StatusOK, answer)
	})
}

// ahead returns the header by which a browser says that it loads a link in advance, without the visitor; empty for none.
func ahead(r *http.Request) string {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range r.Header.Values(name) {
			value = strings.ToLower(value) // "prefetch;prerender", for instance
			if strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || strings.Contains(value, "preview") {
				return name
			}
		}
	}
	return ""
}

// outcomeOf returns the outcome of an answer, for metrics.
func outcomeOf(given *answer, err error) string {
	switch {
	case err == nil && given.Duplicate:
		return "duplicate"
	case err == nil:
		return "applied"
	case statusOf(problem.Of(err)) < http.StatusInternalServerError:
		return "refused"
	}
	return "failed"
}

// readDisposition reads the parameters, and checks the token. The error is a *problem.Problem.
func (f *Face) readDisposition(w http.ResponseWriter, r *http.Request) (*disposition, error) {
	given, err := parametersOf(w, r)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"ixnId", "attempt", "result", "token"} {
		if len(given[name]) > 1 {
			return nil, malformed("%s is given more than once", name)
		}
	}
	claims, err := f.Tickets.Read(ticket.Invitation, given.Get("token"), f.Now())
	switch {
	case errors.Is(err, ticket.ErrExpired):
		return nil, malformed("the invitation has expired")
	case err != nil:
		return nil, problem.New(problem.Unauthenticated, "the token is missing or not valid")
	}
	if given.Get("ixnId") != claims.Interaction || given.Get("attempt") != strconv.Itoa(claims.Attempt) {
		return nil, problem.New(problem.NotPermitted, "the token is of another invitation")
	}
	result, known := results[given.Get("result")]
	if !known {
		return nil, malformed("the result must be accepted, rejected, timeout or failed")
	}
	return &disposition{
		name:    client.Name{ContactCenter: claims.ContactCenter, ID: claims.Interaction},
		attempt: claims.Attempt, result: result, claims: claims,
	}, nil
}

// parametersOf returns the parameters of the query and of the body, which is a form or a JSON object.
func parametersOf(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformed("the query is not readable")
	}
	data, err := bodyOf(w, r)
	if err != nil || len(data) == 0 {
		return given, err
	}
	if data[0] != '{' {
		form, err := formOf(data, r.Header.Get("Content-Type"))
		if err != nil {
			return nil, malformed("%s", err)
		}
		for name, values := range form {
			given[name] = append(given[name], values...)
		}
		return given, nil
	}
	object, err := body.ReadObject(data)
	if err != nil {
		return nil, malformed("%s", err)
	}
	for name := range object.Values {
		text, err := identifierOf(object, "", name)
		if err != nil {
			return nil, err
		}
		given.Add(name, text)
	}
	return given, nil
}

// report gives the result to the interaction, if it still waits for it.
func (f *Face) report(ctx context.Context, d *disposition) (*answer, error) {
	var failure error
	tried := ""
	for range tries {
		state, err := f.state(ctx, d.name)
		if err != nil {
			return nil, err
		}
		if isClosed(failure, tried, state) {
			return nil, late("the interaction has ended")
		}
		if isAnswered, err := d.check(state); err != nil || isAnswered {
			return d.answer(state, true), err
		}
		payload, err := json.Marshal(d.payload(state, f.Settings().Queue))
		if err != nil {
			return nil, err
		}
		given, err := f.Sender.Send(ctx, d.name, "engagement_result", payload)
		if err == nil {
			f.Index.Answered(d.name, given.RunID, given.Revision)
			return d.applied(ctx, f, given.Answer), nil
		}
		if failure = err; !isOvertaken(err) {
			return nil, err
		}
		tried = state.RunID
		pause(ctx)
	}
	return nil, undecided(failure)
}

// check reports whether the interaction has this answer already, or returns why it takes none.
func (d *disposition) check(s *contract.State) (isAnswered bool, err error) {
	switch {
	case s == nil, s.StartedAt.UnixNano() != d.claims.Started, attemptsOf(s) != d.attempt:
		return false, late("the invitation is not the last one")
	case s.State == interaction.StateEngaging:
		return false, nil
	case s.Engagement.Result == d.result:
		return true, nil
	case s.Engagement.Result != "":
		return false, late("the invitation has another answer: " + wordOf(s.Engagement.Result))
	}
	return false, late("the invitation was withdrawn")
}

// wordOf returns the word of a page for a result: its links have rejected for declined.
func wordOf(result string) string {
	if result == results["rejected"] {
		return "rejected"
	}
	return result
}

func late(detail string) error { return problem.New(problem.IllegalCommand, detail) }

// payload returns the command, which is of this attempt alone: another one may be open by now. An accepted
// invitation leads to the queue of its profile.
func (d *disposition) payload(s *contract.State, queue string) map[string]any {
	payload := map[string]any{
		"result": d.result, "attempt": d.attempt, "started_at": time.Unix(0, d.claims.Started).UTC(),
		"event_id": digest("gwe-result-", d.name.ContactCenter, d.name.ID, strconv.FormatInt(d.claims.Started, 10), strconv.Itoa(d.attempt), d.result),
	}
	if d.result != accepted {
		return payload
	}
	if own, ok := s.Engagement.Profile["queue"].(string); ok && own != "" {
		queue = own
	}
	if queue != "" {
		payload["queue"] = queue
	}
	return payload
}

func (d *disposition) answer(s *contract.State, duplicate bool) *answer {
	a := &answer{Status: statusOK, IxnID: d.ixnID(), Attempt: d.attempt, Duplicate: duplicate}
	if s != nil {
		a.State, a.Outcome = string(s.State), string(s.Outcome)
	}
	return a
}

// applied returns the answer for a result that the interaction has taken.
func (d *disposition) applied(ctx context.Context, f *Face, given contract.Answer) *answer {
	a := &answer{Status: statusOK, IxnID: d.ixnID(), State: string(given.State), Attempt: d.attempt, Duplicate: given.Duplicate}
	if given.State != interaction.StateCompleted {
		return a
	}
	if state, err := f.state(ctx, d.name); err == nil && state != nil {
		a.Outcome = string(state.Outcome) // without it, the answer is still right
	}
	return a
}

func (d *disposition) ixnID() json.RawMessage {
	encoded, err := json.Marshal(d.name.ID)
	if err != nil {
		return json.RawMessage(`""`) // cannot happen: a text
	}
	return encoded
}
