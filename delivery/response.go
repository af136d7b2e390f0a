package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxExcerpt bounds what is recorded of a failed response, in bytes.
	maxExcerpt = 512
	// maxReturn bounds one returned value, in bytes.
	maxReturn = 4 << 10
)

// readBody reads a response to the limit, in bytes after decompression. What it
// could not read it says in words; closing the body then closes the connection.
func readBody(resp *http.Response, limit int64) ([]byte, string) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, "" // the body is the raw connection
	}
	if limit <= 0 {
		limit = defaultResponse
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case int64(len(body)) > limit:
		return body[:limit], "the response is longer than " + strconv.FormatInt(limit, 10) + " bytes and was not read to its end"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return body, "the response did not end in time"
	case err != nil:
		return body, "the response broke off"
	}
	return body, ""
}

// returned takes the configured values out of a flat JSON object, without the
// secrets that may be in them. What it cannot take it says in words, and takes the
// others.
func returned(wanted []Return, body []byte, used secrets) (map[string]any, string) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil || object == nil {
		return nil, "no values returned: the response is no JSON object"
	}
	values := map[string]any{}
	var missing []string
	for _, w := range wanted {
		value, ok := flat(object[w.From])
		if !ok {
			missing = append(missing, w.From)
			continue
		}
		switch v := object[w.From].(type) {
		case string:
			value = used.redact(v)
		case json.Number:
			if slices.Contains(used, v.String()) {
				value = redacted
			}
		}
		values[w.To] = value
	}
	if len(missing) > 0 {
		return values, "not returned: " + strings.Join(missing, ", ")
	}
	return values, ""
}

// flat is a plain JSON value as user data holds it. A number that a float64
// cannot hold stays a string, digit for digit: it is an identifier.
func flat(value any) (any, bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case string:
		return v, len(v) <= maxReturn
	case json.Number:
		f, err := v.Float64()
		switch {
		case err != nil:
			return v.String(), len(v) <= maxReturn
		case f == math.Trunc(f) && math.Abs(f) > 1<<53:
			return v.String(), len(v) <= maxReturn
		}
		return f, true
	}
	return nil, false
}

// bounded cuts text to a number of bytes, at a character, and makes it valid UTF-8.
func bounded(text string, limit int) string {
	text = strings.ToValidUTF8(text[:min(len(text), limit+utf8.UTFMax)], "\uFFFD")
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

func joined(parts ...string) string {
	var kept []string
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return bounded(strings.Join(kept, "; "), maxMessage)
}
