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
	// minRedacted is the length in bytes from which a secret is looked for in text:
	// shorter ones would shred innocent words.
	minRedacted = 4
	// minName is the same for user names and client ids: a short one is a word, and a
	// long one is what some services call a key.
	minName = 16

	redactedText = "[secret]"
)

// secrets are the values that one attempt used, to be kept out of everything that
// is recorded: a receiver may repeat what it was sent.
type secrets []string

func (s *secrets) resolve(ref SecretRef) (string, error) {
	value, err := ref.resolve()
	if err == nil {
		s.add(value)
	}
	return value, err
}

// resolveField resolves what goes into a header as it is.
func (s *secrets) resolveField(ref SecretRef) (string, error) {
	value, err := s.resolve(ref)
	if err == nil && !isFieldValue(value) {
		return "", fmt.Errorf("secret %s holds characters that fit in no header", ref)
	}
	return value, err
}

// resolveName resolves what goes with a secret and may be one.
func (s *secrets) resolveName(ref SecretRef) (string, error) {
	name, err := ref.resolve()
	if err == nil && len(name) >= minName {
		s.add(name)
	}
	return name, err
}

// addBasic adds what basic authentication makes of a name and a password.
func (s *secrets) addBasic(name, password string) {
	s.add(base64.StdEncoding.EncodeToString([]byte(name + ":" + password)))
}

func (s *secrets) add(value string) {
	if len(value) >= minRedacted {
		*s = append(*s, value)
	}
}

// redact takes the secrets out of text, in the notations that a receiver may repeat
// them in: as they are, escaped for JSON, a URL or HTML, once or several times, in
// base64 or hexadecimal, alone or amid other text, and cut off at the end of the text.
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

// redactEscaped takes out of text a value as it is, or with what encoders touch written in
// one of their ways.
func redactEscaped(value, text string) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	words := strings.FieldsFunc(value, func(r rune) bool { return !isPlain(r) })
	for _, word := range words {
		if !strings.Contains(text, word) {
			return text // nor is the rest
		}
	}
	if len(words) == 1 && words[0] == value {
		return strings.ReplaceAll(text, value, redactedText)
	}
	return pattern(value).ReplaceAllLiteralString(text, redactedText)
}

// isPlain tells whether every encoder leaves a character as it is.
func isPlain(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)
}

// pattern finds a value in text, in every mixture of notations.
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
	found := regexp.MustCompile(p.String()) // of quoted parts alone, and no longer than a secret may be
	found.Longest()                         // "&amp;" and not its "&"
	return found
}

// namedEscapes are notations of single characters that follow no rule.
var namedEscapes = map[rune]string{
	' ': `\+|%(?:25)*2[bB]`, '&': `&(?:amp;)+`, '<': `&(?:amp;)*lt;`, '>': `&(?:amp;)*gt;`, '"': `&(?:amp;)*quot;`, '\'': `&(?:amp;)*apos;`,
	'\n': `\\+n`, '\r': `\\+r`, '\t': `\\+t`,
}

// percentPattern finds text as it stands in URLs, and in URLs that stand in URLs.
func percentPattern(text string) string {
	var p strings.Builder
	for _, b := range []byte(text) {
		fmt.Fprintf(&p, "%%(?:25)*%02x", b)
	}
	return p.String()
}

// encodings are a value's notations in hexadecimal and in base64. What base64 makes of
// a value depends on how many bytes stand before it, so there are three; the
// characters at the ends, which neighbours have a share in, are left out.
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

// redactEnd takes the beginning of a spelling from the end of a text.
func redactEnd(text, spelling string) string {
	for n := min(len(spelling)-1, len(text)); n >= minRedacted; n-- {
		if strings.HasSuffix(text, spelling[:n]) {
			return text[:len(text)-n] + redactedText
		}
	}
	return text
}
