package delivery

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// content is the body of a response, or a part of it, with its Content-Type.
type content struct{ body, contentType string }

// root returns the part of a multipart response that contains the message, with its own type:
// SOAP with attachments and MTOM put the envelope there. Other content is returned as it is.
func (c content) root() content {
	media, params := mediaType(c.contentType)
	if !strings.HasPrefix(media, "multipart/") {
		return c
	}
	boundary := params["boundary"]
	if boundary == "" {
		boundary = firstBoundary(c.body)
	}
	if boundary == "" {
		return c
	}
	var first *content
	parts, start := multipart.NewReader(strings.NewReader(c.body), boundary), contentID(params["start"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		isRoot := start == "" || contentID(part.Header.Get("Content-ID")) == start
		if !isRoot && first != nil {
			continue
		}
		read := readPart(part)
		if isRoot {
			return read
		}
		first = &read
	}
	if first == nil {
		return c // there is no part
	}
	return *first // start names none of the parts
}

// readPart reads a part as far as it is complete. NextPart has decoded quoted-printable.
func readPart(part *multipart.Part) content {
	var reader io.Reader = part
	if strings.EqualFold(strings.TrimSpace(part.Header.Get("Content-Transfer-Encoding")), "base64") {
		reader = base64.NewDecoder(base64.StdEncoding, part)
	}
	text, _ := io.ReadAll(reader) // a truncated part is classified by what is there
	return content{string(text), part.Header.Get("Content-Type")}
}

// mediaType is mime.ParseMediaType for the headers that servers send: an unquoted slash or
// bracket in a parameter loses the parameters, not the type.
func mediaType(contentType string) (string, map[string]string) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(contentType, ";")
	}
	return strings.ToLower(strings.TrimSpace(media)), params
}

// firstBoundary returns the boundary with which a multipart body begins.
func firstBoundary(body string) string {
	for line := range strings.Lines(body) {
		if boundary, ok := strings.CutPrefix(strings.TrimRight(line, " \t\r\n"), "--"); ok {
			return boundary
		}
	}
	return ""
}

// contentID returns an id without its brackets, which some servers leave out.
func contentID(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "<"), ">")
}
