package ticket

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind is what a token is for. A token of one kind is none of another.
type Kind string

// The kinds of tokens.
const (
	// Visit lets a page see the invitations of one visit.
	Visit Kind = "v"
	// Invitation lets a page answer one attempt to engage a visitor.
	Invitation Kind = "i"
)

// Claims are what a token is about.
type Claims struct {
	Kind          Kind   `json:"k"`
	ContactCenter string `json:"c"`
	Visit         string `json:"v,omitempty"`
	// Interaction and Attempt are those of an invitation. Started is when that interaction started, in
	// nanoseconds: an id that is started again has the same attempts.
	Interaction string `json:"i,omitempty"`
	Attempt     int    `json:"a,omitempty"`
	Started     int64  `json:"s,omitempty"`
	// Expires is in seconds.
	Expires int64 `json:"e"`
}

// ErrInvalid reports a token that no gateway with these keys has made, or one of another kind.
var ErrInvalid = errors.New("the token is not valid")

// ErrExpired reports a token that was valid.
var ErrExpired = errors.New("the token has expired")

// maxToken bounds a token, in bytes. Ids have at most 128 characters each.
const maxToken = 2 << 10

// Tickets signs and reads tokens. It is safe for concurrent use.
type Tickets struct {
	keys func() [][]byte
	own  []byte
}

// New returns tickets that are signed by the first of the keys and read with any. Replicas share the
// keys. Without any, a key is made, and a token is valid on this replica only.
func New(keys func() [][]byte) *Tickets {
	return &Tickets{keys: keys, own: []byte(rand.Text() + rand.Text())}
}

func (t *Tickets) current() [][]byte {
	if keys := t.keys(); len(keys) > 0 {
		return keys
	}
	return [][]byte{t.own}
}

// Sign returns the token of claims. The same claims have the same token.
func (t *Tickets) Sign(c Claims) (string, error) {
	content, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	sum, err := sumOf(t.current()[0], content)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(content) + "." + base64.RawURLEncoding.EncodeToString(sum), nil
}

// Read returns the claims of a token of a kind. With ErrExpired it returns them, too.
func (t *Tickets) Read(kind Kind, token string, now time.Time) (Claims, error) {
	first, second, found := strings.Cut(token, ".")
	if !found || len(token) > maxToken {
		return Claims{}, ErrInvalid
	}
	content, wrongContent := base64.RawURLEncoding.Strict().DecodeString(first)
	sum, wrongSum := base64.RawURLEncoding.Strict().DecodeString(second)
	if wrongContent != nil || wrongSum != nil || !t.isSigned(content, sum) {
		return Claims{}, ErrInvalid
	}
	var c Claims
	if err := json.Unmarshal(content, &c); err != nil || c.Kind != kind {
		return Claims{}, ErrInvalid
	}
	if !now.Before(time.Unix(c.Expires, 0)) {
		return c, ErrExpired
	}
	return c, nil
}

func (t *Tickets) isSigned(content, sum []byte) bool {
	for _, key := range t.current() {
		if own, err := sumOf(key, content); err == nil && hmac.Equal(own, sum) {
			return true
		}
	}
	return false
}

// sumOf signs with a key of its own: session keys seal cookies, too.
func sumOf(key, content []byte) ([]byte, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, "segue engagement token", sha256.Size)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, derived)
	mac.Write(content)
	return mac.Sum(nil), nil
}
