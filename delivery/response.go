package delivery

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxExcerpt bounds what is recorded of a failed response, in bytes.
const maxExcerpt = 512

// readBody reads a response to the limit, in bytes after decompression. What it
// could not read it says in words; closing the body then closes the connection.
func readBody(resp *http.Response, limit int64) ([]byte, string) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, "" // the body is the raw connection
	}
	if limit <= 0 {
		limit = DefaultResponse
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

// bounded cuts text to a number of bytes, at a character, and makes it valid UTF-8.
func bounded(text string, limit int) string {
	text = strings.ToValidUTF8(text[:min(len(text), limit+utf8.UTFMax)], "\uFFFD")
	if len(text) <= limit {
		return strings.Clone(text) // else all that it was cut from would stay with it
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return strings.Clone(text[:limit])
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
