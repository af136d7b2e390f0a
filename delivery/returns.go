package delivery

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
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
func returned(p Policy, a content, used secrets) (map[string]any, string) {
	object, problem := parseReturn(p, a)
	if problem != "" {
		return nil, "no values returned: " + problem
	}
	values := map[string]any{}
	var lacking []string
	for _, w := range p.Returns {
		value, why := flatValue(object, w.From)
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
		return redactedText
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
func parseReturn(p Policy, a content) (map[string]any, string) {
	format := formatOf(p, a.contentType)
	if format == FormatXML {
		return parseXML(a.body, a.contentType, p.SOAP)
	}
	text, problem := a.text()
	if problem != "" {
		return nil, problem
	}
	switch format {
	case FormatText:
		return parseText(text)
	case formatForm:
		return parseForm(text)
	}
	return parseJSON(text)
}

// duplicate is the value of a name that occurs twice in one object: readers disagree on which
// of the values is meant.
type duplicate struct{}

// parseJSON reads one object, and nothing behind it.
func parseJSON(text string) (map[string]any, string) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, notAnObject(text)
	}
	object := map[string]any{}
	for decoder.More() {
		var value any
		name, err := decoder.Token()
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil {
			return nil, notAnObject(text)
		}
		if _, known := object[name.(string)]; known { // a name is a string, or an error
			value = duplicate{}
		}
		object[name.(string)] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, notAnObject(text)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, "the response goes on behind its JSON object"
	}
	return object, ""
}

// notAnObject says what a response is that is no JSON object.
func notAnObject(text string) string {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return "the response is no JSON object"
	}
	return fmt.Sprintf("the response is %s and no JSON object", kindOfValue(value))
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
			addValue(values, name, strings.TrimSpace(line[at+1:]))
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
			addValue(values, name, value)
		}
	}
	return values, ""
}

// addValue notes a value under its name; a second one makes it a list.
func addValue(values map[string]any, name string, value any) {
	if _, twice := values[name]; twice {
		value = []any{}
	}
	values[name] = value
}

// flatValue is a plain value as user data holds it, or why there is none. A number that
// a float64 cannot hold stays a string, digit for digit: it is an identifier.
func flatValue(object map[string]any, name string) (_ any, why string) {
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
	case duplicate:
		return nil, "given twice"
	case nil:
		if found {
			return nil, "null"
		}
		return nil, "not in the response"
	default:
		return nil, kindOfValue(v) + "; only flat values are taken"
	}
	if len(text) > maxReturn {
		return nil, fmt.Sprintf("longer than %d bytes", maxReturn)
	}
	if why := textProblem(text); why != "" {
		return nil, why
	}
	return strings.Clone(text), "" // the whole response would stay with it
}

// textProblem returns what user data and the calls that send it cannot hold in a text: what is
// in no XML, and a NUL in no update either. "" is a text that fits.
func textProblem(text string) string {
	if !utf8.ValidString(text) {
		return "not in UTF-8"
	}
	for _, c := range text {
		switch {
		case c == 0:
			return "holds a NUL character"
		case c < ' ' && c != '\t' && c != '\n' && c != '\r':
			return fmt.Sprintf("holds the control character %U", c)
		}
	}
	return ""
}

func kindOfValue(value any) string {
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
