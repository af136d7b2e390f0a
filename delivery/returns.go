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

// Format is the format of a response's body.
type Format string

// The formats of ECS's "Return Data Type", and the form with which some services respond.
// Without a configured format the response's Content-Type decides, and without that it is
// JSON.
const (
	FormatJSON Format = "json"
	FormatXML  Format = "xml"
	FormatText Format = "text"
	formatForm Format = "form"
)

// Formats are those that a call may configure.
var Formats = []Format{FormatJSON, FormatText, FormatXML}

// returned returns the configured values of a flat response, with secrets redacted, and a
// message about the values that are missing.
func returned(p Policy, c content, used secrets) (map[string]any, string) {
	object, problem := parseReturn(p, c)
	if problem != "" {
		return nil, "no values returned: " + problem
	}
	values := map[string]any{}
	var missing []string
	for _, w := range p.Returns {
		value, why := flatValue(object, w.From)
		if why != "" {
			missing = append(missing, w.From+" ("+why+")")
			continue
		}
		values[w.To] = used.redactValue(object[w.From], value)
	}
	if len(missing) > 0 {
		return values, "not returned: " + strings.Join(missing, ", ")
	}
	return values, ""
}

// redactValue returns a value with secrets redacted. A number is a secret if the response
// writes it like one.
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

// parseReturn parses a response as names and values; lists and objects are []any and
// map[string]any. If it cannot, it returns why.
func parseReturn(p Policy, c content) (map[string]any, string) {
	format := formatOf(p, c.contentType)
	if format == FormatXML {
		return parseXML(c.body, c.contentType, p.SOAP)
	}
	text, problem := c.text()
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

// duplicate is the value of a name that occurs more than once in an object: parsers disagree
// on which of the values counts.
type duplicate struct{}

// parseJSON parses one object with nothing after it.
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
		return nil, "the response has data after its JSON object"
	}
	return object, ""
}

// notAnObject says what a response is instead of a JSON object.
func notAnObject(text string) string {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return "the response is not a JSON object"
	}
	return fmt.Sprintf("the response is %s, not a JSON object", kindOfValue(value))
}

// parseText parses lines of name=value or name: value, and ignores other lines.
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
		return nil, "the response is not a form"
	}
	values := map[string]any{}
	for name, list := range form {
		for _, value := range list {
			addValue(values, name, value)
		}
	}
	return values, ""
}

// addValue sets a value under its name; a second value makes it a list.
func addValue(values map[string]any, name string, value any) {
	if _, isKnown := values[name]; isKnown {
		value = []any{}
	}
	values[name] = value
}

// flatValue returns a plain value as user data stores it, or why there is none. A number that
// a float64 cannot represent is returned as a string, digit for digit: it is an identifier.
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
		return nil, "occurs more than once"
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
	return strings.Clone(text), "" // otherwise the value keeps the whole response in memory
}

// textProblem returns why user data, and the calls that send it, cannot contain a text: XML
// excludes control characters, and an update a NUL. "" means that they can.
func textProblem(text string) string {
	if !utf8.ValidString(text) {
		return "not in UTF-8"
	}
	for _, c := range text {
		switch {
		case c == 0:
			return "contains a NUL character"
		case c < ' ' && c != '\t' && c != '\n' && c != '\r':
			return fmt.Sprintf("contains the control character %U", c)
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
