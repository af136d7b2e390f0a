package delivery

import (
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// text is an answer's body in UTF-8, without a byte order mark. A mark says what it is
// written in, then a body that is UTF-8 is taken for it whatever its header says, then
// its header. The problem says why it cannot be read.
func (a content) text() (text, problem string) {
	label := ""
	if _, params, err := mime.ParseMediaType(a.contentType); err == nil {
		label = strings.ToLower(params["charset"])
	}
	switch {
	case strings.HasPrefix(a.body, "\xff\xfe"):
		label = "utf-16le"
	case strings.HasPrefix(a.body, "\xfe\xff"):
		label = "utf-16be"
	}
	if body := strings.TrimPrefix(a.body, byteOrderMark); utf8.ValidString(body) && !strings.HasPrefix(label, "utf-16") {
		return body, ""
	}
	encoding, _ := charset.Lookup(label)
	switch {
	case encoding == nil && label != "":
		return "", "the response is in a charset that is not known"
	case encoding == nil, label == "utf-8":
		return "", "the response is not in UTF-8 and names no other charset"
	}
	text, err := encoding.NewDecoder().String(a.body)
	if err != nil {
		return "", "the response is not in the charset that it names"
	}
	return strings.TrimPrefix(text, byteOrderMark), ""
}

// byteOrderMark is the byte order mark.
const byteOrderMark = "\ufeff"
