package delivery_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
)

// verifying is a receiver that checks signatures with the official library,
// timestamp included, by the one secret it holds.
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

// During a rotation a receiver that holds either secret accepts; afterwards only
// one with the new. The secrets are replaced in their files, under a sender that runs.
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

// A rotation under load: the old secret takes the second place before the new one
// takes the first, and a receiver that holds the old one misses nothing.
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

// A repeat with a new token is the same message to whoever verifies it.
func TestARepeatWithANewTokenIsSignedTheSame(t *testing.T) {
	i := newIssuer(t)
	t.Setenv("SEGUE_TEST_SIGN", signingSecret("ours"))
	verifier, err := webhooks.NewWebhook(signingSecret("ours"))
	require.NoError(t, err)
	var signatures []string
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		assert.NoError(t, verifier.Verify(body, r.Header))
		signatures = append(signatures, r.Header.Get("webhook-id")+r.Header.Get("webhook-signature"))
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
	require.Len(t, signatures, 3)
	assert.Equal(t, signatures[1], signatures[2])
}
