package engagement

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"segue/client"
	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/body"
	"segue/gateway/problem"
	"segue/interaction"
)

// maxBody bounds a request, in bytes.
const maxBody = 256 << 10

// kind is one of the two requests.
type kind struct {
	// command is what the interaction is sent, parameter the name of the object, in the request and in
	// the command.
	command, parameter string
}

var (
	engage   = kind{"engage", "ixnProfile"}
	noengage = kind{"noengage", "cancelData"}
)

// other returns the other kind.
func (k kind) other() kind {
	if k == engage {
		return noengage
	}
	return engage
}

// isOther returns the problem of a request that has the object of the other kind instead of its own.
func (k kind) isOther() *problem.Problem {
	return malformed("%s: of %s; %s needs %s", k.other().parameter, k.other().command, k.command, k.parameter)
}

// request is a request that could be read.
type request struct {
	kind
	name client.Name
	// ixnID is the id of the interaction as it came.
	ixnID json.RawMessage
	// byVisit reports that the request has no id of an interaction, but that of a visit.
	byVisit bool
	// object is the profile or the cancellation, as it came; canonical is the same for comparisons.
	object    json.RawMessage
	canonical []byte
	fields    map[string]any
	// key is the Idempotency-Key; empty for none.
	key string
}

// read reads a request. The error is a *problem.Problem.
func read(w http.ResponseWriter, r *http.Request, k kind) (*request, error) {
	object, contactCenter, err := objectOf(w, r, k)
	if err != nil {
		return nil, err
	}
	q := &request{kind: k, object: object.Encode()}
	if q.key, err = keyOf(r); err != nil {
		return nil, err
	}
	if q.fields, err = decoded(q.object); err != nil {
		return nil, malformed("the %s is not readable: %s", k.parameter, err)
	}
	if q.canonical, err = json.Marshal(q.fields); err != nil {
		return nil, malformed("the %s is not readable", k.parameter)
	}
	id, err := q.identify(object)
	if err != nil {
		return nil, err
	}
	if q.kind == engage || q.byVisit {
		if err := q.checkVisit(object); err != nil {
			return nil, err
		}
	}
	if contactCenter, err = q.contactCenter(object, contactCenter); err != nil {
		return nil, err
	}
	if q.name, err = nameOf(r, contactCenter, id); err != nil {
		return nil, err
	}
	return q, nil
}

// contactCenter returns the contact center that the object or the request beside it names; empty for none.
func (q *request) contactCenter(object *body.Object, beside string) (string, error) {
	inside, err := contactCenterIn(object, q.parameter+".")
	switch {
	case err != nil:
		return "", err
	case inside != "" && beside != "" && inside != beside:
		return "", malformed("%s.contact_center: %s: the request names another contact center beside %s; send one of them",
			q.parameter, strconv.Quote(excerpt(inside)), q.parameter)
	case inside != "":
		return inside, nil
	}
	return beside, nil
}

func contactCenterIn(object *body.Object, path string) (string, error) {
	contactCenter, ok := object.Text("contact_center")
	if !ok {
		return "", malformed("%scontact_center: %s: not a text; send a text in quotes", path, excerpt(string(object.Values["contact_center"])))
	}
	return contactCenter, nil
}

// nameOf returns the interaction. One of a contact center that the caller may not use is like none.
func nameOf(r *http.Request, contactCenter, id string) (client.Name, error) {
	center, err := auth.ContactCenterOf(r, contactCenter)
	var foreign *auth.ForeignError
	if errors.As(err, &foreign) {
		return client.Name{}, foreign.Object()
	}
	if err != nil {
		return client.Name{}, err
	}
	n := client.Name{ContactCenter: center, ID: id}
	if err := n.Check(); err != nil {
		return n, malformed("%s", err)
	}
	return n, nil
}

// maxKey bounds an idempotency key, in bytes.
const maxKey = 255

func keyOf(r *http.Request) (string, error) {
	keys := r.Header.Values("Idempotency-Key")
	switch {
	case len(keys) == 0:
		return "", nil
	case len(keys) > 1:
		return "", malformed("Idempotency-Key is given more than once")
	case len(keys[0]) > maxKey || strings.ContainsFunc(keys[0], func(c rune) bool { return c < ' ' || c > '~' }):
		return "", malformed("Idempotency-Key has more than %d bytes, or a character that is not ASCII", maxKey)
	}
	return keys[0], nil
}

// attemptOf returns the attempt in the header of a callback; nil if there is none that can be read.
func attemptOf(r *http.Request) *contract.EngagementAttempt {
	if a, ok := contract.ParseEngagement(r.Header.Get(contract.HeaderEngagement)); ok {
		return &a
	}
	return nil
}

// objectOf returns the object of a request, and the contact center that the parameters name. The
// documents leave open how the object is sent, so all ways are read. An SCXML engine sends JSON as
// text/plain: what begins with { is JSON, whatever the Content-Type.
func objectOf(w http.ResponseWriter, r *http.Request, k kind) (o *body.Object, contactCenter string, err error) {
	data, err := bodyOf(w, r)
	if err != nil {
		return nil, "", err
	}
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, "", malformed("the query is not readable")
	}
	if len(data) > 0 && data[0] == '{' {
		if given.Has(k.parameter) {
			return nil, "", malformed("%s is in the query and in the body; send it once", k.parameter)
		}
		return wrapped(data, k)
	}
	form, err := formOf(data, r.Header.Get("Content-Type"))
	if err != nil {
		return nil, "", malformed("%s", err)
	}
	values := append(given[k.parameter], form[k.parameter]...)
	switch {
	case len(values) == 0 && (given.Has(k.other().parameter) || form.Has(k.other().parameter)):
		return nil, "", k.isOther()
	case len(values) == 0 || values[0] == "":
		return nil, "", malformed("there is no %s: send a JSON object", k.parameter)
	case len(values) > 1:
		return nil, "", malformed("%s is given more than once", k.parameter)
	case len(form["contact_center"]) > 1:
		return nil, "", malformed("contact_center is given more than once")
	}
	o, err = parsed([]byte(values[0]), k)
	return o, form.Get("contact_center"), err
}

// wrapped reads a JSON body: the object, or an object that has it under its name.
func wrapped(data []byte, k kind) (*body.Object, string, error) {
	outer, err := parsed(data, k)
	if err != nil {
		return nil, "", err
	}
	inner, isWrapped := outer.Values[k.parameter]
	if _, hasOther := outer.Values[k.other().parameter]; hasOther && !isWrapped && !hasID(outer) {
		return nil, "", k.isOther()
	}
	if !isWrapped {
		return outer, "", nil
	}
	contactCenter, err := contactCenterIn(outer, "")
	if err != nil {
		return nil, "", err
	}
	var text string
	if json.Unmarshal(inner, &text) == nil {
		inner = json.RawMessage(text)
	}
	o, err := parsed(inner, k)
	return o, contactCenter, err
}

// parsed reads one JSON object.
func parsed(data []byte, k kind) (*body.Object, error) {
	data = trimmed(data)
	if len(data) == 0 || data[0] != '{' {
		return nil, malformed("%s is not a JSON object", k.parameter)
	}
	o, err := body.ReadObject(data)
	if err != nil {
		return nil, malformed("%s: %s", k.parameter, err)
	}
	return o, nil
}

// bodyOf reads the body. The error is a *problem.Problem.
func bodyOf(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, problem.New(problem.UnsupportedMediaType, "send the body without Content-Encoding")
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var known *problem.Problem
	var exceeded *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return nil, known
	case errors.As(err, &exceeded):
		return nil, problem.New(problem.TooLarge, fmt.Sprintf("the body has more than %d bytes", maxBody))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, problem.New(problem.Timeout, "the body did not arrive in time")
	case err != nil:
		return nil, malformed("the body ended early")
	}
	return trimmed(data), nil
}

// trimmed returns JSON text without white space, and without the mark that some programs begin UTF-8 with.
func trimmed(data []byte) []byte {
	return bytes.Trim(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
}

// The keys that are read, in their order. All others are kept as they are.
var (
	ixnKeys   = []string{"ixnId", "interactionId", "InteractionId"}
	visitKeys = []string{"visitID", "visitId"}
)

// hasID reports whether an object names an interaction or a visit, in whatever form.
func hasID(object *body.Object) bool {
	return slices.ContainsFunc(slices.Concat(ixnKeys, visitKeys), func(key string) bool { return object.Values[key] != nil })
}

// identify returns the id of the interaction.
func (q *request) identify(object *body.Object) (string, error) {
	for _, key := range ixnKeys {
		id, err := identifierOf(object, q.parameter+".", key)
		if err != nil {
			return "", err
		}
		if id != "" {
			q.ixnID = object.Values[key]
			return id, nil
		}
	}
	for _, key := range visitKeys {
		visit, err := identifierOf(object, q.parameter+".", key)
		if err != nil {
			return "", err
		}
		if visit == "" {
			continue
		}
		q.byVisit = true
		id := VisitPrefix + visit
		if q.ixnID, err = json.Marshal(id); err != nil {
			return "", malformed("%s.%s: not an id; %s", q.parameter, key, VisitRule)
		}
		return id, nil
	}
	return "", malformed("%s: no ixnId and no visitID; send one of them", q.parameter)
}

// decoded returns an object as an interaction keeps it.
func decoded(object json.RawMessage) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	interaction.Settled(fields)
	return fields, nil
}

func malformed(format string, args ...any) *problem.Problem {
	return problem.New(problem.Malformed, fmt.Sprintf(format, args...))
}
