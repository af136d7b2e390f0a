package delivery_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
)

// verifying returns a receiver that checks signatures, timestamp included, with the official
// library and its one secret.
func verifying(t *testing.T, secret string) string {
	verifier, err := webhooks.NewWebhook(secret)
	require.NoError(t, err)
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := verifier.Verify(body, r.Header); err != nil {
			w.WriteHeader(401)
			fmt.Fprint(w, err)
		}
	}).URL
}

func signingSecret(name string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%-24s", name))
}

func TestTheOfficialLibraryVerifiesWhatIsSent(t *testing.T) {
	t.Setenv("SEGUE_TEST_SIGN", signingSecret("ours"))
	url := verifying(t, signingSecret("ours"))
	policy := newPolicy()
	policy.Sign = []delivery.SecretRef{"env:SEGUE_TEST_SIGN"}
	sender := newSender(t)
	for n, body := range []string{"", `{"id":"i-1"}`, "ä€😀 \x00\r\n", "a.b.c", "\xff\xfe", string(make([]byte, 1<<20))} {
		r := numbered(url, n)
		r.Body = body
		o := sender.Send(context.Background(), policy, r, 1)
		assert.Equal(t, "ok", o.Class, "%d: %s", n, o.Excerpt)
	}
}

// During a rotation a receiver with either secret accepts the request, afterwards only one with
// the new secret. The secrets are replaced in their files while the sender runs.
func TestARotatedSigningSecret(t *testing.T) {
	dir := t.TempDir()
	newer, older := filepath.Join(dir, "newer"), filepath.Join(dir, "older")
	holdsOld := verifying(t, signingSecret("old"))
	holdsNew := verifying(t, signingSecret("new"))
	holdsOther := verifying(t, signingSecret("other"))
	one := []delivery.SecretRef{delivery.SecretRef("file:" + newer)}
	two := []delivery.SecretRef{one[0], delivery.SecretRef("file:" + older)}
	sender, n := newSender(t), 0
	for _, phase := range []struct {
		name         string
		newer, older string
		sign         []delivery.SecretRef
		old, new     string
	}{
		{"before", "old", "", one, "ok", "http_4xx"},
		{"during", "new", "old", two, "ok", "ok"},
		{"after", "new", "", one, "http_4xx", "ok"},
	} {
		put(t, newer, []byte(signingSecret(phase.newer)+"\n"))
		put(t, older, []byte(signingSecret(phase.older)))
		policy := newPolicy()
		policy.Sign = phase.sign
		for url, class := range map[string]string{holdsOld: phase.old, holdsNew: phase.new, holdsOther: "http_4xx"} {
			n++
			o := sender.Send(context.Background(), policy, numbered(url, n), 1)
			assert.Equal(t, class, o.Class, "%s: %s", phase.name, o.Excerpt)
		}
	}
}

// A rotation under load: the old secret is made the second before the new one becomes the
// first, and a receiver with the old secret misses nothing.
func TestARotationUnderLoad(t *testing.T) {
	dir := t.TempDir()
	newer, older := filepath.Join(dir, "newer"), filepath.Join(dir, "older")
	put(t, newer, []byte(signingSecret("old")))
	put(t, older, []byte(signingSecret("older")))
	url := verifying(t, signingSecret("old"))
	policy := newPolicy()
	policy.Sign = []delivery.SecretRef{delivery.SecretRef("file:" + newer), delivery.SecretRef("file:" + older)}
	sender := newSender(t)
	const sends = 500
	half := make(chan struct{}, sends)
	var sending sync.WaitGroup
	for n := range sends {
		sending.Go(func() {
			o := sender.Send(context.Background(), policy, numbered(url, n), 1)
			assert.Equal(t, "ok", o.Class, o.Message+o.Excerpt)
			half <- struct{}{}
		})
	}
	for _, step := range []struct{ file, secret string }{{older, "old"}, {newer, "new"}} {
		for range sends / 5 {
			<-half
		}
		put(t, step.file+"~", []byte(signingSecret(step.secret)))
		require.NoError(t, os.Rename(step.file+"~", step.file))
	}
	sending.Wait()
}

// A second request with a new token is the same message to a verifier.
func TestASecondRequestWithANewTokenIsSignedAgain(t *testing.T) {
	i := newIssuer(t)
	t.Setenv("SEGUE_TEST_SIGN", signingSecret("ours"))
	verifier, err := webhooks.NewWebhook(signingSecret("ours"))
	require.NoError(t, err)
	var signatures []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		assert.NoError(t, verifier.Verify(body, r.Header))
		signatures = append(signatures, r.Header.Get("webhook-id"))
		if len(signatures) == 2 {
			w.WriteHeader(401)
		}
	})
	policy := i.policy()
	policy.Sign = []delivery.SecretRef{"env:SEGUE_TEST_SIGN"}
	sender := newSender(t)
	for n := range 2 {
		require.Equal(t, "ok", sender.Send(context.Background(), policy, numbered(server.URL, n), 1).Class)
	}
	assert.Equal(t, []string{"msg_0", "msg_1", "msg_1"}, signatures)
}

// A receiver accepts a signature for some minutes. The time for which an attempt waits for its
// limits and for a token is not part of them.
func TestTheSignatureHasTheTimeOfSending(t *testing.T) {
	i := newIssuer(t)
	const waits = 2100 * time.Millisecond
	i.fails(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(waits) // a slow token endpoint
		writeJSON(`{"access_token":"x"}`)(w, r)
	})
	t.Setenv("SEGUE_TEST_SIGN", signingSecret("ours"))
	var age atomic.Int64
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		stamp, err := strconv.ParseInt(r.Header.Get("webhook-timestamp"), 10, 64)
		assert.NoError(t, err)
		age.Store(time.Now().Unix() - stamp)
	})
	policy := i.policy()
	policy.Sign = []delivery.SecretRef{"env:SEGUE_TEST_SIGN"}
	require.Equal(t, "ok", newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1).Class)
	assert.LessOrEqual(t, age.Load(), int64(1))
}

func TestSigningSecretsHaveTheLengthOfTheSpecification(t *testing.T) {
	server := serve(t, answer(200))
	for length, fits := range map[int]bool{0: false, 1: false, 16: false, 23: false, 24: true, 32: true, 64: true, 65: false, 256: false} {
		for _, prefix := range []string{"whsec_", ""} {
			t.Setenv("SEGUE_TEST_SIGN", prefix+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), length)))
			policy := newPolicy()
			policy.Sign = []delivery.SecretRef{"env:SEGUE_TEST_SIGN"}
			o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
			err := delivery.SecretRef("env:SEGUE_TEST_SIGN").CheckSigning()
			if fits {
				assert.Equal(t, "ok", o.Class, "%d bytes: %s", length, o.Message)
				assert.NoError(t, err)
				continue
			}
			assert.Equal(t, "auth", o.Class, "%d bytes", length)
			assert.Error(t, err)
			if length > 0 {
				assert.Contains(t, o.Message, fmt.Sprintf("signing secret env:SEGUE_TEST_SIGN has %d bytes; use 24 to 64", length))
			}
		}
	}
}
