package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

// A panic costs one attempt: it releases the slot and the receiver's limits, says nothing about
// the receiver, and quotes nothing of the request. No attempt releases them twice.
func TestAPanicCostsOneAttempt(t *testing.T) {
	for name, options := range map[string]delivery.Options{"slots": {Slots: 1}, "limits": {Slots: 100}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				options.Log = slog.New(slog.NewTextHandler(&log, nil))
				sender, p := senderWith(t, options), newPolicy()
				p.Limits.Concurrency = 1
				release := make(chan struct{})
				sender.Simulate(func(r *http.Request) (*http.Response, error) {
					switch r.URL.Path {
					case "/panic":
						panic("the value quotes " + canary)
					case "/slow":
						<-release
					}
					return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
				})

				for i := range 10 {
					o := sender.Send(context.Background(), p, numbered("http://crm.example.com/panic", i), 1)
					require.Equal(t, "internal", o.Class, "attempt %d: %s", i, o.Message)
					require.Equal(t, contract.VerdictRetry, o.Verdict)
					require.Positive(t, o.RetryIn)
				}
				p.Idempotent = false
				o := sender.Send(context.Background(), p, numbered("http://crm.example.com/panic", 10), 1)
				assert.Equal(t, contract.VerdictFinal, o.Verdict)
				assert.Contains(t, o.Message, contract.AskReceiver)
				assert.NotContains(t, fmt.Sprint(log.String(), o), canary)
				assert.False(t, sender.Health(p).Open())

				assert.Equal(t, "ok", sender.Send(context.Background(), p, numbered("http://crm.example.com/", 14), 1).Class)
				slow := sender.Start(p, numbered("http://crm.example.com/slow", 11), 1, "")
				time.Sleep(time.Second)
				assert.Equal(t, "limited", sender.Send(context.Background(), p, numbered("http://crm.example.com/", 12), 1).Class)
				close(release)
				<-slow.Done()
				assert.Equal(t, "ok", slow.Outcome().Class)
				assert.Equal(t, "ok", sender.Send(context.Background(), p, numbered("http://crm.example.com/", 13), 1).Class)
			})
		})
	}
}
