package expr

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Kind is the kind of a piece of a scanned text.
type Kind int

// The kinds of a piece.
const (
	Literal Kind = iota
	Expression
	Tag
)

// Piece is a part of a scanned text: a literal, an expression without its ${ },
// or the name of a data element without its ##.
type Piece struct {
	Kind Kind
	Text string
	// Offset is where Text begins, in bytes.
	Offset int
}

// Scan splits a text into its literals, ${ expressions } and #data_elements#. A literal ${ or
// #name# is written as an expression: ${"#name#"}. Scan returns an *Error if an expression is
// not closed.
func Scan(text string) ([]Piece, error) {
	var pieces []Piece
	start := 0
	literal := func(end int) {
		if end > start {
			pieces = append(pieces, Piece{Literal, text[start:end], start})
		}
	}
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "${"):
			end, err := closing(text, i+2)
			if err != nil {
				return nil, err
			}
			literal(i)
			pieces = append(pieces, Piece{Expression, text[i+2 : end], i + 2})
			i = end + 1
			start = i
		case text[i] == '#':
			n := tagLength(text[i+1:])
			if n == 0 {
				i++
				continue
			}
			literal(i)
			pieces = append(pieces, Piece{Tag, text[i+1 : i+1+n], i + 1})
			i += n + 2
			start = i
		default:
			i++
		}
	}
	literal(len(text))
	return pieces, nil
}

// TagIn returns the name of the first data element in a text, for texts that are not scanned
// and would be sent as they are.
func TagIn(text string) (name string, found bool) {
	for i := range len(text) {
		if text[i] == '#' {
			if n := tagLength(text[i+1:]); n > 0 {
				return text[i+1 : i+1+n], true
			}
		}
	}
	return "", false
}

// tagLength returns the length of the name in a text that begins with "name#", else 0.
func tagLength(s string) int {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '#':
			return i
		case c == '_', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', i > 0 && '0' <= c && c <= '9':
		default:
			return 0
		}
	}
	return 0
}

// closing returns the index of the brace that ends an expression. Braces nest; those in CEL
// strings and comments do not count.
func closing(text string, from int) (int, error) {
	depth := 0
	for i := from; i < len(text); {
		switch c := text[i]; c {
		case '{':
			depth++
			i++
		case '}':
			if depth == 0 {
				return i, nil
			}
			depth--
			i++
		case '"', '\'':
			end := stringEnd(text, i, from)
			if end < 0 {
				return 0, scanError(text, from, i, "the string is not closed")
			}
			i = end
		case '/':
			if strings.HasPrefix(text[i:], "//") {
				n := strings.IndexByte(text[i:], '\n')
				if n < 0 {
					return 0, scanError(text, from, i, "the comment has no end: it hides the closing }")
				}
				i += n
				continue
			}
			i++
		default:
			i++
		}
	}
	return 0, scanError(text, from, from-2, "${ has no closing }")
}

// stringEnd returns the index after the CEL string that begins at a quote, or -1.
func stringEnd(text string, quote, from int) int {
	raw := quote > from && isRawPrefix(text, quote-1, from)
	mark := text[quote : quote+1]
	if triple := strings.Repeat(mark, 3); strings.HasPrefix(text[quote:], triple) {
		mark = triple
	}
	for i := quote + len(mark); i < len(text); {
		switch {
		case text[i] == '\\' && !raw:
			i += 2
		case strings.HasPrefix(text[i:], mark):
			return i + len(mark)
		case text[i] == '\n' && len(mark) == 1:
			return -1
		default:
			i++
		}
	}
	return -1
}

// isRawPrefix reports whether the letters before a quote make its string raw (r"…", br"…").
func isRawPrefix(text string, i, from int) bool {
	letters := 0
	raw := false
	for ; i >= from && strings.IndexByte("rRbB", text[i]) >= 0; i-- {
		letters++
		raw = raw || text[i] == 'r' || text[i] == 'R'
	}
	identifier := i >= from && (text[i] == '_' || text[i] >= '0' && text[i] <= '9' ||
		text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z')
	return raw && letters <= 2 && !identifier
}

func scanError(text string, from, at int, problem string) error {
	return &Error{Column: Column(text, at), Problem: problem + " in " + excerpt(text[from-2:]),
		Remedy: `to send ${ itself, write ${"${"}`}
}

// Column returns the position of a byte offset in characters, from 1.
func Column(text string, offset int) int { return utf8.RuneCountInString(text[:offset]) + 1 }

// opening matches the beginning of an expression without an end, up to its first name. The
// rest may be the rest of a URL with a token in it.
var opening = regexp.MustCompile(`^\$\{[\w\s.]{0,60}`)

// excerpt shortens an expression without an end, for errors.
func excerpt(s string) string {
	if begin := opening.FindString(s); len(begin) < len(s) {
		return begin + "…"
	}
	return s
}
