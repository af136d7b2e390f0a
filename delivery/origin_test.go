package delivery_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
	"segue/delivery/hostiletest"
)

func TestOriginOf(t *testing.T) {
	for text, want := range map[string]string{
		"https://crm.example.com":                   "https://crm.example.com:443",
		"HTTPS://CRM.example.com:443/a?b#c":         "https://crm.example.com:443",
		"http://crm.example.com:/":                  "http://crm.example.com:80",
		"http://crm.example.com?x=http://other/":    "http://crm.example.com:80",
		"https://crm.example.com/${user_data.%zz}/": "https://crm.example.com:443",
		"https://[2001:DB8::7]:8443/":               "https://[2001:db8::7]:8443",
		"https://crm.example.com./":                 "https://crm.example.com.:443",
		"":                                          "", "/path": "", "https://": "", "https://a b/": "",
	} {
		assert.Equal(t, want, delivery.OriginOf(text), text)
	}
}

// A request that was rendered for another host than its call's, or by somebody else, is
// not sent, and nothing that authenticates the call is read for it.
func TestCredentialsStayWithTheCallsHost(t *testing.T) {
	t.Setenv("SEGUE_TEST_SECRET", canary)
	t.Setenv("SEGUE_TEST_SIGN", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	issuer := newIssuer(t)
	for name, with := range map[string]func(*delivery.Policy){
		"none": func(*delivery.Policy) {},
		"basic": func(p *delivery.Policy) {
			p.Auth.Basic = &delivery.BasicAuth{Username: "env:SEGUE_TEST_ID", Password: "env:SEGUE_TEST_SECRET"}
		},
		"bearer": func(p *delivery.Policy) { p.Auth.Bearer = "env:SEGUE_TEST_SECRET" },
		"key in a header": func(p *delivery.Policy) {
			p.Auth.APIKey = &delivery.APIKeyAuth{In: "header", Name: "X-Key", Key: "env:SEGUE_TEST_SECRET"}
		},
		"key in the query": func(p *delivery.Policy) {
			p.Auth.APIKey = &delivery.APIKeyAuth{In: "query", Name: "key", Key: "env:SEGUE_TEST_SECRET"}
		},
		"oauth2":    func(p *delivery.Policy) { p.Auth.OAuth2 = issuer.policy().Auth.OAuth2 },
		"signature": func(p *delivery.Policy) { p.Sign = []delivery.SecretRef{"env:SEGUE_TEST_SIGN"} },
		"unset":     func(p *delivery.Policy) { p.Auth.Bearer = "env:SEGUE_TEST_UNSET" },
	} {
		t.Run(name, func(t *testing.T) {
			before, current := serve(t, answer(200)), serve(t, answer(200))
			var arrived atomic.Int32
			before.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) })
			policy := newPolicy()
			with(&policy)
			policy.Origin = delivery.OriginOf(current.URL)
			tokens := issuer.requests.Load()

			o := newSender(t).Send(context.Background(), policy, newRequest(before.URL+"/path"), 1)
			assert.Equal(t, "config", o.Class)
			assert.Equal(t, contract.VerdictFinal, o.Verdict)
			assert.Equal(t, "not sent: the request is for "+before.URL+", but the call's url is now at "+current.URL+
				"; redeliver with rerender: true, or restore the url", o.Message)
			assert.Zero(t, arrived.Load())
			assert.Equal(t, tokens, issuer.requests.Load(), "no token is fetched for it")

			if name != "unset" {
				o = newSender(t).Send(context.Background(), policy, newRequest(current.URL+"/another/path?and=query"), 1)
				assert.Equal(t, "ok", o.Class, o.Message)
			}
		})
	}
}

func TestAClientCertificateStaysWithTheCallsHost(t *testing.T) {
	m, current := newMutual(t, hostiletest.Leaf{}), hostiletest.Serve(t, hostiletest.OK)
	policy := m.policy()
	policy.Origin = delivery.OriginOf(strings.Replace(current.URL, "http:", "https:", 1))
	o := newSender(t).Send(context.Background(), policy, newRequest(m.server.URL), 1)
	assert.Equal(t, "config", o.Class)
	assert.Zero(t, m.connections.Load())
}

func TestWhatIsAnotherOrigin(t *testing.T) {
	policy := newPolicy()
	policy.Origin = delivery.OriginOf("https://crm.example.com/hook")
	for url, same := range map[string]bool{
		"https://crm.example.com/hook":                       true,
		"https://CRM.EXAMPLE.COM:443/?x":                     true,
		"http://crm.example.com/hook":                        false,
		"https://crm.example.com:8443/hook":                  false,
		"https://crm.example.com./hook":                      false,
		"https://crm.example.com.evil.test/":                 false,
		"https://evil.test/https://crm.example.com":          false,
		"https://evil.test?https://crm.example.com/":         false,
		"https://evil.test#@crm.example.com/":                false,
		"https://203.0.113.7/":                               false,
		"https://[::ffff:203.0.113.7]/":                      false,
		"https://crm.example.com" + strings.Repeat("x", 600): false,
	} {
		// Nothing resolves, so that what is not refused ends there.
		sender := senderWith(t, delivery.Options{Resolver: hostiletest.ServeNames(t, func(string, int) hostiletest.Answer { return hostiletest.Answer{} }).Resolver()})
		o := sender.Send(context.Background(), policy, newRequest(url), 1)
		if same {
			assert.Equal(t, "dns", o.Class, url)
			continue
		}
		assert.Equal(t, "config", o.Class, url)
		assert.Contains(t, o.Message, "now at https://crm.example.com:443; redeliver with rerender: true, or restore the url", url)
	}
}

// On a connection that many names share, the header would choose the receiver.
func TestARequestCannotChooseTheHostHeader(t *testing.T) {
	var host atomic.Value
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) { host.Store(r.Host) })
	r := newRequest(server.URL)
	r.Headers = append(r.Headers, contract.Header{Name: "Host", Value: "evil.test"}, contract.Header{Name: "host", Value: "evil.test"})
	o := newSender(t).Send(context.Background(), newPolicy(), r, 1)
	require.Equal(t, "ok", o.Class)
	assert.Equal(t, strings.TrimPrefix(server.URL, "http://"), host.Load())
}
