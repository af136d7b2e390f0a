package gws

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"segue/client"
	"segue/gateway/auth"
	"segue/gateway/body"
	"segue/gateway/gws/view"
	"segue/gateway/problem"
	"segue/interaction"
)

// maxBody bounds a body, in bytes.
const maxBody = 256 << 10

// request is one authenticated request.
type request struct {
	*http.Request
	writer        http.ResponseWriter
	caller        *auth.Caller
	contactCenter string
	// base is the start of absolute URIs: https://host.
	base string
	// isMine is set for paths under /me: then the caller is an agent.
	isMine bool
	// body is the JSON object of a POST or a PUT; reference its referenceId, or a number that is made.
	body      *body.Object
	reference json.RawMessage
}

// agent is the id of the agent who sends the request; empty if the caller is none.
func (q *request) agent() string { return q.caller.Agent }

// actor is the caller as commands name it.
func (q *request) actor() interaction.Actor {
	if q.caller.Role == interaction.RoleAgent {
		return interaction.Actor{ID: q.caller.Agent, Role: interaction.RoleAgent}
	}
	return *q.caller.Actor()
}

// wantsAll reports whether a query parameter such as fields is given: any value of it means all.
func (q *request) wantsAll(parameter string) bool { return q.URL.Query().Has(parameter) }

// target returns the name of an interaction with the id of the path. An id that no interaction can
// have names none.
func (q *request) target(id string) (client.Name, error) {
	n := client.Name{ContactCenter: q.contactCenter, ID: id}
	if n.Check() != nil {
		return n, problem.NoInteraction()
	}
	return n, nil
}

// text returns a member of the body that is a text; empty if it is absent, null or empty.
func (q *request) text(field string) (string, error) { return textIn(q.body, field, "") }

// textIn returns a member of an object that is a text. path precedes its name in messages.
func textIn(o *body.Object, field, path string) (string, error) {
	text, ok := o.Text(field)
	if !ok {
		return "", refuse(codeInvalid, "%s%s: %s is not a text; send a text in quotes", path, field, shown(o.Values[field]))
	}
	return text, nil
}

// object returns a member of the body that is an object; nil if it is absent or null.
func (q *request) object(field string) (*body.Object, error) {
	given := q.body.Values[field]
	if isNone(given) {
		return nil, nil
	}
	if given[0] != '{' {
		return nil, refuse(codeInvalid, "%s: %s is not an object; send an object of names and values", field, shown(given))
	}
	return body.ReadObject(given)
}

func isNone(given json.RawMessage) bool { return len(given) == 0 || string(given) == "null" }

// shown returns the beginning of a value for a message.
func shown(given json.RawMessage) string {
	const limit = 40
	text := []rune(string(given))
	if len(text) > limit {
		return string(text[:limit]) + "…"
	}
	return string(text)
}

// read reads the body, its contact center and its referenceId.
func (f *face) read(q *request) error {
	var err error
	if q.body, err = body.ReadRequest(q.writer, q.Request, maxBody); err != nil {
		return err
	}
	q.reference, err = f.referenceOf(q.body.Values["referenceId"])
	return err
}

// referenceOf returns the referenceId of a body, as the JSON that it is, or the next number.
func (f *face) referenceOf(given json.RawMessage) (json.RawMessage, error) {
	if isNone(given) {
		return f.nextReference(), nil
	}
	if !view.ValidReference(given) {
		return nil, problem.New(problem.Malformed, "referenceId: "+shown(given)+
			" is neither a number nor a text of at most 128 bytes without control characters; send one of them")
	}
	return given, nil
}

func (f *face) nextReference() json.RawMessage {
	return strconv.AppendInt(nil, f.references.Add(1), 10)
}

// inContactCenter finds the contact center of the request. One that is not the caller's has no
// interactions for the caller, and its lists are not permitted.
func (q *request) inContactCenter(isObject bool) error {
	named := ""
	if q.body != nil {
		var ok bool
		if named, ok = q.body.Text("contact_center"); !ok {
			return problem.New(problem.Malformed, "contact_center: "+shown(q.body.Values["contact_center"])+" is not a text; send a text in quotes")
		}
	}
	var err error
	q.contactCenter, err = auth.ContactCenterOf(q.Request, named)
	var foreign *auth.ForeignError
	switch {
	case errors.As(err, &foreign) && isObject:
		return foreign.Object()
	case errors.As(err, &foreign):
		return foreign.List()
	}
	return err
}

// BaseOf returns the start of absolute URIs: the configured one, or what the client has used.
func BaseOf(publicURL string, r *http.Request) string {
	switch {
	case publicURL != "":
		return strings.TrimRight(publicURL, "/")
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
