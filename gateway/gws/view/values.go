package view

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// appendObject appends an object as JSON, its keys in order; nil is an empty object.
func appendObject(b []byte, object map[string]any) []byte {
	b = append(b, '{')
	for n, key := range slices.Sorted(maps.Keys(object)) {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(quoted(b, key), ':')
		b = appendValue(b, object[key])
	}
	return append(b, '}')
}

// appendValue appends a value that was read from JSON, with every number as it was.
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return quoted(b, v)
	case float64:
		return appendFloat(b, v)
	case json.Number:
		return append(b, v...)
	case map[string]any:
		return appendObject(b, v)
	case []any:
		b = append(b, '[')
		for n, item := range v {
			if n > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, item)
		}
		return append(b, ']')
	}
	return append(b, plainly(value)...)
}

// appendFloat writes a number as package json does.
func appendFloat(b []byte, v float64) []byte {
	if size := math.Abs(v); size != 0 && (size < 1e-6 || size >= 1e21) {
		return append(b, plainly(v)...)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// quoted appends a text as JSON. A < stays as it is.
func quoted(b []byte, value string) []byte {
	for n := range len(value) {
		if c := value[n]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return append(b, plainly(value)...)
		}
	}
	b = append(b, '"')
	b = append(b, value...)
	return append(b, '"')
}

// plainly writes a value by package json, which has all rules. Values that were read from JSON can be
// written; any other is null.
func plainly(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil {
		return []byte("null")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// sameObject reports whether two objects are equal; none is the same as an empty one.
func sameObject(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for key, value := range a {
		other, ok := b[key]
		if !ok || !sameValue(value, other) {
			return false
		}
	}
	return true
}

// sameValue reports whether two values that were read from JSON are equal.
func sameValue(a, b any) bool {
	switch v := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		return ok && sameObject(v, other)
	case []any:
		other, ok := b.([]any)
		return ok && slices.EqualFunc(v, other, sameValue)
	case string:
		other, ok := b.(string)
		return ok && v == other
	}
	return reflect.DeepEqual(a, b)
}
