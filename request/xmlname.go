package request

import (
	"encoding/xml"
	"strings"
)

// isXMLName reports whether a name, with or without a prefix, is valid for an element or
// attribute.
func isXMLName(s string) bool {
	prefix, local, prefixed := strings.Cut(s, ":")
	if !prefixed {
		return isNCName(s)
	}
	return isNCName(prefix) && isNCName(local)
}

// xmlNameOf returns the name of an element for a key that comes from data. A character that
// a name cannot contain becomes _, and so does a colon: no prefix that comes from data is
// declared. Keys that become the same name are elements of the same name.
func xmlNameOf(key string) string {
	if isNCName(key) {
		return key
	}
	var b strings.Builder
	for _, c := range key {
		if b.Len() == 0 && !isNCName(string(c)) && isNCName("_"+string(c)) {
			b.WriteByte('_') // a digit, or another character that cannot be the first
		}
		if isNCName("_" + string(c)) {
			b.WriteRune(c)
		} else {
			b.WriteByte('_')
		}
	}
	if b.Len() == 0 {
		return "_"
	}
	return b.String()
}

// isNCName reports whether a name without a prefix is valid.
func isNCName(s string) bool {
	ascii := true
	for i, c := range []byte(s) {
		switch {
		case c == '_', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case i > 0 && (c == '-' || c == '.' || '0' <= c && c <= '9'):
		case c >= 0x80:
			ascii = false
		default:
			return false
		}
	}
	return s != "" && (ascii || isRead(s))
}

// isRead reports whether a parser reads a name with characters beyond ASCII. The parser
// knows the names of the fourth edition of XML 1.0. The fifth edition has more, which many
// receivers do not read.
func isRead(name string) bool {
	token, err := xml.NewDecoder(strings.NewReader("<" + name + "/>")).Token()
	start, ok := token.(xml.StartElement)
	return err == nil && ok && start.Name.Local == name && len(start.Attr) == 0
}
