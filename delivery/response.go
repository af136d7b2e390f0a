package delivery

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"segue/excerpt"
)

// maxExcerpt bounds the excerpt of a failed response in its outcome, in bytes.
const maxExcerpt = 512

// readBody reads a response up to the limit, in bytes after decompression, and returns
// what kept it from reading all, or "". Closing the body then closes the connection.
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
		return body[:limit], "the response is longer than " + strconv.FormatInt(limit, 10) + " bytes; the rest was not read"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return body, "the response did not end in time"
	case err != nil:
		return body, "the response broke off"
	}
	return body, ""
}

// joined returns a message of the parts that are not empty.
func joined(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return excerpt.Cut(strings.Join(parts, "; "), maxMessage)
}
