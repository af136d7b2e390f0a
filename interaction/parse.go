package interaction

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a payload's size and nesting.
const (
	maxPayload = 256 << 10
	maxDepth   = 32
)

// parseObject reads a payload strictly: one JSON object, no repeated key, no NUL, bounded in
// size and depth. An empty payload is an empty object.
func parseObject(data []byte) (map[string]any, *InvalidError) {
	if len(data) > maxPayload {
		return nil, &InvalidError{Reason: fmt.Sprintf("the payload has %d bytes; send at most %d", len(data), maxPayload)}
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
		return nil, &InvalidError{Value: shortened(strings.ToValidUTF8(string(data), "�")), Reason: "not JSON (" + err.Error() + "); send one JSON object"}
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, &InvalidError{Value: shown(value), Reason: "not an object; send one JSON object with the command's fields"}
	}
	return object, nil
}

// parseValue reads one JSON value under the same rules.
func parseValue(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("invalid UTF-8")
	}
	if !json.Valid(data) {
		var none json.RawMessage
		return nil, json.Unmarshal(data, &none) // for the error
	}
	p := parser{rest: data}
	return p.value(nil, 0)
}

// parser builds a value from valid JSON. encoding/json itself silently takes the last of repeated
// keys, and its tokens cost several times as much.
type parser struct{ rest []byte }

// place is where a value is in the payload: a key of an object, or an index of an array.
type place struct {
	in    *place
	key   string
	index int // of an array, if the key is empty
}

// String returns the path, for errors.
func (at *place) String() string {
	switch {
	case at == nil:
		return ""
	case at.index >= 0:
		return at.in.String() + "[" + strconv.Itoa(at.index) + "]"
	}
	return joined(at.in.String(), at.key)
}

func (p *parser) value(at *place, depth int) (any, error) {
	p.skipSpace()
	switch p.rest[0] {
	case '{', '[':
		if depth >= maxDepth {
			return nil, &InvalidError{Field: shortened(at.String()), Reason: fmt.Sprintf("nested deeper than %d levels; flatten it", maxDepth)}
		}
		isObject := p.rest[0] == '{'
		p.rest = p.rest[1:]
		if isObject {
			return p.object(at, depth)
		}
		return p.array(at, depth)
	case '"':
		text := p.text()
		return text, withoutNUL(at, text)
	case 't':
		p.rest = p.rest[len("true"):]
		return true, nil
	case 'f':
		p.rest = p.rest[len("false"):]
		return false, nil
	case 'n':
		p.rest = p.rest[len("null"):]
		return nil, nil
	}
	return number(at, p.digits())
}

func (p *parser) object(at *place, depth int) (any, error) {
	object := map[string]any{}
	for p.advance('}') {
		key := p.text()
		inner := &place{in: at, key: key, index: -1}
		if err := withoutNUL(inner, key); err != nil {
			return nil, err
		}
		if _, twice := object[key]; twice {
			return nil, &InvalidError{Field: shortened(inner.String()), Reason: "the key occurs twice; send it once"}
		}
		p.skipSpace()
		p.rest = p.rest[len(":"):]
		value, err := p.value(inner, depth+1)
		if err != nil {
			return nil, err
		}
		object[key] = value
	}
	return object, nil
}

func (p *parser) array(at *place, depth int) (any, error) {
	array := []any{}
	for p.advance(']') {
		value, err := p.value(&place{in: at, index: len(array)}, depth+1)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	return array, nil
}

// advance moves to the next element of an object or array. It returns false behind the last one.
func (p *parser) advance(end byte) bool {
	p.skipSpace()
	if p.rest[0] == ',' {
		p.rest = p.rest[1:]
		p.skipSpace()
	}
	if p.rest[0] == end {
		p.rest = p.rest[1:]
		return false
	}
	return true
}

func (p *parser) skipSpace() { p.rest = bytes.TrimLeft(p.rest, " \t\r\n") }

// text reads a string.
func (p *parser) text() string {
	end, isEscaped := 1, false
	for p.rest[end] != '"' {
		if p.rest[end] == '\\' {
			isEscaped = true
			end++
		}
		end++
	}
	quoted := p.rest[:end+1]
	p.rest = p.rest[end+1:]
	if !isEscaped {
		return string(quoted[1:end])
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		panic(err) // it is part of valid JSON
	}
	return text
}

// digits reads a number.
func (p *parser) digits() json.Number {
	end := 0
	for end < len(p.rest) && strings.IndexByte("+-.eE0123456789", p.rest[end]) >= 0 {
		end++
	}
	digits := string(p.rest[:end])
	p.rest = p.rest[end:]
	return json.Number(digits)
}

func joined(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func withoutNUL(at *place, text string) error {
	if strings.IndexByte(text, 0) < 0 {
		return nil
	}
	return &InvalidError{Field: shortened(strings.ReplaceAll(at.String(), "\x00", "\\u0000")), Value: shown(text), Reason: "holds a NUL character; remove it"}
}

// exactDigits is how many digits every float64 keeps.
const exactDigits = 15

// number returns a float64, as encoding/json does, unless that would lose digits (of an id
// that is sent as a number): then it returns the json.Number.
func number(at *place, n json.Number) (any, error) {
	f, err := n.Float64()
	if err != nil {
		return nil, &InvalidError{Field: shortened(at.String()), Value: shortened(n.String()), Reason: "the number is out of range; send it as a string"}
	}
	if len(n) > exactDigits && isInteger(n.String()) && strconv.FormatFloat(f, 'f', -1, 64) != n.String() {
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
		n, err := number(nil, v)
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
