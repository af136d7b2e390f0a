package delivery

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

// The Standard Webhooks specification's bounds of a signing secret, in bytes.
const (
	minSigningKey = 24
	maxSigningKey = 64
)

// signer signs the attempts of one delivery. Its zero value signs nothing, but stamps.
type signer struct {
	id, body string
	keys     [][]byte // newest first
}

// newSigner resolves a call's signing secrets.
func newSigner(id, body string, refs []SecretRef, used *secrets) (signer, error) {
	s := signer{id: id, body: body}
	for _, ref := range refs {
		text, err := used.resolve(ref)
		if err != nil {
			return signer{}, err
		}
		key, problem := signingKey(text)
		if problem != "" {
			return signer{}, fmt.Errorf("signing secret %s %s", ref, problem)
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

// sign adds a Standard Webhooks v1 signature by each secret, newest first, so
// that a receiver that holds only the old one still accepts during a rotation.
// The timestamp is that of the request's departure, not of the event, and not of the
// attempt's beginning: an attempt may wait for its limits and for a token.
func (s signer) sign(req *http.Request, now time.Time) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	req.Header[headerTimestamp] = []string{timestamp}
	signatures := make([]string, 0, len(s.keys))
	for _, key := range s.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(s.id + "." + timestamp + "." + s.body))
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if len(signatures) > 0 {
		req.Header[headerSignature] = []string{strings.Join(signatures, " ")}
	}
}

func signingKey(text string) (key []byte, problem string) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	switch {
	case err != nil:
		return nil, "is not whsec_ and base64"
	case len(key) < minSigningKey, len(key) > maxSigningKey:
		return nil, fmt.Sprintf("has %d bytes; use %d to %d, such as whsec_ and the output of: openssl rand -base64 32", len(key), minSigningKey, maxSigningKey)
	}
	return key, ""
}

// CheckSigning reports why the reference does not lead to a signing secret now.
func (s SecretRef) CheckSigning() error {
	text, err := s.resolve()
	if err != nil {
		return err
	}
	if _, problem := signingKey(text); problem != "" {
		return fmt.Errorf("signing secret %s %s", s, problem)
	}
	return nil
}
