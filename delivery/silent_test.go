package delivery_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/delivery"
	"segue/delivery/hostiletest"
)

// A server that accepts a connection and is silent holds an attempt until its deadline, and no
// connection, goroutine or file descriptor of the process beyond that.
func TestSilenceLeavesNothingBehind(t *testing.T) {
	t.Setenv("SEGUE_TEST_ID", "segue client")
	t.Setenv("SEGUE_TEST_SECRET", canary)
	receiver, m := serve(t, answer(200)), newMutual(t, hostiletest.Leaf{})
	secured := func(url string) string { return strings.Replace(url, "http:", "https:", 1) }
	crm := func(string) string { return "https://crm.example.com/" }
	healthy := func(string) string { return receiver.URL }
	token := func(p *delivery.Policy, url string) {
		p.Auth.OAuth2 = &delivery.OAuth2Auth{TokenURL: url, ClientID: "env:SEGUE_TEST_ID", ClientSecret: "env:SEGUE_TEST_SECRET"}
	}
	for name, tc := range map[string]struct {
		silent  hostiletest.Behaviour
		proxied bool                       // it is the proxy, not the receiver
		to      func(silent string) string // the request's URL
		change  func(p *delivery.Policy, silent string)
	}{
		"TLS":                  {silent: hostiletest.Mute, to: secured},
		"TLS amid a handshake": {silent: func(c *hostiletest.Conn) { c.Say("\x16\x03\x03\x00\x7a\x02"); c.Hang() }, to: secured},
		"TLS that drips": {silent: func(c *hostiletest.Conn) {
			c.Drip("\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb\x03\x03", 20*time.Millisecond, true)
		}, to: secured},
		"TLS with a certificate of the client": {silent: hostiletest.Mute, to: secured,
			change: func(p *delivery.Policy, _ string) { p.Auth, p.TLS = m.policy().Auth, m.policy().TLS }},
		"proxy":                 {silent: hostiletest.Mute, proxied: true, to: func(string) string { return "http://crm.example.com/" }},
		"proxy amid its answer": {silent: func(c *hostiletest.Conn) { c.Say("HTTP/1.1 200 OK\r\n"); c.Hang() }, proxied: true, to: crm},
		"TLS behind a proxy":    {silent: func(c *hostiletest.Conn) { c.Request(); c.Say("HTTP/1.1 200 OK\r\n\r\n"); c.Hang() }, proxied: true, to: crm},
		"token URL":             {silent: hostiletest.Mute, to: healthy, change: func(p *delivery.Policy, silent string) { token(p, secured(silent)) }},
		"token URL behind a proxy": {silent: hostiletest.Mute, proxied: true, to: healthy,
			change: func(p *delivery.Policy, _ string) { token(p, "https://id.example.com/token") }},
	} {
		t.Run(name, func(t *testing.T) {
			server := hostiletest.Serve(t, tc.silent)
			sender := newSender(t)
			if tc.proxied {
				sender = through(t, delivery.Options{Guard: guardOf(t, outside, "127.0.0.0/8")}, delivery.Proxy{URL: server.URL})
			}
			attempt := func(i int, timeout time.Duration) {
				p := newPolicy()
				if tc.change != nil {
					tc.change(&p, server.URL)
				}
				p.Call, p.Timeout = fmt.Sprint("c", i), timeout
				o := sender.Send(context.Background(), p, numbered(tc.to(server.URL), i), 1)
				assert.Contains(t, []string{"timeout", "auth"}, o.Class, o.Message)
			}
			attempt(0, 200*time.Millisecond) // allocates what is allocated once
			require.Eventually(t, func() bool { return server.Open() == 0 }, time.Minute, 5*time.Millisecond)
			goroutines, descriptors := runtime.NumGoroutine(), openFiles(t)
			var sends sync.WaitGroup
			for i := range 20 {
				sends.Go(func() { attempt(i+1, 300*time.Millisecond) })
			}
			sends.Wait()
			assert.Eventually(t, func() bool { return server.Open() == 0 }, time.Minute, 5*time.Millisecond, "connections")
			assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+2 }, time.Minute, 5*time.Millisecond, "goroutines")
			assert.Eventually(t, func() bool { return openFiles(t) <= descriptors+2 }, time.Minute, 5*time.Millisecond, "descriptors")
		})
	}
}

// openFiles returns how many file descriptors the process has; 0 where the system does not say.
func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if os.IsNotExist(err) {
		return 0
	}
	require.NoError(t, err)
	return len(entries)
}
