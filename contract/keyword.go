package contract

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

// keywordLimit is how many characters keyword columns hold on PostgreSQL and MySQL. In JSON, where a character takes at
// most six bytes, that is less than the 2 KiB limit of servers.
const keywordLimit = 255

// Keyword returns the search attribute value for a text. It replaces what databases do not store, and shortens a text that
// does not fit: the value then ends in a digest of the whole text, so that different texts have different values. To find a
// text, search for its Keyword.
func Keyword(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // PostgreSQL stores no NUL
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if utf8.RuneCountInString(text) <= keywordLimit {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	end := "…" + base64.RawURLEncoding.EncodeToString(sum[:12])
	begin := []rune(text)[:keywordLimit-utf8.RuneCountInString(end)]
	return string(begin) + end
}
