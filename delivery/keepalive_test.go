package delivery_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

// serveHTTP2 returns a receiver that speaks only HTTP/2, and a sender that trusts it.
func serveHTTP2(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *delivery.Sender, *hostiletest.Authority) {
	authority := hostiletest.NewAuthority(t)
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, hostiletest.Leaf{})}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, senderWith(t, delivery.Options{Guard: guardOf(t, outside, "127.0.0.0/8"), Roots: authority.Pool()}), authority
}

func TestADeadConnectionOfHTTP2IsClosed(t *testing.T) {
	server, sender, _ := serveHTTP2(t, answer(200))
	relay := hostiletest.NewRelay(t, server.Listener.Addr().String())
	p := newPolicy()
	require.Equal(t, "ok", sender.Send(context.Background(), p, numbered("https://"+relay.Address, 0), 1).Class)
	relay.Freeze()
	p.Timeout = time.Second
	n := 0
	require.Eventually(t, func() bool {
		n++
		p.Call = fmt.Sprint("c", n) // a breaker each
		return sender.Send(context.Background(), p, numbered("https://"+relay.Address, n), 1).Class == "ok"
	}, time.Minute, time.Millisecond)
}

// A new guard applies to the next request, also if a connection is in use: that of a call, of
// a call with a certificate of its own, and of a token URL.
func TestATightenedGuardAppliesToConnectionsInUse(t *testing.T) {
	t.Setenv("SEGUE_TEST_ID", "segue client")
	t.Setenv("SEGUE_TEST_SECRET", canary)
	for name, own := range map[string]bool{"shared": false, "of one call": true} {
		t.Run(name, func(t *testing.T) {
			hold, begun := make(chan struct{}), make(chan struct{})
			var arrived atomic.Int32
			server, sender, authority := serveHTTP2(t, func(_ http.ResponseWriter, r *http.Request) {
				arrived.Add(1)
				if r.URL.Path == "/slow" {
					close(begun)
					<-hold
				}
			})
			t.Setenv("SEGUE_TEST_CA", string(authority.PEM()))
			p := newPolicy()
			if own {
				p.TLS.CA = "env:SEGUE_TEST_CA"
			}
			require.Equal(t, "ok", sender.Send(context.Background(), p, numbered(server.URL, 0), 1).Class)
			slow := p
			slow.Call = "slow"
			f := sender.Start(slow, numbered(server.URL+"/slow", 1), 1, "")
			<-begun
			sender.SetGuard(nil)
			assert.Equal(t, "blocked", sender.Send(context.Background(), p, numbered(server.URL, 2), 1).Class)
			assert.EqualValues(t, 2, arrived.Load())
			close(hold)
			<-f.Done()
			assert.Equal(t, "ok", f.Outcome().Class, "a request in flight goes on")
			sender.SetGuard(guardOf(t, outside))
			assert.Equal(t, "ok", sender.Send(context.Background(), p, numbered(server.URL, 3), 1).Class)
		})
	}
}

func TestATightenedGuardAppliesToTokenURLsInUse(t *testing.T) {
	i := newIssuer(t)
	r := i.receiver(t)
	sender := senderWith(t, delivery.Options{Guard: guardOf(t, outside)})
	require.Equal(t, "ok", sender.Send(context.Background(), i.policy(), numbered(r.URL, 1), 1).Class)
	i.revoke()
	// The receiver may be dialled, but no longer the token URL.
	sender.SetGuard(guardOf(t, r.Listener.Addr().String()))
	o := sender.Send(context.Background(), i.policy(), numbered(r.URL, 2), 1)
	assert.Equal(t, "auth", o.Class)
	assert.Contains(t, o.Message, "guard.allow")
}

// A key is sent in its header, once, or the request is not sent.
func TestAKeyIsSentOnceOrNothingIsSent(t *testing.T) {
	t.Setenv("SEGUE_TEST_SECRET", canary)
	for name, goes := range map[string]bool{
		"X-Api-Key": true, "x-api-key": true, "Cookie": true, "Authorization": true, "Api_Key": true, "X-Present": true, "x-present": true, "User-Agent": true,
		"Host": false, "host": false, "Content-Length": false, "Transfer-Encoding": false, "Trailer": false, "Connection": false, "TE": false, "Upgrade": false,
		"Webhook-Id": false, "webhook-signature": false, "WEBHOOK-TIMESTAMP": false, "Idempotency-Key": false, "Accept-Encoding": false, "Content-Type": false,
		"X Key": false, "X\r\nY": false, "": false, "Schlüssel": false, "a:b": false,
	} {
		t.Run(name, func(t *testing.T) {
			var got atomic.Pointer[http.Header]
			server := serve(t, func(_ http.ResponseWriter, r *http.Request) { got.Store(&r.Header) })
			p := newPolicy()
			p.Auth.APIKey = &delivery.APIKeyAuth{In: "header", Name: name, Key: "env:SEGUE_TEST_SECRET"}
			r := newRequest(server.URL)
			r.Headers = append(r.Headers, contract.Header{Name: "x-PRESENT", Value: "something else"})
			o := newSender(t).Send(context.Background(), p, r, 1)
			if !goes {
				assert.Equal(t, "auth", o.Class, o.Message)
				assert.Contains(t, o.Message, "auth.api_key.name: ")
				assert.Nil(t, got.Load())
				return
			}
			require.Equal(t, "ok", o.Class, o.Message)
			assert.Equal(t, []string{canary}, got.Load().Values(name))
			assert.Len(t, got.Load().Values("webhook-id"), 1)
		})
	}
}
