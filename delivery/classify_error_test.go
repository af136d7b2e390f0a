package delivery_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

func TestFailuresOfTheNetwork(t *testing.T) {
	hang := make(chan struct{})
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-hang
	})
	t.Cleanup(func() { close(hang) })
	plain := serve(t, answer(200))
	untrusted := httptest.NewTLSServer(answer(200))
	untrusted.Config.ErrorLog = quiet()
	t.Cleanup(untrusted.Close)
	old := httptest.NewUnstartedServer(answer(200))
	old.Config.ErrorLog = quiet()
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)

	for _, tc := range []struct {
		name    string
		url     string
		class   delivery.Class
		verdict contract.Verdict
	}{
		{"name", "http://receiver.invalid/", delivery.ClassDNS, contract.VerdictRetry},
		{"refused", hostiletest.Refuse(t), delivery.ClassRefused, contract.VerdictRetry},
		{"closed without an answer", serveRaw(t, func(*net.TCPConn) {}), delivery.ClassReset, contract.VerdictRetry},
		{"reset", serveRaw(t, func(c *net.TCPConn) { _ = c.SetLinger(0) }), delivery.ClassReset, contract.VerdictRetry},
		{"reset in the header", serveRaw(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: te")
		}), delivery.ClassReset, contract.VerdictRetry},
		{"not HTTP", serveRaw(t, func(c *net.TCPConn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.9\r\n") }),
			delivery.ClassProtocol, contract.VerdictRetry},
		{"huge header", serveRaw(t, func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20)+"\r\n\r\n")
		}), delivery.ClassTooLarge, contract.VerdictFinal},
		{"deadline", slow.URL, delivery.ClassTimeout, contract.VerdictRetry},
		{"unknown authority", untrusted.URL, delivery.ClassTLS, contract.VerdictRetry},
		{"old TLS", old.URL, delivery.ClassTLS, contract.VerdictRetry},
		{"no TLS there", strings.Replace(plain.URL, "http:", "https:", 1), delivery.ClassTLS, contract.VerdictRetry},
		{"another scheme", "file:///etc/passwd", delivery.ClassRender, contract.VerdictFinal},
		{"no host", "http:///x", delivery.ClassRender, contract.VerdictFinal},
		{"credentials in the URL", strings.Replace(plain.URL, "http://", "http://user:hunter2@", 1), delivery.ClassRender, contract.VerdictFinal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			policy := newPolicy()
			policy.Timeout = 2 * time.Second
			if tc.class == delivery.ClassTimeout {
				policy.Timeout = 50 * time.Millisecond
			}
			o := newSender(t).Send(context.Background(), policy, newRequest(tc.url), 1)
			assert.Equal(t, string(tc.class), o.Class, o.Message)
			assert.Equal(t, tc.verdict, o.Verdict)
			assert.Zero(t, o.Code)
			assert.NotEmpty(t, o.Message)
			assert.NotContains(t, o.Message, "127.0.0.1")
			assert.NotContains(t, o.Message, "hunter2")
			assert.False(t, o.Free)
		})
	}
}

func TestTLSWithATrustedAuthorityAndHTTP2(t *testing.T) {
	var protocol atomic.Value
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { protocol.Store(r.Proto) }))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(server.Close)
	sender := newSender(t, server.Certificate())
	o := sender.Send(context.Background(), newPolicy(), newRequest(server.URL), 1)
	assert.Equal(t, "ok", o.Class, o.Message)
	assert.Equal(t, "HTTP/2.0", protocol.Load())

	wrongHost := newRequest(strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	wrongHost.ID = "msg_2"
	o = sender.Send(context.Background(), newPolicy(), wrongHost, 1)
	assert.Equal(t, string(delivery.ClassTLS), o.Class, o.Message)
}

func TestRedirectsAreNeverFollowed(t *testing.T) {
	var followed atomic.Int32
	other := serve(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	for _, code := range []int{300, 301, 302, 303, 304, 307, 308} {
		for _, location := range []string{"", other.URL, "http://169.254.169.254/", "file:///etc/passwd", "http://%zz"} {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if location != "" {
					w.Header().Set("Location", location)
				}
				w.WriteHeader(code)
			})
			o := newSender(t).Send(context.Background(), newPolicy(), newRequest(server.URL), 1)
			assert.Equal(t, "redirect", o.Class)
			assert.Equal(t, code, o.Code)
		}
	}
	assert.Zero(t, followed.Load())
}

func TestConnectionsAreReused(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(answer(200))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	sender := newSender(t)
	for i := range 20 {
		require.Equal(t, "ok", sender.Send(context.Background(), newPolicy(), newRequest(server.URL), i).Class)
	}
	assert.EqualValues(t, 1, connections.Load())
}
