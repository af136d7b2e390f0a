package delivery_test

import (
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

// through returns a sender behind a proxy; every name resolves to a public address.
func through(t *testing.T, o delivery.Options, p delivery.Proxy) *delivery.Sender {
	t.Helper()
	if o.Guard == nil {
		o.Guard = guardOf(t)
	}
	guard, err := o.Guard.Through(p)
	require.NoError(t, err)
	o.Guard = guard
	o.Resolver = hostiletest.ServeNames(t, func(name string, _ int) hostiletest.Answer {
		switch name {
		case "proxy.internal":
			return hostiletest.Answer{Addresses: []string{outside}}
		case "metadata.internal":
			return hostiletest.Answer{Addresses: []string{"169.254.169.254"}}
		}
		return hostiletest.Answer{Addresses: []string{"93.184.216.34"}}
	}).Resolver()
	return senderWith(t, o)
}

func TestThroughAProxy(t *testing.T) {
	t.Setenv("SEGUE_TEST_USER", "segue")
	t.Setenv("SEGUE_TEST_SECRET", canary)
	authority := hostiletest.NewAuthority(t)
	secured := hostiletest.ServeTLS(t, authority.Issue(t, hostiletest.Leaf{Host: "crm.example.com"}), hostiletest.OK)
	proxy := newTunnels(t, secured.URL)
	sender := through(t, delivery.Options{Roots: authority.Pool()}, delivery.Proxy{
		URL: strings.Replace(proxy.URL, outside, "proxy.internal", 1), Username: "env:SEGUE_TEST_USER", Password: "env:SEGUE_TEST_SECRET"})

	o := sender.Send(context.Background(), newPolicy(), numbered("https://crm.example.com/", 1), 1)
	assert.Equal(t, "ok", o.Class, o.Message)
	o = sender.Send(context.Background(), newPolicy(), numbered("https://other.example.com:8443/", 2), 1)
	assert.Equal(t, "tls", o.Class, "the receiver presents its certificate as without a proxy")
	assert.Equal(t, []string{"CONNECT 93.184.216.34:443", "CONNECT 93.184.216.34:8443"}, proxy.asked)
	right := "Basic " + base64.StdEncoding.EncodeToString([]byte("segue:"+canary))
	assert.Equal(t, []string{right, right}, proxy.auth)
	assert.Equal(t, 1, secured.Requests())
}

func TestAllowedAddressesAreDialledDirectly(t *testing.T) {
	proxy, receiver := newTunnels(t, hostiletest.Serve(t, hostiletest.OK).URL), hostiletest.Serve(t, hostiletest.OK)
	sender := through(t, delivery.Options{Guard: guardOf(t, strings.TrimPrefix(receiver.URL, "http://"))}, delivery.Proxy{URL: proxy.URL})
	assert.Equal(t, "ok", sender.Send(context.Background(), newPolicy(), numbered(receiver.URL, 1), 1).Class)
	assert.Equal(t, 1, receiver.Requests())
	for i, url := range []string{proxy.URL, "http://169.254.169.254/", "http://10.0.0.1/", "http://[::1]:1/"} {
		assert.Equal(t, "blocked", sender.Send(context.Background(), newPolicy(), numbered(url, i+2), 1).Class, "%s: a call may not dial the proxy itself", url)
	}
	assert.Zero(t, proxy.Connections())
}

// The environment variables that other programs read would bypass the guard.
func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	proxy, receiver := newTunnels(t, hostiletest.Serve(t, hostiletest.OK).URL), hostiletest.Serve(t, hostiletest.OK)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	t.Setenv("NO_PROXY", "")
	issuer := newIssuer(t)
	sender := senderWith(t, delivery.Options{Guard: guardOf(t, outside), Resolver: hostiletest.ServeNames(t, func(string, int) hostiletest.Answer {
		return hostiletest.Answer{Addresses: []string{outside}}
	}).Resolver()})
	assert.Equal(t, "ok", sender.Send(context.Background(), newPolicy(), numbered(strings.Replace(receiver.URL, outside, "crm.example.com", 1), 1), 1).Class)
	policy := issuer.policy()
	policy.Auth.OAuth2.TokenURL = strings.Replace(issuer.server.URL, outside, "id.example.com", 1)
	assert.Equal(t, "ok", sender.Send(context.Background(), policy, numbered(receiver.URL, 2), 1).Class)
	assert.Equal(t, "blocked", sender.Send(context.Background(), newPolicy(), numbered("http://10.0.0.1/", 3), 1).Class)
	assert.Zero(t, proxy.Connections())
	assert.EqualValues(t, 1, issuer.requests.Load())
}

func TestTokensAreRequestedThroughTheProxy(t *testing.T) {
	i := newIssuer(t)
	r := i.receiver(t)
	proxy := newTunnels(t, i.server.URL)
	sender := through(t, delivery.Options{Guard: guardOf(t, strings.TrimPrefix(r.URL, "http://"))}, delivery.Proxy{URL: proxy.URL})
	policy := i.policy()
	policy.Auth.OAuth2.TokenURL = "http://id.example.com/token"
	assert.Equal(t, "ok", sender.Send(context.Background(), policy, numbered(r.URL, 1), 1).Class)
	assert.Equal(t, []string{"CONNECT 93.184.216.34:80"}, proxy.asked)
}

func TestProxiesThatFail(t *testing.T) {
	t.Setenv("SEGUE_TEST_USER", "segue")
	t.Setenv("SEGUE_TEST_SECRET", canary)
	says := func(answer string) hostiletest.Behaviour {
		return hostiletest.Proxy(func(*http.Request) (string, string) { return "", answer })
	}
	receiver := hostiletest.Serve(t, hostiletest.OK)
	for name, tc := range map[string]struct {
		proxy   string
		class   string
		message string
		slow    bool
	}{
		"refused":       {proxy: hostiletest.Refuse(t), class: "network", message: "the proxy cannot be reached: connection refused"},
		"black hole":    {proxy: hostiletest.BlackHole(t), class: "timeout", slow: true},
		"metadata":      {proxy: "http://metadata.internal:80", class: "network", message: "cloud metadata"},
		"silent":        {proxy: hostiletest.Serve(t, hostiletest.Silent).URL, class: "timeout", slow: true},
		"slow":          {proxy: hostiletest.Serve(t, hostiletest.SlowHeaders).URL, class: "timeout", slow: true},
		"reset":         {proxy: hostiletest.Serve(t, hostiletest.ResetOnAccept).URL, class: "network", message: "the proxy"},
		"huge header":   {proxy: hostiletest.Serve(t, hostiletest.HugeHeader).URL, class: "network", message: "the proxy broke off"},
		"not HTTP":      {proxy: hostiletest.Serve(t, hostiletest.NotHTTP).URL, class: "network", message: "its response is not HTTP"},
		"407":           {proxy: hostiletest.Serve(t, says("HTTP/1.1 407 No "+canary+"\r\nContent-Length: 0\r\n\r\n")).URL, class: "auth", message: "HTTP 407"},
		"403":           {proxy: hostiletest.Serve(t, says("HTTP/1.1 403 No "+canary+"\r\n\r\n"+canary)).URL, class: "network", message: "does not connect to the receiver: HTTP 403 Forbidden"},
		"502":           {proxy: hostiletest.Serve(t, says("HTTP/1.1 502 No\r\n\r\n")).URL, class: "network", message: "HTTP 502 Bad Gateway"},
		"redirect":      {proxy: hostiletest.Serve(t, says("HTTP/1.1 302 Found\r\nLocation: "+receiver.URL+"\r\n\r\n")).URL, class: "network", message: "HTTP 302"},
		"speaks itself": {proxy: hostiletest.Serve(t, says("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")).URL, class: "network", message: "sent data before the request"},
		"flood":         {proxy: hostiletest.Serve(t, hostiletest.InformationalFlood).URL, class: "network", message: "the proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			policy := newPolicy()
			if tc.slow {
				policy.Timeout = 200 * time.Millisecond
			}
			sender := through(t, delivery.Options{}, delivery.Proxy{URL: tc.proxy, Username: "env:SEGUE_TEST_USER", Password: "env:SEGUE_TEST_SECRET"})
			o := sendInTime(t, sender, policy, "http://crm.example.com/")
			assert.Equal(t, tc.class, o.Class, o.Message)
			assert.Contains(t, o.Message, tc.message)
			assert.NotContains(t, o.Message, "canary")
			assertNoAddress(t, o)
			assert.Zero(t, o.Code, "the proxy's status is not the receiver's")
		})
	}
	t.Run("no password", func(t *testing.T) {
		proxy := newTunnels(t, receiver.URL)
		sender := through(t, delivery.Options{}, delivery.Proxy{URL: proxy.URL, Username: "env:SEGUE_TEST_USER", Password: "env:SEGUE_TEST_UNSET"})
		o := sender.Send(context.Background(), newPolicy(), newRequest("http://crm.example.com/"), 1)
		assert.Equal(t, "auth", o.Class)
		assert.Equal(t, "guard.proxy.password: secret env:SEGUE_TEST_UNSET is not set", o.Message)
		assert.Equal(t, contract.VerdictRetry, o.Verdict)
		assert.Zero(t, proxy.Bytes())
	})
	assert.Zero(t, receiver.Connections())
}

func TestInvalidProxiesAreRejected(t *testing.T) {
	for _, p := range []delivery.Proxy{
		{URL: "https://proxy.internal:3128"}, {URL: "http://proxy.internal"}, {URL: "proxy.internal:3128"}, {URL: "http://user:" + canary + "@proxy.internal:3128"},
		{URL: "http://proxy.internal:3128/path"}, {URL: "http://proxy.internal:3128", Username: "env:U"}, {Password: "env:P"}, {URL: "socks5://proxy.internal:1080"},
		{URL: "http://127.1:3128"}, {URL: "http://%zz:1"},
	} {
		_, err := guardOf(t).Through(p)
		assert.ErrorContains(t, err, "guard.proxy", "%+v", p)
		assert.NotContains(t, err.Error(), canary)
	}
	with, err := guardOf(t).Through(delivery.Proxy{URL: "http://proxy.internal:3128"})
	require.NoError(t, err)
	without, err := with.Through(delivery.Proxy{})
	require.NoError(t, err)
	assert.Equal(t, guardOf(t), without)
}

// A slow proxy and a slow receiver behind it share one deadline.
func TestTheProxySharesTheAttemptsDeadline(t *testing.T) {
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	policy := newPolicy()
	policy.Timeout = 300 * time.Millisecond
	o := sendInTime(t, through(t, delivery.Options{}, delivery.Proxy{URL: newTunnels(t, slow.URL).URL}), policy, "http://crm.example.com/")
	assert.Equal(t, "timeout", o.Class, o.Message)
}

// lateTimer is a context whose deadline has passed, and whose timer has not fired yet, as on a busy machine.
type lateTimer struct{ context.Context }

func (lateTimer) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

// The deadline of the connection to the proxy is that of the attempt, and may be noticed before the context's own.
func TestASilentProxyAtTheDeadlineIsATimeout(t *testing.T) {
	inTime, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for class, ctx := range map[delivery.Class]context.Context{
		delivery.ClassTimeout: lateTimer{t.Context()},
		delivery.ClassNetwork: inTime,
	} {
		conn, proxy := net.Pipe()
		require.NoError(t, conn.SetDeadline(time.Now().Add(-time.Second)))
		assert.Equal(t, class, delivery.AskProxy(ctx, conn))
		require.NoError(t, conn.Close())
		require.NoError(t, proxy.Close())
	}
}
