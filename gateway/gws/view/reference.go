package view

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// eventPrefix begins the event ids of requests of this face.
	eventPrefix = "gws-"
	// The first letter of the nonce says what the reference was in JSON.
	numberMark, textMark = 'n', 's'
	// referenceLimit bounds a reference, in bytes.
	referenceLimit = 128
)

// ValidReference reports whether a referenceId can be used: a text of at most 128 bytes without control
// characters, or a number as short.
func ValidReference(reference json.RawMessage) bool {
	_, _, ok := plainReference(reference)
	return ok
}

// EventID returns the event id of a request: gws-NONCE-REFERENCE. The nonce is random letters and digits,
// other ones for each command. EventID returns "" if the reference or the nonce is not valid.
func EventID(nonce string, reference json.RawMessage) string {
	mark, plain, ok := plainReference(reference)
	if !ok || !isNonce(nonce) {
		return ""
	}
	return eventPrefix + string(mark) + nonce + "-" + plain
}

// ReferenceOf returns the referenceId of the request that caused an event, as the JSON it was; nil for an
// event id that is not of this face.
func ReferenceOf(eventID string) json.RawMessage {
	rest, found := strings.CutPrefix(eventID, eventPrefix)
	nonce, plain, isComplete := strings.Cut(rest, "-")
	if !found || !isComplete || len(nonce) < 2 || !isNonce(nonce) {
		return nil
	}
	switch nonce[0] {
	case numberMark:
		if ValidReference(json.RawMessage(plain)) && plain[0] != '"' {
			return json.RawMessage(plain)
		}
	case textMark:
		if isText(plain) {
			return quotedText(plain)
		}
	}
	return nil
}

// plainReference returns a reference without quotes, and the mark of its type.
func plainReference(reference json.RawMessage) (mark rune, plain string, ok bool) {
	reference = bytes.TrimSpace(reference)
	if len(reference) == 0 || !json.Valid(reference) {
		return 0, "", false
	}
	switch first := reference[0]; {
	case first == '"':
		if err := json.Unmarshal(reference, &plain); err != nil {
			return 0, "", false
		}
		return textMark, plain, isText(plain)
	case first == '-', '0' <= first && first <= '9':
		return numberMark, string(reference), len(reference) <= referenceLimit
	}
	return 0, "", false
}

func isText(text string) bool {
	return len(text) <= referenceLimit && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

func isNonce(nonce string) bool {
	isOther := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	return nonce != "" && !strings.ContainsFunc(nonce, isOther)
}

// quotedText returns a text as JSON, without the escapes that only pages need.
func quotedText(text string) json.RawMessage {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return nil // a text has an encoding
	}
	return bytes.TrimSpace(out.Bytes())
}
