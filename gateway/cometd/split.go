package cometd

import (
	"bytes"
	"encoding/json"
	"errors"
)

const jsonSpace = " \t\r\n"

// split returns the elements of an array, or the names and values of an object in turn. The text is valid
// JSON and has such a value alone. The elements are parts of the text.
func split(text []byte) []json.RawMessage {
	text = bytes.TrimLeft(text, jsonSpace)[1:]
	elements := make([]json.RawMessage, 0, 16)
	for {
		text = bytes.TrimLeft(text, jsonSpace+",:")
		n := valueLength(text)
		if n == 0 {
			return elements
		}
		elements = append(elements, text[:n:n])
		text = text[n:]
	}
}

// valueLength returns the length of the JSON value with which a text begins; 0 before a closing bracket.
func valueLength(text []byte) int {
	depth, inText := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			if inText = !inText; !inText && depth == 0 {
				return i + 1
			}
		case inText:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth == 0 { // of what the value is in
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case depth == 0 && bytes.IndexByte([]byte(jsonSpace+",:"), c) >= 0:
			return i
		}
	}
	return len(text)
}

var (
	errNoObject = errors.New("it is no JSON object")
	errTwice    = errors.New("a field comes twice")
)

// parseObject returns the members of an object, of a text that is valid JSON or empty. The names are compared
// as they are, and none may come twice: two parsers could read two different messages.
func parseObject(text json.RawMessage) (fields, error) {
	if text = bytes.TrimLeft(text, jsonSpace); len(text) == 0 || text[0] != '{' {
		return nil, errNoObject
	}
	elements := split(text)
	members := make(fields, len(elements)/2)
	for i := 0; i < len(elements); i += 2 {
		name := textOf(elements[i])
		if _, isKnown := members[name]; isKnown {
			return nil, errTwice
		}
		members[name] = elements[i+1]
	}
	return members, nil
}

// textOf returns a JSON text; empty for any other value.
func textOf(raw json.RawMessage) string {
	if len(raw) > 1 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}
