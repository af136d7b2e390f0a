package delivery

import (
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// text returns the content in UTF-8, without a byte order mark, or why it cannot be read. A
// byte order mark decides its charset; without one, content that is valid UTF-8 is taken as
// UTF-8, whatever its header says; else the header decides.
func (c content) text() (text, problem string) {
	label := ""
	if _, params, err := mime.ParseMediaType(c.contentType); err == nil {
		label = strings.ToLower(params["charset"])
	}
	switch {
	case strings.HasPrefix(c.body, "\xff\xfe"):
		label = "utf-16le"
	case strings.HasPrefix(c.body, "\xfe\xff"):
		label = "utf-16be"
	}
	if body := strings.TrimPrefix(c.body, byteOrderMark); utf8.ValidString(body) && !strings.HasPrefix(label, "utf-16") {
		return body, ""
	}
	encoding, _ := charset.Lookup(label)
	switch {
	case encoding == nil && label != "":
		return "", "the response is in an unknown charset"
	case encoding == nil, label == "utf-8":
		return "", "the response is not in UTF-8 and names no other charset"
	}
	text, err := encoding.NewDecoder().String(c.body)
	if err != nil {
		return "", "the response is not in the charset that it names"
	}
	return strings.TrimPrefix(text, byteOrderMark), ""
}

// byteOrderMark is that of UTF-8.
const byteOrderMark = "\ufeff"
