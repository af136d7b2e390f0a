package delivery_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"segue/delivery"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func write(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func TestExcerptOfAFailure(t *testing.T) {
	server := serve(t, write(500, strings.Repeat("ä", 400)+"\xff"))
	o := newSender(t).Send(context.Background(), newPolicy(), newRequest(server.URL), 1)
	assert.LessOrEqual(t, len(o.Excerpt), 512)
	assert.True(t, utf8.ValidString(o.Excerpt))
	assert.True(t, strings.HasPrefix(o.Excerpt, "ää"))

	server = serve(t, write(200, "fine"))
	assert.Empty(t, newSender(t).Send(context.Background(), newPolicy(), newRequest(server.URL), 1).Excerpt)
}

// The status decides: a body that cannot be read must not lead to a duplicate.
func TestBodiesThatCannotBeRead(t *testing.T) {
	bomb := &bytes.Buffer{}
	zip := gzip.NewWriter(bomb)
	_, _ = zip.Write(make([]byte, 10<<20))
	_ = zip.Close()

	for _, tc := range []struct {
		name, url, message string
	}{
		{"too long", serve(t, write(200, strings.Repeat("x", 1<<20))).URL, "longer than 1024 bytes"},
		{"gzip bomb", serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}).URL, "longer than 1024 bytes"},
		{"wrong length", serveRaw(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort")
		}), "broke off"},
		{"malformed chunk", serveRaw(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
		}), "broke off"},
		{"no gzip", serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "plain text, whatever the header says")
		}).URL, "broke off"},
		{"dripping", serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "1")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}).URL, "did not end in time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			policy := newPolicy()
			policy.Limits.Response = 1024
			policy.Timeout = time.Second
			policy.Returns = []delivery.Return{{From: "tier", To: "crm_tier"}}
			o := newSender(t).Send(context.Background(), policy, newRequest(tc.url), 1)
			assert.Equal(t, "ok", o.Class)
			assert.Contains(t, o.Message, tc.message)
			assert.Contains(t, o.Message, "no values returned")
		})
	}
}

func TestReturns(t *testing.T) {
	server := serve(t, write(200, `{"tier":"gold","score":7.5,"vip":true,"id":12345678901234567890,"none":null,"deep":{"a":1},"n":12}`))
	policy := newPolicy()
	for _, from := range []string{"tier", "score", "vip", "id", "n", "none", "deep", "absent"} {
		policy.Returns = append(policy.Returns, delivery.Return{From: from, To: "crm_" + from})
	}
	o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
	assert.Equal(t, map[string]any{
		"crm_tier": "gold", "crm_score": 7.5, "crm_vip": true, "crm_id": "12345678901234567890", "crm_n": 12.0,
	}, o.Returns)
	assert.Equal(t, "not returned: none (null), deep (an object; only flat values are taken), absent (not in the response)", o.Message)

	for body, why := range map[string]string{
		"": "the response is not a JSON object", "null": "the response is null, not a JSON object",
		"[1]": "the response is a list, not a JSON object", "7": "the response is a single value, not a JSON object", "<xml/>": "the response is not a JSON object",
	} {
		server := serve(t, write(200, body))
		o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
		assert.Equal(t, "ok", o.Class)
		assert.Empty(t, o.Returns)
		assert.Equal(t, "no values returned: "+why, o.Message)
	}
}
