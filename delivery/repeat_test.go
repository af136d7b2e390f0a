package delivery_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

// A receiver that reads a request on a kept-alive connection and breaks it gets an attempt
// once, however many connections are kept, whatever the method, idempotent or not.
func TestAnAttemptIsSentOnce(t *testing.T) {
	const kept = 16 // an attempt that fails costs two of them
	authority := hostiletest.NewAuthority(t)
	for name, second := range map[string]hostiletest.Behaviour{
		"closed":              func(*hostiletest.Conn) {},
		"reset":               func(c *hostiletest.Conn) { c.Reset() },
		"closed in an answer": func(c *hostiletest.Conn) { c.Say("HTTP/1.1 200 OK\r\nX-A: b") },
	} {
		for _, secured := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %t", name, secured), func(t *testing.T) {
				answered := make(chan struct{})
				waits := func(c *hostiletest.Conn) { // so that each of the first requests opens a connection
					<-answered
					c.Say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					if c.Request() {
						second(c)
					}
				}
				behaviour := func(c *hostiletest.Conn) {
					if c.Request() {
						waits(c)
					}
				}
				var server *hostiletest.Server
				if secured {
					server = hostiletest.ServeTLS(t, authority.Issue(t, hostiletest.Leaf{}), behaviour)
				} else {
					server = hostiletest.Serve(t, behaviour)
				}
				sender := newSender(t, authority.Certificate)
				var warm sync.WaitGroup
				for i := range kept {
					p := newPolicy()
					p.Call = fmt.Sprint("warm", i)
					warm.Go(func() { sender.Send(context.Background(), p, numbered(server.URL, i), 1) })
				}
				require.Eventually(t, func() bool { return server.Requests() == kept }, time.Minute, time.Millisecond)
				close(answered)
				warm.Wait()

				methods := []string{"GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "DELETE"}
				for i, method := range methods {
					r := numbered(server.URL, kept+i)
					r.Method = method
					if method != "POST" && method != "PUT" {
						r.Body = ""
					}
					p := newPolicy()
					p.Call, p.Idempotent = method, i%2 == 0
					o := sender.Send(context.Background(), p, r, 1)
					assert.Contains(t, []string{"reset", "protocol"}, o.Class, "%s: %s", method, o.Message)
					assert.Equal(t, kept+i+1, server.Requests(), "%s arrived once", method)
					assert.Equal(t, p.Idempotent, o.Verdict == contract.VerdictRetry, o.Message)
				}
			})
		}
	}
}

// A server of HTTP/2 may say that it has not processed a request. Segue sends it again once, if
// the server ends the connection and the call is idempotent.
func TestAnAttemptInHTTP2IsSentTwiceAtMost(t *testing.T) {
	authority := hostiletest.NewAuthority(t)
	for name, tc := range map[string]struct {
		answer func(f *http2.Framer, id uint32) error
		most   int32
	}{
		"refused":  {func(f *http2.Framer, id uint32) error { return f.WriteRSTStream(id, http2.ErrCodeRefusedStream) }, 1},
		"protocol": {func(f *http2.Framer, id uint32) error { return f.WriteRSTStream(id, http2.ErrCodeProtocol) }, 2}, // net/http then opens another
		"goaway":   {func(f *http2.Framer, _ uint32) error { return f.WriteGoAway(0, http2.ErrCodeNo, nil) }, 2},
	} {
		for _, idempotent := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, idempotent %t", name, idempotent), func(t *testing.T) {
				var arrived atomic.Int32
				url := serveFrames(t, authority, func(f *http2.Framer, id uint32) error {
					arrived.Add(1)
					return tc.answer(f, id)
				})
				p := newPolicy()
				p.Idempotent, p.Timeout = idempotent, time.Minute
				r := newRequest(url)
				r.Method, r.Body = "GET", ""
				sender := senderWith(t, delivery.Options{Guard: guardOf(t, outside), Roots: authority.Pool()})
				started := time.Now()
				o := sender.Send(context.Background(), p, r, 1)
				assert.Equal(t, "reset", o.Class, o.Message)
				assert.Less(t, time.Since(started), p.Timeout)
				if idempotent {
					assert.LessOrEqual(t, arrived.Load(), tc.most)
					assert.Equal(t, contract.VerdictRetry, o.Verdict)
				} else {
					assert.Equal(t, int32(1), arrived.Load())
					assert.Equal(t, contract.VerdictFinal, o.Verdict)
				}
			})
		}
	}
}

// serveFrames starts a server of HTTP/2 that answers every request with frames.
func serveFrames(t *testing.T, authority *hostiletest.Authority, answer func(f *http2.Framer, id uint32) error) (url string) {
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, hostiletest.Leaf{})}, NextProtos: []string{"h2"}}
	server.Config.ErrorLog = quiet()
	var serving sync.WaitGroup
	server.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) {
		serving.Add(1)
		defer serving.Done()
		speak(c, answer)
	}}
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		serving.Wait()
	})
	return server.URL
}

// A connection that the server closed while it was idle costs no attempt.
func TestAConnectionThatWasClosedWhileIdleCostsNothing(t *testing.T) {
	server := hostiletest.Serve(t, func(c *hostiletest.Conn) {
		if c.Request() {
			c.Say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			c.End()
		}
	})
	sender := newSender(t)
	for i := range 20 {
		p := newPolicy()
		p.Idempotent = i%2 == 0
		require.Equal(t, "ok", sender.Send(context.Background(), p, numbered(server.URL, i), 1).Class)
		require.Eventually(t, func() bool { return server.Open() == 0 }, time.Minute, time.Millisecond)
	}
	assert.Equal(t, 20, server.Requests())
}

// A call that is not idempotent is retried only if the receiver cannot have the request, has
// responded to it, or the call's policy says so.
func TestAnUnknownOutcomeIsFinalUnlessTheCallIsIdempotent(t *testing.T) {
	status := func(code int) hostiletest.Behaviour {
		return func(c *hostiletest.Conn) {
			c.Request()
			c.Say(fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", code))
		}
	}
	authority := hostiletest.NewAuthority(t)
	plain := func(b hostiletest.Behaviour) func(t *testing.T) string {
		return func(t *testing.T) string { return hostiletest.Serve(t, b).URL }
	}
	for name, tc := range map[string]struct {
		serve   func(t *testing.T) string
		change  func(p *delivery.Policy)
		class   string
		unknown bool
	}{
		"silent":          {serve: plain(hostiletest.Silent), class: "timeout", unknown: true},
		"reset":           {serve: plain(hostiletest.ResetInHeaders), class: "reset", unknown: true},
		"closed":          {serve: plain(func(c *hostiletest.Conn) { c.Request() }), class: "reset", unknown: true},
		"slow header":     {serve: plain(hostiletest.SlowHeaders), class: "timeout", unknown: true},
		"not HTTP":        {serve: plain(hostiletest.NotHTTP), class: "protocol", unknown: true},
		"bad gateway":     {serve: plain(status(502)), class: "http_5xx", unknown: true},
		"gateway timeout": {serve: plain(status(504)), class: "http_5xx", unknown: true},

		"refused":      {serve: hostileRefuse, class: "refused"},
		"black hole":   {serve: func(t *testing.T) string { return hostiletest.BlackHole(t) }, class: "timeout"},
		"unavailable":  {serve: plain(status(503)), class: "http_5xx"},
		"server error": {serve: plain(status(500)), class: "http_5xx"},
		"too many":     {serve: plain(status(429)), class: "http_429"},
		"too early":    {serve: plain(status(425)), class: "http_4xx"},
		"redirect":     {serve: plain(status(302)), class: "redirect"},
		"silent TLS": {serve: func(t *testing.T) string {
			return strings.Replace(hostiletest.Serve(t, hostiletest.Mute).URL, "http:", "https:", 1)
		}, class: "timeout"},
		"untrusted TLS": {serve: func(t *testing.T) string {
			return hostiletest.ServeTLS(t, authority.Issue(t, hostiletest.Leaf{}), hostiletest.OK).URL
		}, class: "tls"},
		"the call says retry": {serve: plain(hostiletest.Silent), class: "timeout",
			change: func(p *delivery.Policy) {
				p.Verdicts = map[delivery.Class]contract.Verdict{"timeout": contract.VerdictRetry}
			}},
		"the call says 502 is worth it": {serve: plain(status(502)), class: "http_5xx",
			change: func(p *delivery.Policy) { p.Retriable = []delivery.StatusRange{{From: 502, To: 502}} }},
	} {
		for _, idempotent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, idempotent %t", name, idempotent), func(t *testing.T) {
				p := newPolicy()
				p.Idempotent, p.Timeout = idempotent, 300*time.Millisecond
				if tc.change != nil {
					tc.change(&p)
				}
				o := newSender(t).Send(context.Background(), p, newRequest(tc.serve(t)), 1)
				assert.Equal(t, tc.class, o.Class, o.Message)
				if tc.unknown && !idempotent {
					assert.Equal(t, contract.VerdictFinal, o.Verdict)
					assert.Contains(t, o.Message, "the call is not idempotent: check there, then redeliver or discard")
					return
				}
				assert.Equal(t, contract.VerdictRetry, o.Verdict, o.Message)
				assert.NotContains(t, o.Message, "not idempotent")
			})
		}
	}
}

func hostileRefuse(t *testing.T) string { return hostiletest.Refuse(t) }
