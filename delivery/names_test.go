package delivery_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

// These tests have no public address to dial: 127.0.0.1 is allowed in the place of one, and the
// listeners on the same port of other addresses must not be reached.
type neighbours struct {
	outside          *hostiletest.Server
	inside, insideV6 *hostiletest.Server // on 127.0.0.2 and on ::1
	port             string
}

func newNeighbours(t *testing.T) *neighbours {
	t.Helper()
	n := &neighbours{outside: hostiletest.Serve(t, hostiletest.OK)}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(n.outside.URL, "http://"))
	require.NoError(t, err)
	n.port = port
	for address, server := range map[string]**hostiletest.Server{"127.0.0.2": &n.inside, "::1": &n.insideV6} {
		listener, err := net.Listen("tcp", net.JoinHostPort(address, port))
		if err != nil && os.Getenv("CI") != "true" {
			t.Skipf("cannot listen on %s here: %v", address, err)
		}
		require.NoError(t, err)
		*server = hostiletest.ServeOn(t, listener, hostiletest.OK)
	}
	return n
}

func (n *neighbours) url(host string) string { return "http://" + host + ":" + n.port + "/" }

// assertUntouched checks that the other listeners got nothing, not even a connection.
func (n *neighbours) assertUntouched(t *testing.T) {
	t.Helper()
	assert.Zero(t, n.inside.Connections(), "127.0.0.2")
	assert.Zero(t, n.insideV6.Connections(), "::1")
}

const outside, inside = "127.0.0.1", "127.0.0.2"

// A name that resolves to another address each time.
func TestAReboundNameIsBlocked(t *testing.T) {
	for name, answers := range map[string]func(n int) []string{
		"public first":      func(n int) []string { return []string{outside, inside}[min(n, 2)-1:][:1] },
		"every second time": func(n int) []string { return []string{[]string{inside, outside}[n%2]} },
		"IPv6 later":        func(n int) []string { return [][]string{{outside}, {"::1"}}[min(n, 2)-1] },
	} {
		t.Run(name, func(t *testing.T) {
			n := newNeighbours(t)
			names := hostiletest.ServeNames(t, func(_ string, n int) hostiletest.Answer { return hostiletest.Answer{Addresses: answers(n)} })
			sender := senderWith(t, delivery.Options{Guard: guardOf(t, outside), Resolver: names.Resolver()})
			for i := 1; i <= 10; i++ {
				o := sender.Send(context.Background(), newPolicy(), numbered(n.url("rebound.example.com"), i), 1)
				if answers(i)[0] == outside {
					assert.Equal(t, "ok", o.Class, o.Message)
					continue
				}
				assert.Equal(t, "blocked", o.Class, o.Message)
				assert.Equal(t, contract.VerdictFinal, o.Verdict)
				assertNoAddress(t, o)
			}
			assert.Equal(t, 10, names.Asked("rebound.example.com"), "once for each dial: what is checked is what is dialled")
			n.assertUntouched(t)
		})
	}
}

func TestWhatANameResolvesTo(t *testing.T) {
	n := newNeighbours(t)
	dead := strings.TrimPrefix(hostiletest.Refuse(t), "http://"+outside+":")
	zone := map[string]hostiletest.Answer{
		"public.example.com":       {Addresses: []string{outside}},
		"private.example.com":      {Addresses: []string{inside}},
		"private6.example.com":     {Addresses: []string{"::1"}},
		"mixed.example.com":        {Addresses: []string{inside, outside}},
		"mixed-other.example.com":  {Addresses: []string{outside, inside}},
		"mixed-family.example.com": {Addresses: []string{outside, "::1"}},
		"all-private.example.com":  {Addresses: []string{inside, "::1", "10.0.0.1", "fd00::1"}},
		"metadata.example.com":     {Addresses: []string{"169.254.169.254"}},
		"mapped.example.com":       {Addresses: []string{"::ffff:127.0.0.2"}},
		"nat64.example.com":        {Addresses: []string{"64:ff9b::7f00:2"}},
		"6to4.example.com":         {Addresses: []string{"2002:7f00:2::1"}},
		"teredo.example.com":       {Addresses: []string{"2001:0:7f00:2::80ff:fffd"}},
		"zero.example.com":         {Addresses: []string{"0.0.0.0", "::"}},
		"alias.example.com":        {Alias: "private.example.com"},
		"alias-alias.example.com":  {Alias: "alias.example.com"},
		"alias-public.example.com": {Alias: "public.example.com"},
		"loop.example.com":         {Alias: "loop.example.com"},
		"fails.example.com":        {Fails: true},
		"silent.example.com":       {Silent: true},
		// Allowed by its name; nobody else gets that by naming it.
		"crm.internal":                {Addresses: []string{"127.0.0.3"}},
		"alias-internal.example.com":  {Alias: "crm.internal"},
		"crm.internal.metadata":       {Addresses: []string{"169.254.169.254"}},
		"many.example.com":            {Addresses: strings.Split(strings.Repeat(inside+" ", 30)+inside, " ")},
		"many-and-one.example.com":    {Addresses: append(strings.Split(strings.Repeat(inside+" ", 20)+inside, " "), outside)},
		"own-interfaces.example.com":  {Addresses: ownAddresses(t)},
		"2130706434.numbers.example":  {Addresses: []string{inside}},
		"xn--crm-6na.internal":        {Addresses: []string{inside}},
		"wildcard.crm.internal":       {Addresses: []string{inside}},
		"crm.internal.evil.example":   {Addresses: []string{inside}},
		"broadcast.example.com":       {Addresses: []string{"255.255.255.255", "224.0.0.1", "ff02::1"}},
		"documentation.example.com":   {Addresses: []string{"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "198.18.0.1"}},
		"carrier-grade.example.com":   {Addresses: []string{"100.64.0.1"}},
		"link-local.example.com":      {Addresses: []string{"fe80::1", "169.254.1.1"}},
		"public-but-dead.example.com": {Addresses: []string{outside, inside}},
	}
	names := hostiletest.ServeNames(t, func(name string, _ int) hostiletest.Answer { return zone[name] })
	sender := senderWith(t, delivery.Options{Guard: guardOf(t, outside, "crm.internal"), Resolver: names.Resolver()})
	classes := map[string]string{
		"public.example.com": "ok", "mixed.example.com": "ok", "mixed-other.example.com": "ok", "mixed-family.example.com": "ok",
		"alias-public.example.com": "ok", "many-and-one.example.com": "ok",
		"loop.example.com": "dns", "fails.example.com": "dns", "silent.example.com": "timeout", "nobody.example.com": "dns",
		"crm.internal": "refused", "public-but-dead.example.com": "refused",
	}
	for name := range zone {
		if classes[name] == "" {
			classes[name] = "blocked"
		}
	}
	for name, class := range classes {
		t.Run(name, func(t *testing.T) {
			policy := newPolicy()
			if policy.Call = name; class == "timeout" {
				policy.Timeout = 500 * time.Millisecond
			}
			url := n.url(name)
			if name == "public-but-dead.example.com" {
				url = "http://" + name + ":" + dead
			}
			r := newRequest(url)
			r.ID = "msg_" + name
			started := time.Now()
			o := sender.Send(context.Background(), policy, r, 1)
			assert.Less(t, time.Since(started), policy.Timeout+lateness)
			assert.Equal(t, class, o.Class, o.Message)
			assertNoAddress(t, o)
		})
	}
	n.assertUntouched(t)
	assert.EqualValues(t, 6, n.outside.Requests())
}

func ownAddresses(t *testing.T) (list []string) {
	own, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, one := range own {
		if ip := one.(*net.IPNet).IP; !ip.Equal(net.ParseIP(outside)) {
			list = append(list, ip.String())
		}
	}
	return list
}

// A hundred attempts at once, for a name that resolves to another address each time.
func TestReboundNamesInParallel(t *testing.T) {
	n := newNeighbours(t)
	names := hostiletest.ServeNames(t, func(_ string, n int) hostiletest.Answer {
		return hostiletest.Answer{Addresses: []string{[]string{inside, outside, "::1"}[n%3]}}
	})
	sender := senderWith(t, delivery.Options{Guard: guardOf(t, outside), Resolver: names.Resolver()})
	var sends sync.WaitGroup
	for i := range 100 {
		sends.Go(func() {
			policy := newPolicy()
			policy.Call = fmt.Sprintf("crm-%d", i)
			o := sender.Send(context.Background(), policy, numbered(n.url("rebound.example.com"), i), 1)
			assert.Contains(t, []string{"ok", "blocked"}, o.Class, o.Message)
		})
	}
	sends.Wait()
	n.assertUntouched(t)
}

// The token URL is dialled as a receiver is: neither the client's secret nor the request is
// sent when its name resolves to an internal address.
func TestAReboundTokenURLIsBlocked(t *testing.T) {
	i := newIssuer(t)
	r := i.receiver(t)
	n := newNeighbours(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(i.server.URL, "http://"))
	require.NoError(t, err)
	names := hostiletest.ServeNames(t, func(_ string, n int) hostiletest.Answer {
		return hostiletest.Answer{Addresses: []string{[]string{outside, inside}[min(n, 2)-1]}}
	})
	i.server.Config.SetKeepAlivesEnabled(false)
	sender := senderWith(t, delivery.Options{Guard: guardOf(t, outside), Resolver: names.Resolver()})
	policy := i.policy()
	policy.Auth.OAuth2.TokenURL = "http://id.example.com:" + port + "/token"
	require.Equal(t, "ok", sender.Send(context.Background(), policy, numbered(r.URL, 1), 1).Class)

	i.revoke()
	policy.Auth.OAuth2.TokenURL = n.url("id.example.com")
	o := sender.Send(context.Background(), policy, numbered(r.URL, 2), 1)
	assert.Equal(t, "auth", o.Class)
	assert.Contains(t, o.Message, "the token URL cannot be reached: the receiver's address is loopback, which guard.allow does not list")
	assertNoAddress(t, o)
	assert.Len(t, r.seen, 1, "nothing is sent without a token")
	assert.EqualValues(t, 1, i.requests.Load())
	n.assertUntouched(t)
}

// tunnels is a proxy that connects to receivers of the test, whatever public address it is
// asked for, and records what it was asked.
type tunnels struct {
	*hostiletest.Server
	mu    sync.Mutex
	asked []string
	auth  []string
}

func newTunnels(t *testing.T, to string) *tunnels {
	p := &tunnels{}
	p.Server = hostiletest.Serve(t, hostiletest.Proxy(func(r *http.Request) (string, string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, r.Method+" "+r.RequestURI)
		p.auth = append(p.auth, r.Header.Get("Proxy-Authorization"))
		return strings.TrimPrefix(strings.TrimPrefix(to, "http://"), "https://"), ""
	}))
	return p
}

// A name that is public first and internal later, with a proxy in between: the proxy gets the
// checked address and never the name, which it could resolve to another address.
func TestAReboundNameBehindAProxyGainsNothing(t *testing.T) {
	n := newNeighbours(t)
	proxy := newTunnels(t, n.outside.URL)
	names := hostiletest.ServeNames(t, func(name string, n int) hostiletest.Answer {
		return hostiletest.Answer{Addresses: [][]string{{"93.184.216.34"}, {inside}, {"::1"}, {"10.0.0.7"}, {"169.254.169.254"}, {"2606:2800::1"}}[min(n, 6)-1]}
	})
	guard, err := guardOf(t).Through(delivery.Proxy{URL: proxy.URL})
	require.NoError(t, err)
	sender := senderWith(t, delivery.Options{Guard: guard, Resolver: names.Resolver()})
	for i, class := range []string{"ok", "blocked", "blocked", "blocked", "blocked", "ok"} {
		o := sender.Send(context.Background(), newPolicy(), numbered("http://rebound.example.com/", i), 1)
		assert.Equal(t, class, o.Class, o.Message)
		assertNoAddress(t, o)
	}
	assert.Equal(t, []string{"CONNECT 93.184.216.34:80", "CONNECT [2606:2800::1]:80"}, proxy.asked)
	assert.EqualValues(t, 2, n.outside.Requests())
	n.assertUntouched(t)
}
