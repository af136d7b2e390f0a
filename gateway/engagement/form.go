package engagement

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
)

// maxParts bounds the fields of a multipart body. Its size is bounded as a whole.
const maxParts = 100

var errForm = errors.New("the body is neither a JSON object nor a form")

// formOf reads a body that is no JSON: a form, in either of the two encodings that HTML has. Only the
// Content-Type knows the boundary between the parts of the second.
func formOf(data []byte, contentType string) (url.Values, error) {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err == nil && kind == "multipart/form-data" {
		return partsOf(data, parameters["boundary"])
	}
	form, err := url.ParseQuery(string(data))
	if err != nil {
		return nil, errForm
	}
	return form, nil
}

// partsOf reads the fields of a multipart body. One that was sent as a file is a field, too.
func partsOf(data []byte, boundary string) (url.Values, error) {
	if boundary == "" {
		return nil, errForm
	}
	form := url.Values{}
	reader := multipart.NewReader(bytes.NewReader(data), boundary)
	for range maxParts {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return nil, errForm
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, errForm
		}
		if name := part.FormName(); name != "" {
			form.Add(name, string(value))
		}
	}
	return nil, errForm
}
