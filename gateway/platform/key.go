package platform

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"segue/gateway/body"
	"segue/gateway/problem"
)

// maxKey bounds an idempotency key: interactions accept event ids of so many bytes.
const maxKey = 255

// keyHeader is the header of the idempotency key, in requests and in every answer to a command.
const keyHeader = "Idempotency-Key"

// keyOf returns the idempotency key of a command: the header's, else the payload's event_id, else
// the one that was made for this request. The key is set in the payload.
func keyOf(header, made string, command *body.Object) (string, error) {
	own, ok := command.Text("event_id")
	switch {
	case !ok:
		return made, invalidAt("/event_id", "event_id: not a string; send text in quotes")
	case header != "" && own != "" && header != own:
		return made, fail(problem.Malformed, "Idempotency-Key and event_id differ; send one of them")
	case header != "":
		own = header
	case own == "":
		own = made
	}
	if err := checkKey(own); err != nil {
		return made, err
	}
	return own, command.Set("event_id", own)
}

// elementKey gives one command of an array its event_id: its own, else the key with its number.
func elementKey(key string, number int, command *body.Object) error {
	own, ok := command.Text("event_id")
	if !ok {
		return invalidAt("/event_id", "event_id: not a string; send text in quotes")
	}
	if own == "" {
		own = fmt.Sprintf("%s#%d", key, number)
	}
	if err := checkKey(own); err != nil {
		return err
	}
	return command.Set("event_id", own)
}

// checkElementKeys returns an error unless the key can be that of every command of an array: a key that
// is too long with the number of the last one must not refuse the last ones alone.
func checkElementKeys(key, pointer string, elements []*body.Object) error {
	last := -1
	for i, element := range elements {
		if own, ok := element.Text("event_id"); ok && own == "" {
			last = i
		}
	}
	if last < 0 {
		return nil
	}
	number := fmt.Sprintf("#%d", last)
	if longest := maxKey - len(number); len(key) > longest {
		return invalidAt(pointer, fmt.Sprintf("%s: has %d bytes; send at most %d: a command of the array without an event_id gets the key and %s",
			strings.TrimPrefix(strings.TrimPrefix(pointer, "/header"), "/"), len(key), longest, number))
	}
	return checkKey(key)
}

func checkKey(key string) error {
	if len(key) > maxKey {
		return invalidAt("/event_id", fmt.Sprintf("the idempotency key has %d bytes; send at most %d", len(key), maxKey))
	}
	if !utf8.ValidString(key) {
		return invalidAt("/event_id", "the idempotency key is not UTF-8")
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return invalidAt("/event_id", "the idempotency key has a control character; remove it")
	}
	return nil
}

// Keyed gives answers to commands their key also if the command is refused before its route reads it,
// such as without a credential. A route replaces it by the key of the command's payload.
func Keyed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && isOfCommands(strings.TrimPrefix(r.URL.EscapedPath(), Prefix)) {
			w.Header().Set(keyHeader, cmp.Or(r.Header.Get(keyHeader), madeKey()))
		}
		next.ServeHTTP(w, r)
	})
}

// isOfCommands reports whether commands are sent to a path: /interactions, /interactions/{id}/commands
// and what is below.
func isOfCommands(path string) bool {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	isStart := len(parts) == 1
	return parts[0] == "interactions" && (isStart || len(parts) <= 4 && len(parts) >= 3 && parts[2] == "commands")
}

// madeKey returns a key for a request that has none.
func madeKey() string { return rand.Text() }

// idOf returns the id of an interaction that is started without one. It follows from the key, so
// that a repeat finds the interaction that the first request started.
func idOf(contactCenter, key string) string {
	sum := sha256.Sum256([]byte(contactCenter + "\x00" + key))
	return "i-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}
