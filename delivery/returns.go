package delivery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"net/url"
	"slices"
	"strings"
)

// maxReturn bounds one returned value, in bytes.
const maxReturn = 4 << 10

// Format is what the body of a response is written in.
type Format string

// The formats of ECS's "Return Data Type", and the form that some answer with.
// Without one, the response's own Content-Type says it, and else it is JSON.
const (
	FormatJSON Format = "json"
	FormatXML  Format = "xml"
	FormatText Format = "text"
	formatForm Format = "form"
)

// Formats lists those that a call may ask for.
var Formats = []Format{FormatJSON, FormatText, FormatXML}

// returned takes the configured values out of a flat response, without the secrets
// that may be in them. What it cannot take it says in words, and takes the others.
func returned(p Policy, a answer, used secrets) (map[string]any, string) {
	object, problem := parseReturn(p, a)
	if problem != "" {
		return nil, "no values returned: " + problem
	}
	values := map[string]any{}
	var lacking []string
	for _, w := range p.Returns {
		value, why := flat(object, w.From)
		if why != "" {
			lacking = append(lacking, w.From+" ("+why+")")
			continue
		}
		values[w.To] = used.redactValue(object[w.From], value)
	}
	if len(lacking) > 0 {
		return values, "not returned: " + strings.Join(lacking, ", ")
	}
	return values, ""
}

// redactValue is a value as it may be kept: as it was written it must not be a secret.
func (s secrets) redactValue(written, value any) any {
	if number, ok := written.(json.Number); ok && slices.Contains(s, number.String()) {
		return redacted
	}
	if text, ok := value.(string); ok {
		return s.redact(text)
	}
	return value
}

func formatOf(p Policy, contentType string) Format {
	if p.SOAP {
		return FormatXML
	}
	if p.Accept != "" {
		return p.Accept
	}
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return FormatJSON
	case media == "application/x-www-form-urlencoded":
		return formatForm
	case strings.HasSuffix(media, "/xml"), strings.HasSuffix(media, "+xml"):
		return FormatXML
	}
	return FormatJSON
}

// parseReturn reads a response as names and values; lists and objects are in it as
// []any and map[string]any.
func parseReturn(p Policy, a answer) (map[string]any, string) {
	switch formatOf(p, a.contentType) {
	case FormatXML:
		return parseXML(a.body, a.contentType, p.SOAP)
	case FormatText:
		return parseText(a.body)
	case formatForm:
		return parseForm(a.body)
	}
	return parseJSON(a.body)
}

func parseJSON(body string) (map[string]any, string) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(body)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, "the response is no JSON object"
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Sprintf("the response is %s and no JSON object", shapeOf(value))
	}
	return object, ""
}

// parseText reads lines of name=value or name: value; other lines say nothing.
func parseText(body string) (map[string]any, string) {
	values := map[string]any{}
	for line := range strings.Lines(body) {
		at := strings.IndexAny(line, "=:")
		if at < 0 {
			continue
		}
		if name := strings.TrimSpace(line[:at]); name != "" {
			add(values, name, strings.TrimSpace(line[at+1:]))
		}
	}
	if len(values) == 0 {
		return nil, "the response has no lines of name=value"
	}
	return values, ""
}

func parseForm(body string) (map[string]any, string) {
	form, err := url.ParseQuery(strings.TrimSpace(body))
	if err != nil {
		return nil, "the response is no form"
	}
	values := map[string]any{}
	for name, list := range form {
		for _, value := range list {
			add(values, name, value)
		}
	}
	return values, ""
}

// add notes a value under its name; a second one makes it a list.
func add(values map[string]any, name string, value any) {
	if _, twice := values[name]; twice {
		value = []any{}
	}
	values[name] = value
}

// flat is a plain value as user data holds it, or why there is none. A number that
// a float64 cannot hold stays a string, digit for digit: it is an identifier.
func flat(object map[string]any, name string) (_ any, why string) {
	value, found := object[name]
	text := ""
	switch v := value.(type) {
	case bool:
		return v, ""
	case string:
		text = v
	case json.Number:
		f, err := v.Float64()
		if err == nil && (f != math.Trunc(f) || math.Abs(f) <= 1<<53) {
			return f, ""
		}
		text = v.String()
	case nil:
		if found {
			return nil, "null"
		}
		return nil, "not in the response"
	default:
		return nil, shapeOf(v) + "; only flat values are taken"
	}
	if len(text) > maxReturn {
		return nil, fmt.Sprintf("longer than %d bytes", maxReturn)
	}
	return strings.Clone(text), "" // the whole response would stay with it
}

func shapeOf(value any) string {
	switch value.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case nil:
		return "null"
	}
	return "a single value"
}
