package excerpt

import (
	"strings"
	"unicode/utf8"
)

// Of returns the text, or its first limit bytes followed by "…" if it is longer. Invalid
// UTF-8 is replaced by U+FFFD; a character that the limit splits is left out.
func Of(text string, limit int) string {
	if len(text) <= limit {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// Cut returns at most the first limit bytes of the text, without a mark where it ends.
// Invalid UTF-8 is replaced by U+FFFD. The result has its own memory, so that it does not
// keep the whole text alive.
func Cut(text string, limit int) string {
	text = strings.ToValidUTF8(text[:min(len(text), limit+utf8.UTFMax)], "\uFFFD")
	if len(text) > limit {
		for limit > 0 && !utf8.RuneStart(text[limit]) {
			limit--
		}
		text = text[:limit]
	}
	return strings.Clone(text)
}
