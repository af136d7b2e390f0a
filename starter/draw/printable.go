package draw

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable replaces the characters with which a text from outside could move the cursor of a terminal, or turn around the
// direction of what follows. Line ends and tabs stay.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, text)
}
