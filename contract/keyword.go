package contract

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"
)

// keywordLimit is how many characters the columns of keywords hold on PostgreSQL and MySQL. In JSON, where one takes six
// bytes at most, that is less than the 2 KiB that servers take.
const keywordLimit = 255

// Keyword is the value of a search attribute that stands for text: what does not fit, and what databases do not store as
// it is. A longer text keeps its beginning and ends in a digest of the whole, so that different texts stay different.
// Who looks for a text looks for its Keyword.
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
