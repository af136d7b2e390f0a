package cometd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// fields are the members of a JSON object, as they came.
type fields map[string]json.RawMessage

// incoming is a message of a client.
type incoming struct {
	fields
	channel  string // empty if there is none, or no text
	clientID string
}

var (
	errDepth    = fmt.Errorf("the JSON is nested deeper than %d levels", maxDepth)
	errNoObject = errors.New("it is no JSON object")
	errTwice    = errors.New("a field comes twice")
)

// parse returns the messages of a body or a frame: a JSON array, or one object.
func parse(body []byte) ([]incoming, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("the text is not UTF-8")
	}
	if isDeep(body) {
		return nil, errDepth
	}
	if !json.Valid(body) {
		return nil, errors.New("the text is not JSON")
	}
	elements := []json.RawMessage{body}
	if body = bytes.TrimLeft(body, " \t\r\n"); body[0] == '[' {
		if err := json.Unmarshal(body, &elements); err != nil {
			return nil, fmt.Errorf("the text is no array of messages: %w", err)
		}
	}
	if len(elements) > maxBatch {
		return nil, fmt.Errorf("%d messages at once; at most %d are read", len(elements), maxBatch)
	}
	messages := make([]incoming, len(elements))
	for i, element := range elements {
		members, err := parseObject(element)
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", i, err)
		}
		if len(members["id"]) > maxID {
			return nil, fmt.Errorf("message %d: its id is longer than %d bytes", i, maxID)
		}
		messages[i] = incoming{fields: members, channel: members.text("channel"), clientID: members.text("clientId")}
	}
	return messages, nil
}

// isDeep reports whether brackets are nested too deep. It comes before any parser, which may recurse.
func isDeep(text []byte) bool {
	depth, inText := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}

// parseObject returns the members of an object. The names are compared as they are, and none may
// come twice: two parsers could read two different messages.
func parseObject(text json.RawMessage) (fields, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errNoObject
	}
	members := fields{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoObject, err)
		}
		key, _ := name.(string) // Token reports an error for any other
		if _, isKnown := members[key]; isKnown {
			return nil, errTwice
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoObject, err)
		}
		members[key] = value
	}
	return members, nil
}

// text returns a member that is a text; else empty.
func (f fields) text(name string) string {
	var text string
	if json.Unmarshal(f[name], &text) != nil {
		return ""
	}
	return text
}

// number returns a member that is a whole number.
func (f fields) number(name string) (int64, bool) {
	raw := f[name]
	if len(raw) == 0 || raw[0] == 'n' {
		return 0, false
	}
	if whole, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return whole, true
	}
	var number float64
	if json.Unmarshal(raw, &number) != nil || number != float64(int64(number)) {
		return 0, false
	}
	return int64(number), true
}

// object returns the members of a member that is an object; else none.
func (f fields) object(name string) fields {
	members, err := parseObject(f[name])
	if err != nil {
		return nil
	}
	return members
}

// isTrue reports whether a member is true, or an object whose member enabled is not false.
func (f fields) isTrue(name string) bool {
	if string(f[name]) == "true" {
		return true
	}
	members := f.object(name)
	return members != nil && string(members["enabled"]) != "false"
}

// texts returns a member that is a text or an array of texts.
func (f fields) texts(name string) []string {
	raw := f[name]
	if len(raw) > 0 && raw[0] == '"' {
		return []string{f.text(name)}
	}
	var elements []any
	if json.Unmarshal(raw, &elements) != nil {
		return nil
	}
	texts := make([]string, 0, len(elements))
	for _, element := range elements {
		text, ok := element.(string)
		if !ok {
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}
