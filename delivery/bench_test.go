package delivery_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

// body1K has the size of a usual JSON body.
var body1K = `{"text":"` + strings.Repeat("x", 1000) + `"}`

// BenchmarkSign signs a request with one secret, and with two as during a rotation.
func BenchmarkSign(b *testing.B) {
	b.Setenv("SEGUE_BENCH_NEW", signingSecret("new"))
	b.Setenv("SEGUE_BENCH_OLD", signingSecret("old"))
	for _, c := range []struct {
		name string
		refs []delivery.SecretRef
	}{
		{"one secret", []delivery.SecretRef{"env:SEGUE_BENCH_NEW"}},
		{"two secrets", []delivery.SecretRef{"env:SEGUE_BENCH_NEW", "env:SEGUE_BENCH_OLD"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			req, err := http.NewRequest(http.MethodPost, "https://crm.example.com/calls", http.NoBody)
			require.NoError(b, err)
			now := time.Now()
			b.SetBytes(int64(len(body1K)))
			b.ReportAllocs()
			for b.Loop() {
				if err := delivery.Sign(req, "msg_1", body1K, c.refs, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSend is everything that an attempt does except for the network.
func BenchmarkSend(b *testing.B) {
	b.Setenv("SEGUE_BENCH_NEW", signingSecret("new"))
	for _, c := range []struct {
		name string
		sign []delivery.SecretRef
	}{{"unsigned", nil}, {"signed", []delivery.SecretRef{"env:SEGUE_BENCH_NEW"}}} {
		b.Run(c.name, func(b *testing.B) {
			sender := delivery.New(delivery.Options{})
			sender.Simulate(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusNoContent, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}, Request: req}, nil
			})
			policy := newPolicy()
			policy.Sign = c.sign
			r := newRequest("http://crm.example.com/calls")
			r.Body = body1K
			r.Headers = append(r.Headers, contract.Header{Name: "User-Agent", Value: contract.UserAgent},
				contract.Header{Name: "webhook-id", Value: r.ID}, contract.Header{Name: "Idempotency-Key", Value: r.ID})
			b.ReportAllocs()
			for attempt := 1; b.Loop(); attempt++ {
				if o := sender.Send(b.Context(), policy, r, attempt); o.Class != "ok" {
					b.Fatal(o.Class, o.Message)
				}
			}
		})
	}
}
