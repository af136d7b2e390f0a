package platform

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"segue/gateway/problem"
)

// cursor is a place in a list.
type cursor struct {
	// Page is the place in a stored list.
	Page []byte `json:"p,omitempty"`
	// StartedAt and ID are the last interaction of a list from the index.
	StartedAt time.Time `json:"t,omitzero"`
	ID        string    `json:"i,omitempty"`
	// Workflow and Delivery are the last delivery of a list of deliveries, and its lane.
	Workflow string `json:"w,omitempty"`
	Delivery string `json:"d,omitempty"`
}

const (
	// maxCursor is longer than every cursor.
	maxCursor = 4 << 10
	sealBytes = 16
)

// seal returns the cursor as text that is valid only for one list of one caller.
func (a *api) seal(c cursor, list string) (string, error) {
	content, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(sealOf(a.cursorKeys()[0], content, list), content...)), nil
}

// cursorKeys returns the present keys, at least one.
func (a *api) cursorKeys() [][]byte {
	if keys := a.CursorKeys(); len(keys) > 0 {
		return keys
	}
	return [][]byte{a.ownKey}
}

// open returns the cursor of a text. An error means that the text is of another list or caller, or
// was changed.
func (a *api) open(text, list string) (cursor, error) {
	var c cursor
	if text == "" {
		return c, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sealed) < sealBytes {
		return c, errCursor
	}
	for _, key := range a.cursorKeys() {
		if hmac.Equal(sealed[:sealBytes], sealOf(key, sealed[sealBytes:], list)) {
			return c, json.Unmarshal(sealed[sealBytes:], &c)
		}
	}
	return c, errCursor
}

var errCursor = fail(problem.Malformed, "the cursor is not of this list; list from the beginning")

func sealOf(key, content []byte, list string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("list cursor\x00" + list + "\x00"))
	mac.Write(content)
	return mac.Sum(nil)[:sealBytes]
}
