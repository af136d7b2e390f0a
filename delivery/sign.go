package delivery

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
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

// sign adds a Standard Webhooks v1 signature by each secret, newest first, so
// that a receiver that holds only the old one still accepts during a rotation.
// The timestamp is the attempt's, not the event's.
func sign(req *http.Request, id, body string, refs []SecretRef, now time.Time, used *secrets) error {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	req.Header[headerTimestamp] = []string{timestamp}
	if len(refs) == 0 {
		return nil
	}
	signatures := make([]string, 0, len(refs))
	for _, ref := range refs {
		text, err := used.resolve(ref)
		if err != nil {
			return err
		}
		key, err := signingKey(text)
		if err != nil {
			return errors.New("signing secret " + string(ref) + " is not whsec_ and base64")
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "." + body))
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	req.Header[headerSignature] = []string{strings.Join(signatures, " ")}
	return nil
}

func signingKey(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if err == nil && len(key) == 0 {
		err = errors.New("empty")
	}
	return key, err
}
