package expr

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// maxValueDepth bounds the nesting of a value.
const maxValueDepth = 64

// Text returns a value as text: numbers as in JSON, times as RFC 3339 in UTC, lists and maps
// as JSON. It returns an error for a value that cannot be sent.
func Text(v ref.Val) (string, error) {
	if s, ok := v.(types.String); ok {
		return string(s), nil
	}
	switch t := v.(type) {
	case types.Timestamp, types.Duration, types.Bytes:
		return scalar(t), nil
	}
	b, err := AppendJSON(nil, v)
	return string(b), err
}

// AppendJSON appends a value as JSON; the keys of maps are sorted.
func AppendJSON(dst []byte, v ref.Val) ([]byte, error) { return appendJSON(dst, v, 0) }

func appendJSON(dst []byte, v ref.Val, depth int) ([]byte, error) {
	if depth > maxValueDepth {
		return dst, fmt.Errorf("the value is nested more than %d levels deep", maxValueDepth)
	}
	switch t := v.(type) {
	case types.String:
		return AppendString(dst, string(t)), nil
	case types.Bool:
		return strconv.AppendBool(dst, bool(t)), nil
	case types.Int:
		return strconv.AppendInt(dst, int64(t), 10), nil
	case types.Uint:
		return strconv.AppendUint(dst, uint64(t), 10), nil
	case types.Double:
		return appendFloat(dst, float64(t))
	case types.Null:
		return append(dst, "null"...), nil
	case types.Timestamp, types.Duration, types.Bytes:
		return AppendString(dst, scalar(t)), nil
	case *types.Optional:
		if !t.HasValue() {
			return append(dst, "null"...), nil
		}
		return appendJSON(dst, t.GetValue(), depth)
	case traits.Mapper:
		return appendMap(dst, t, depth)
	case traits.Lister:
		dst = append(dst, '[')
		for i := types.Int(0); i < t.Size().(types.Int); i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendJSON(dst, t.Get(i), depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	}
	return dst, fmt.Errorf("a value of type %s cannot be sent", v.Type().TypeName())
}

func appendMap(dst []byte, m traits.Mapper, depth int) ([]byte, error) {
	type entry struct {
		key   string
		value ref.Val
	}
	entries := make([]entry, 0, int(m.Size().(types.Int)))
	for it := m.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		key, err := Text(k)
		if err != nil {
			return dst, err
		}
		entries = append(entries, entry{key, m.Get(k)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare([]byte(a.key), []byte(b.key)) })
	dst = append(dst, '{')
	for i, e := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, e.key), ':')
		var err error
		if dst, err = appendJSON(dst, e.value, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// scalar returns the text of a value that JSON has no type for.
func scalar(v ref.Val) string {
	switch t := v.(type) {
	case types.Timestamp:
		return t.UTC().Format(time.RFC3339Nano)
	case types.Duration:
		return t.String()
	case types.Bytes:
		return base64.StdEncoding.EncodeToString(t)
	}
	return ""
}

// appendFloat writes a number as encoding/json does.
func appendFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, fmt.Errorf("the number %v cannot be sent", f)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.AppendInt(dst, int64(f), 10), nil
	}
	b, err := json.Marshal(f)
	return append(dst, b...), err
}

// AppendString appends a JSON string. It does not escape < > &.
func AppendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if err := e.Encode(s); err != nil {
				return append(dst, `""`...) // a string always encodes
			}
			return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
