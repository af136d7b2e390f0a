package platform

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"segue/gateway/problem"
)

// Bounds of bodies, in bytes.
const (
	maxCommand = 256 << 10
	maxArray   = 1 << 20
)

// readBody reads the whole body of a request, which is JSON or empty.
func readBody(ctx huma.Context, limit int64) ([]byte, error) {
	r, w := humago.Unwrap(ctx)
	tooLarge := fail(problem.TooLarge, fmt.Sprintf("the body has more than %d bytes", limit))
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var exceeded *http.MaxBytesError
	var known *problem.Problem
	switch {
	case errors.As(err, &known): // the server has given it a reason, such as the time that it took
		return nil, failure{known}
	case errors.As(err, &exceeded):
		return nil, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fail(problem.Timeout, "the body did not arrive in time")
	case err != nil:
		return nil, fail(problem.Malformed, "the body ended early")
	case len(body) > 0:
		return body, checkMediaType(r.Header)
	}
	return nil, nil
}

// checkMediaType returns an error unless a body is JSON in UTF-8, as it is.
func checkMediaType(header http.Header) error {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset := params["charset"]
	encoding := header.Get("Content-Encoding")
	if err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return fail(problem.UnsupportedMediaType, "send application/json")
	}
	if encoding != "" && !strings.EqualFold(encoding, "identity") {
		return fail(problem.UnsupportedMediaType, "send the body without Content-Encoding")
	}
	return nil
}

// readObjectBody reads a body that is one JSON object.
func readObjectBody(ctx huma.Context, limit int64) (*object, error) {
	body, err := readBody(ctx, limit)
	if err != nil {
		return nil, err
	}
	o, err := readObject(body)
	if err != nil {
		return nil, fail(problem.Malformed, err.Error())
	}
	return o, nil
}
