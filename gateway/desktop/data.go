package desktop

import (
	"encoding/json"
	"fmt"
	"strings"

	"segue/excerpt"
	"segue/gateway/body"
	"segue/gateway/problem"
)

// part is an object of the data of a request, and the path to its fields, such as "data.agent.": refusals name
// the whole path.
type part struct {
	object *body.Object
	path   string
}

// given is the data of the request.
func (q *request) given() part { return part{q.data, "data."} }

// maxShown bounds what a refusal repeats of a value.
const maxShown = 64

// invalid refuses a field: it names the value, unless that is missing, what is wrong with it, and the remedy.
func invalid(field string, value json.RawMessage, what string) *problem.Problem {
	shown := ""
	if len(value) > 0 {
		shown = excerpt.Of(string(value), maxShown) + ": "
	}
	refused := problem.New(problem.InvalidPayload, field+": "+shown+what)
	refused.Field = field
	return refused
}

// text returns a text; empty for none.
func (p part) text(name string) (string, error) {
	value, isText := p.object.Text(name)
	if !isText {
		return "", invalid(p.path+name, p.object.Values[name], "is not a text; send a text in quotes")
	}
	return value, nil
}

// secret returns a text that no refusal repeats.
func (p part) secret(name string) (string, error) {
	value, isText := p.object.Text(name)
	if !isText {
		return "", invalid(p.path+name, nil, "is not a text; send a text in quotes")
	}
	return value, nil
}

// short returns a text that is bounded and may be empty.
func (p part) short(name string) (string, error) {
	value, err := p.text(name)
	if err == nil && len(value) > maxEndpoint {
		err = invalid(p.path+name, p.object.Values[name], fmt.Sprintf("has %d bytes; send at most %d", len(value), maxEndpoint))
	}
	return value, err
}

// isBlank reports whether a text has nothing but spaces.
func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// inner returns an object; nil for none.
func (p part) inner(name string) (*part, error) {
	given := p.object.Values[name]
	if isNone(given) {
		return nil, nil
	}
	if given[0] != '{' {
		return nil, invalid(p.path+name, given, "is not an object; send {…}")
	}
	object, err := body.ReadObject(given)
	if err != nil {
		return nil, err
	}
	return &part{object, p.path + name + "."}, nil
}

// flag returns true or false; false for none.
func (p part) flag(name string) (bool, error) {
	given := p.object.Values[name]
	if isNone(given) {
		return false, nil
	}
	var value bool
	if json.Unmarshal(given, &value) != nil {
		return false, invalid(p.path+name, given, "is neither true nor false")
	}
	return value, nil
}

func isNone(given json.RawMessage) bool { return len(given) == 0 || string(given) == "null" }
