package delivery

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

const (
	// minRedacted is the length in bytes from which a secret is redacted from text: shorter
	// ones occur in ordinary words.
	minRedacted = 4
	// minName is the same for user names and client ids: a short one is an ordinary word, but
	// some services use a key as the name.
	minName = 16

	redactedText = "[secret]"
)

// secrets are the values that one attempt used. They are redacted from everything that is
// recorded, because a receiver may repeat what it was sent.
type secrets []string

func (s *secrets) resolve(ref SecretRef) (string, error) {
	value, err := ref.resolve()
	if err == nil {
		s.add(value)
	}
	return value, err
}

// resolveField resolves a value that is sent in a header as it is.
func (s *secrets) resolveField(ref SecretRef) (string, error) {
	value, err := s.resolve(ref)
	if err == nil && !isFieldValue(value) {
		return "", fmt.Errorf("secret %s contains characters that a header cannot contain", ref)
	}
	return value, err
}

// resolveName resolves a name that is sent with a secret and may be one itself.
func (s *secrets) resolveName(ref SecretRef) (string, error) {
	name, err := ref.resolve()
	if err == nil && len(name) >= minName {
		s.add(name)
	}
	return name, err
}

// addBasic adds the encoded form of a name and a password in basic authentication.
func (s *secrets) addBasic(name, password string) {
	s.add(base64.StdEncoding.EncodeToString([]byte(name + ":" + password)))
}

func (s *secrets) add(value string) {
	if len(value) >= minRedacted {
		*s = append(*s, value)
	}
}

// redact replaces the secrets in a text, in the notations in which a receiver may repeat
// them: as they are; escaped for JSON, a URL or HTML, once or several times; in base64 or
// hexadecimal, alone or inside other text; and truncated at the end of the text.
func (s secrets) redact(text string) string {
	if text == "" {
		return text
	}
	longestFirst := slices.SortedFunc(slices.Values(s), func(a, b string) int { return len(b) - len(a) })
	for _, value := range longestFirst {
		text = redactEscaped(value, text)
		for _, spelling := range append(encodings(value), value, url.QueryEscape(value)) {
			text = redactEnd(strings.ReplaceAll(text, spelling, redactedText), spelling)
		}
	}
	return text
}

// redactEscaped replaces a value in a text, as it is, or with any of its characters escaped
// in one of the ways of encoders.
func redactEscaped(value, text string) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	words := strings.FieldsFunc(value, func(r rune) bool { return !isPlain(r) })
	for _, word := range words {
		if !strings.Contains(text, word) {
			return text // so it does not contain the value either
		}
	}
	if len(words) == 1 && words[0] == value {
		return strings.ReplaceAll(text, value, redactedText)
	}
	return pattern(value).ReplaceAllLiteralString(text, redactedText)
}

// isPlain reports whether every encoder leaves a character as it is.
func isPlain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)
}

// pattern returns an expression that matches a value in every mixture of notations.
func pattern(value string) *regexp.Regexp {
	var p strings.Builder
	for _, r := range value {
		literal := regexp.QuoteMeta(string(r))
		if isPlain(r) {
			p.WriteString(literal)
			continue
		}
		fmt.Fprintf(&p, `(?:\\*%s|(?i:%s|\\+u%04x|&(?:amp;)*#0*%d;|&(?:amp;)*#x0*%x;)`, literal, percentPattern(string(r)), r, r, r)
		if other, ok := namedEscapes[r]; ok {
			p.WriteString("|" + other)
		}
		p.WriteString(")")
	}
	found := regexp.MustCompile(p.String()) // it consists of quoted parts, and a secret is bounded in length
	found.Longest()                         // "&amp;", not only its "&"
	return found
}

// namedEscapes are the notations of single characters that follow no rule.
var namedEscapes = map[rune]string{
	' ': `\+|%(?:25)*2[bB]`, '&': `&(?:amp;)+`, '<': `&(?:amp;)*lt;`, '>': `&(?:amp;)*gt;`, '"': `&(?:amp;)*quot;`, '\'': `&(?:amp;)*apos;`,
	'\n': `\\+n`, '\r': `\\+r`, '\t': `\\+t`,
}

// percentPattern matches a text as it is escaped in URLs, and in URLs inside URLs.
func percentPattern(text string) string {
	var p strings.Builder
	for _, b := range []byte(text) {
		fmt.Fprintf(&p, "%%(?:25)*%02x", b)
	}
	return p.String()
}

// encodings returns a value in hexadecimal and in base64. Base64 depends on how many bytes are
// before the value, so there are three; the characters at both ends, which also depend on
// the neighbouring bytes, are left out.
func encodings(value string) []string {
	list := []string{hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value)))}
	for before := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString([]byte("xx"[:before] + value))
			text = text[(before*8+5)/6:]
			if (before+len(value))%3 != 0 {
				text = text[:len(text)-1]
			}
			if len(text) > minRedacted {
				list = append(list, text)
			}
		}
	}
	return list
}

// redactEnd replaces the beginning of a spelling at the end of a text.
func redactEnd(text, spelling string) string {
	for n := min(len(spelling)-1, len(text)); n >= minRedacted; n-- {
		if strings.HasSuffix(text, spelling[:n]) {
			return text[:len(text)-n] + redactedText
		}
	}
	return text
}
