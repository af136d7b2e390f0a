package delivery_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/delivery"
)

// notations are ways in which a receiver may repeat what it was sent.
var notations = map[string]func(string) string{
	"plain": func(s string) string { return s },
	"json":  func(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) },
	"query": url.QueryEscape,
	"path":  url.PathEscape,
	"percents": func(s string) string {
		return regexp.MustCompile("%..").ReplaceAllStringFunc(url.QueryEscape(s), strings.ToLower)
	},
	"html":   html.EscapeString,
	"hex":    func(s string) string { return hex.EncodeToString([]byte(s)) },
	"HEX":    func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"json in json": func(s string) string {
		for range 2 {
			b, _ := json.Marshal(s)
			s = string(b[1 : len(b)-1])
		}
		return s
	},
	"query in a query": func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"path in a query":  func(s string) string { return url.QueryEscape(url.PathEscape(s)) },
	"html in html":     func(s string) string { return html.EscapeString(html.EscapeString(s)) },
	"base64 of an URL": func(s string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(s))
	},
}

// Whatever the secret, its notation and the text around it: nothing of the secret is left but
// characters that it shares with its neighbours.
func TestSecretsAreRedactedInEveryNotation(t *testing.T) {
	character := rapid.SampledFrom([]rune("abcXYZ0123456789-_.~!*'()+/=&?%#:;,<>\"\\@$ ^|{}[]`äé€"))
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringOfN(character, 8, 60, -1).Draw(t, "secret")
		before := rapid.StringOfN(rapid.SampledFrom([]rune("kKqQ")), 0, 9, -1).Draw(t, "before")
		after := rapid.StringOfN(rapid.SampledFrom([]rune("kKqQ")), 0, 9, -1).Draw(t, "after")
		name := rapid.SampledFrom([]string{"plain", "json", "query", "path", "percents", "html", "hex", "HEX", "base64", "base64 of an URL", "json in json", "query in a query", "path in a query", "html in html"}).Draw(t, "notation")
		written := notations[name](before + secret + after)
		got := delivery.Redact([]string{secret}, written)
		left := strings.ReplaceAll(got, "[secret]", "")
		if !strings.Contains(got, "[secret]") || len(left) > len(notations[name](before))+len(notations[name](after))+3 {
			t.Fatalf("%s of %q: %q became %q", name, before+secret+after, written, got)
		}
	})
}

func TestTruncatedSecretsAreRedacted(t *testing.T) {
	for name, write := range notations {
		written := "Authorization: " + write(canary)
		for n := len("Authorization: ") + 6; n < len(written); n++ {
			got := delivery.Redact([]string{canary}, written[:n])
			if assert.True(t, strings.HasPrefix(got, "Authorization: ") && strings.Contains(got, "[secret]"), "%s: %q of %q", name, got, written[:n]) {
				assert.Less(t, len(strings.ReplaceAll(got, "[secret]", "")), len("Authorization: ")+4, "%s: %q", name, got)
			}
		}
	}
	for _, text := range []string{"", "s", "no such thing", "[secret]", strings.Repeat("s3c", 1000)} {
		assert.Equal(t, text, delivery.Redact([]string{canary, ""}, text))
	}
	assert.Equal(t, "abc", delivery.Redact([]string{"abc"}, "abc"), "too short to be redacted")
	invalid := "secret-\xff\xfe-bytes"
	assert.Equal(t, "x[secret]y", delivery.Redact([]string{invalid}, strings.ToValidUTF8("x"+invalid+"y", "\uFFFD")))
}

// A receiver repeats the request in each notation, and breaks off in the middle of one.
func TestEchoedCredentialsAreRedacted(t *testing.T) {
	const password = `p@ss w/ "quotes" & ünïcode%+=0001`
	t.Setenv("SEGUE_TEST_USER", "sk_live_0123456789abcdef") // a name only by its place
	t.Setenv("SEGUE_TEST_SECRET", password)
	policy := newPolicy()
	policy.Auth.Basic = &delivery.BasicAuth{Username: "env:SEGUE_TEST_USER", Password: "env:SEGUE_TEST_SECRET"}
	for name, write := range notations {
		t.Run(name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				user, pass, _ := r.BasicAuth()
				w.WriteHeader(500)
				fmt.Fprintln(w, write(user), write(pass), r.Header.Get("Authorization"), write(r.Header.Get("Authorization")))
			})
			o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
			assert.Equal(t, 4, strings.Count(o.Excerpt, "[secret]"), o.Excerpt)
			for other, rewrite := range notations {
				assert.NotContains(t, o.Excerpt, rewrite(password), other)
				assert.NotContains(t, o.Excerpt, rewrite("sk_live_0123456789abcdef"), other)
			}
		})
	}
	t.Run("cut off", func(t *testing.T) {
		t.Setenv("SEGUE_TEST_SECRET", canary)
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			_, pass, _ := r.BasicAuth()
			_, _ = io.WriteString(w, pass[:len(pass)-3])
		})
		o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
		assert.Equal(t, "[secret]", o.Excerpt)
		policy.Limits.Response = 9
		server = serve(t, write(500, canary))
		o = newSender(t).Send(context.Background(), policy, numbered(server.URL, 2), 1)
		assert.Equal(t, "[secret]", o.Excerpt)
	})
	t.Run("across the end of the excerpt", func(t *testing.T) {
		t.Setenv("SEGUE_TEST_SECRET", canary)
		policy := policy
		policy.Limits.Response = 0
		server := serve(t, write(500, strings.Repeat("x", 505)+canary))
		o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
		assert.Equal(t, strings.Repeat("x", 505)+"[secret", o.Excerpt)
	})
}

// A value that is returned into user data keeps its type and contains no secret.
func TestReturnedValuesContainNoSecret(t *testing.T) {
	t.Setenv("SEGUE_TEST_SECRET", "20261")
	policy := newPolicy()
	policy.Auth.Bearer = "env:SEGUE_TEST_SECRET"
	for _, from := range []string{"echo", "number", "year", "tier"} {
		policy.Returns = append(policy.Returns, delivery.Return{From: from, To: from})
	}
	server := serve(t, write(200, `{"echo":"Bearer \u0032\u0030261","number":20261,"year":2026,"tier":"gold"}`))
	o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
	require.Equal(t, "ok", o.Class)
	assert.Equal(t, map[string]any{"echo": "Bearer [secret]", "number": "[secret]", "year": 2026.0, "tier": "gold"}, o.Returns)
}

// A credential that would end its header and begin another one is not sent, nor recorded.
func TestCredentialsThatAHeaderCannotContainAreNotSent(t *testing.T) {
	t.Setenv("SEGUE_TEST_SECRET", canary+"\r\nX-Other: 1")
	server := serve(t, answer(200))
	for name, auth := range map[string]delivery.Auth{
		"bearer": {Bearer: "env:SEGUE_TEST_SECRET"},
		"key":    {APIKey: &delivery.APIKeyAuth{In: "header", Name: "X-Key", Key: "env:SEGUE_TEST_SECRET"}},
	} {
		policy := newPolicy()
		policy.Auth = auth
		o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
		assert.Equal(t, "auth", o.Class, name)
		assert.Equal(t, "secret env:SEGUE_TEST_SECRET contains characters that a header cannot contain", o.Message)
	}
}
