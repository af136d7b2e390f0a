package body

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"segue/gateway/problem"
)

// Read reads the whole body of a request, which is JSON or empty. The error is a *problem.Problem.
func Read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	tooLarge := problem.New(problem.TooLarge, fmt.Sprintf("the body has more than %d bytes", limit))
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var exceeded *http.MaxBytesError
	var known *problem.Problem
	switch {
	case errors.As(err, &known): // the server has given it a reason, such as the time that it took
		return nil, known
	case errors.As(err, &exceeded):
		return nil, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, problem.New(problem.Timeout, "the body did not arrive in time")
	case err != nil:
		return nil, problem.New(problem.Malformed, "the body ended early")
	case len(data) > 0:
		return data, checkMediaType(r.Header)
	}
	return nil, nil
}

// checkMediaType returns an error unless a body is JSON in UTF-8, as it is.
func checkMediaType(header http.Header) error {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset := params["charset"]
	encoding := header.Get("Content-Encoding")
	if err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return problem.New(problem.UnsupportedMediaType, "send application/json")
	}
	if encoding != "" && !strings.EqualFold(encoding, "identity") {
		return problem.New(problem.UnsupportedMediaType, "send the body without Content-Encoding")
	}
	return nil
}

// ReadRequest reads a body that is one JSON object, or empty. The error is a *problem.Problem.
func ReadRequest(w http.ResponseWriter, r *http.Request, limit int64) (*Object, error) {
	data, err := Read(w, r, limit)
	if err != nil {
		return nil, err
	}
	o, err := ReadObject(data)
	if err != nil {
		return nil, problem.New(problem.Malformed, err.Error())
	}
	return o, nil
}
