package interaction

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a payload's size and nesting.
const (
	maxPayload = 256 << 10
	// maxAdded is the room for what a sender adds to the payload of a client, who must be able to send all
	// of maxPayload: event_id, by, and in an array the name of the command.
	maxAdded = 4 << 10
	maxDepth = 32
)

// parseObject reads a payload strictly: one JSON object, no repeated key, no NUL, bounded in
// size and depth. An empty payload is an empty object.
func parseObject(data []byte) (map[string]any, *InvalidError) {
	if len(data) > maxPayload+maxAdded {
		return nil, &InvalidError{Why: WhyTooLarge, Reason: fmt.Sprintf("the payload has %d bytes; send at most %d", len(data), maxPayload)}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return map[string]any{}, nil
	}
	value, err := parseValue(data)
	if err != nil {
		var invalid *InvalidError
		if errors.As(err, &invalid) {
			return nil, invalid
		}
		return nil, &InvalidError{Value: shortened(strings.ToValidUTF8(string(data), "�")), Why: WhyInvalid, Reason: "not JSON (" + err.Error() + "); send one JSON object"}
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, &InvalidError{Value: shown(value), Why: WhyInvalid, Reason: "not an object; send one JSON object with the command's fields"}
	}
	return object, nil
}

// parseValue reads one JSON value under the same rules.
func parseValue(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("invalid UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	p := parser{decoder: decoder}
	value, err := p.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data after the value")
	}
	return value, nil
}

// parser builds a value token by token, because encoding/json silently takes the last of
// repeated keys.
type parser struct{ decoder *json.Decoder }

func (p parser) value(path string, depth int) (any, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if depth >= maxDepth {
			return nil, &InvalidError{Field: shortened(path), Why: WhyTooLarge, Reason: fmt.Sprintf("nested deeper than %d levels; flatten it", maxDepth)}
		}
		if t == '{' {
			return p.object(path, depth)
		}
		return p.array(path, depth)
	case string:
		return t, withoutNUL(path, t)
	case json.Number:
		return number(path, t)
	}
	return token, nil
}

func (p parser) object(path string, depth int) (any, error) {
	object := map[string]any{}
	for p.decoder.More() {
		token, err := p.decoder.Token()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string)
		inner := joined(path, key)
		if err := withoutNUL(inner, key); err != nil {
			return nil, err
		}
		if _, twice := object[key]; twice {
			return nil, &InvalidError{Field: shortened(inner), Why: WhyInvalid, Reason: "the key occurs twice; send it once"}
		}
		if object[key], err = p.value(inner, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := p.decoder.Token()
	return object, err
}

func (p parser) array(path string, depth int) (any, error) {
	array := []any{}
	for p.decoder.More() {
		value, err := p.value(path+"["+strconv.Itoa(len(array))+"]", depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := p.decoder.Token()
	return array, err
}

func joined(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func withoutNUL(path, text string) error {
	if strings.IndexByte(text, 0) < 0 {
		return nil
	}
	return &InvalidError{Field: shortened(strings.ReplaceAll(path, "\x00", "\\u0000")), Value: shown(text), Why: WhyInvalid, Reason: "holds a NUL character; remove it"}
}

// number returns a float64, as encoding/json does, unless that would lose digits (of an id
// that is sent as a number): then it returns the json.Number.
func number(path string, n json.Number) (any, error) {
	f, err := n.Float64()
	if err != nil {
		return nil, &InvalidError{Field: shortened(path), Value: shortened(n.String()), Why: WhyInvalid, Reason: "the number is out of range; send it as a string"}
	}
	if isInteger(n.String()) && strconv.FormatFloat(f, 'f', -1, 64) != n.String() && n != "-0" {
		return n, nil
	}
	return f, nil
}

func isInteger(digits string) bool {
	return !strings.ContainsAny(digits, ".eE")
}

// Settled gives the numbers of a value that was decoded with UseNumber the types that
// parseValue gives them, so that a carried-over interaction equals the original.
func Settled(value any) any {
	switch v := value.(type) {
	case json.Number:
		n, err := number("", v)
		if err != nil {
			return v
		}
		return n
	case map[string]any:
		for key, inner := range v {
			v[key] = Settled(inner)
		}
	case []any:
		for index, inner := range v {
			v[index] = Settled(inner)
		}
	}
	return value
}
