package delivery

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// content is a response's body and its Content-Type.
type content struct{ body, contentType string }

// root is the part of a multipart answer that holds the message, with its own type:
// SOAP with attachments and MTOM put the envelope there. Of anything else it is all.
func (a content) root() content {
	media, params := mediaType(a.contentType)
	if !strings.HasPrefix(media, "multipart/") {
		return a
	}
	boundary := params["boundary"]
	if boundary == "" {
		boundary = firstBoundary(a.body)
	}
	if boundary == "" {
		return a
	}
	var first *content
	parts, start := multipart.NewReader(strings.NewReader(a.body), boundary), contentID(params["start"])
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
		return a // and no message in it
	}
	return *first // the start names none of them
}

// readPart reads a part as far as it goes. NextPart has decoded quoted-printable.
func readPart(part *multipart.Part) content {
	var reader io.Reader = part
	if strings.EqualFold(strings.TrimSpace(part.Header.Get("Content-Transfer-Encoding")), "base64") {
		reader = base64.NewDecoder(base64.StdEncoding, part)
	}
	text, _ := io.ReadAll(reader) // what is cut off is judged by what is there
	return content{string(text), part.Header.Get("Content-Type")}
}

// mediaType is mime.ParseMediaType for the types that servers send: an unquoted slash
// or bracket in a parameter costs the parameters, not the type.
func mediaType(contentType string) (string, map[string]string) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(contentType, ";")
	}
	return strings.ToLower(strings.TrimSpace(media)), params
}

// firstBoundary is the boundary that a multipart body itself begins with.
func firstBoundary(body string) string {
	for line := range strings.Lines(body) {
		if boundary, ok := strings.CutPrefix(strings.TrimRight(line, " \t\r\n"), "--"); ok {
			return boundary
		}
	}
	return ""
}

// contentID is an id without the brackets that some write and some leave out.
func contentID(text string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "<"), ">")
}
