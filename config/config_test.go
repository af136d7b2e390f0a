package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"segue/config"
	"segue/delivery"
	"segue/dispatch"
	"segue/interaction"
	"segue/request"
	"segue/trigger"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parsed(t testing.TB, text string, options ...config.Option) *config.Set {
	t.Helper()
	set, err := config.Parse("f.yaml", []byte(text), options...)
	require.NoError(t, err)
	return set
}

func TestDefaults(t *testing.T) {
	set := parsed(t, "calls: [{name: a, method: GET, url: 'http://h.example.com/'}]")
	c, ok := set.Call("a")
	require.True(t, ok)
	assert.Equal(t, delivery.Policy{Call: "a", Version: set.Version, Timeout: 10 * time.Second, Success: []delivery.StatusRange{{From: 200, To: 299}},
		Idempotent: true, Order: delivery.OrderBlock, Returns: []delivery.Return{},
		Retry: delivery.Retry{Jitter: 0.2, Retention: 720 * time.Hour, Schedule: []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute,
			2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}},
		Limits: delivery.Limits{Concurrency: 20, Response: 64 << 10}}, c.Policy)
	assert.Equal(t, dispatch.Timeouts{Offer: 30 * time.Second, Queue: 10 * time.Minute, WrapUp: 2 * time.Minute, Engagement: time.Minute,
		Lifetime: 168 * time.Hour, LateEvents: 15 * time.Minute, Orphan: 5 * time.Minute, SequenceGap: 2 * time.Second},
		set.TimeoutsFor(interaction.ChannelChat))
	assert.Equal(t, config.Temporal{
		Address: "127.0.0.1:7233", Namespace: "default", TaskQueue: "segue",
		Deployment: "segue", AutoUpgrade: []interaction.Channel{"email", "sms", "web"},
	}, set.Temporal)
	assert.Equal(t, config.Log{Level: "info", Format: "text"}, set.Log)
	assert.Equal(t, "127.0.0.1:8080", set.Gateway.Address)
	_, ok = set.Call("b")
	assert.False(t, ok)
}

func TestAnEmptyConfigurationIsOne(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "calls:\n", "{}"} {
		set := parsed(t, text)
		assert.Empty(t, set.Calls())
		firings, failed := set.Triggers.Match(&interaction.View{}, &interaction.Event{When: interaction.WhenInteractionEnds})
		assert.Empty(t, firings)
		assert.Empty(t, failed)
	}
	set, err := config.Load("")
	require.NoError(t, err)
	assert.Equal(t, "segue", set.Temporal.TaskQueue)
}

func TestEverythingOfACallReachesItsPolicy(t *testing.T) {
	set := parsed(t, `
calls:
  - name: a
    method: POST
    url: http://h.example.com/
    text: x
    auth: {oauth2: {token_url: "https://id.example.com/token", client_id: env:ID, client_secret: file:/s, scopes: [a, b], params: [{name: audience, value: x}], tls: {ca: file:idca, server_name: id.internal}}, sign: {secrets: [env:NEW, env:OLD]}}
    timeout: 1500ms
    success: [2xx, 304, 400-404]
    final: [409, tls]
    retriable: [404, 420-425, blocked, gone]
    idempotent: false
    order: skip
    retry: {schedule: [1s], jitter: 0, retention: 1h}
    limits: {concurrency: 0, rate: 0.5, response: 1MB}
    returns: [{from: tier, to: crm_tier}]
  - {name: b, method: GET, url: "http://h.example.com/", auth: {bearer: env:T}}
  - {name: c, method: GET, url: "http://h.example.com/", auth: {bearer: {token: env:T}}}
  - {name: d, method: GET, url: "http://h.example.com/", auth: {api_key: {name: X-Key, key: env:K}}, retry: {schedule: []}}
  - {name: e, method: GET, url: "https://h.example.com/", auth: {mtls: {certificate: file:c, key: file:k}}, tls: {ca: file:ca, server_name: h.internal}}
`)
	policy := func(name string) delivery.Policy {
		c, ok := set.Call(name)
		require.True(t, ok)
		return c.Policy
	}
	assert.Equal(t, delivery.Policy{Call: "a", Version: set.Version, Timeout: 1500 * time.Millisecond,
		Success: []delivery.StatusRange{{From: 200, To: 299}, {From: 304, To: 304}, {From: 400, To: 404}}, Final: []delivery.StatusRange{{From: 409, To: 409}},
		Retriable: []delivery.StatusRange{{From: 404, To: 404}, {From: 420, To: 425}},
		Verdicts:  map[delivery.Class]dispatch.Verdict{"tls": dispatch.VerdictFinal, "blocked": dispatch.VerdictRetry, "gone": dispatch.VerdictRetry},
		Order:     delivery.OrderSkip,
		Retry:     delivery.Retry{Schedule: []time.Duration{time.Second}, Retention: time.Hour},
		Limits:    delivery.Limits{Rate: 0.5, Response: 1_000_000},
		Auth: delivery.Auth{OAuth2: &delivery.OAuth2Auth{TokenURL: "https://id.example.com/token", ClientID: "env:ID", ClientSecret: "file:/s", Scopes: []string{"a", "b"},
			Params: []delivery.Param{{Name: "audience", Value: "x"}}, TLS: delivery.TLS{CA: "file:idca", ServerName: "id.internal"}}},
		Sign: []delivery.SecretRef{"env:NEW", "env:OLD"}, Returns: []delivery.Return{{From: "tier", To: "crm_tier"}}}, policy("a"))
	assert.Equal(t, delivery.SecretRef("env:T"), policy("b").Auth.Bearer)
	assert.Equal(t, policy("b").Auth, policy("c").Auth)
	assert.Equal(t, &delivery.APIKeyAuth{In: "header", Name: "X-Key", Key: "env:K"}, policy("d").Auth.APIKey)
	assert.Empty(t, policy("d").Retry.Schedule)
	assert.Equal(t, &delivery.MTLSAuth{Certificate: "file:c", Key: "file:k"}, policy("e").Auth.MTLS)
	assert.Equal(t, delivery.TLS{CA: "file:ca", ServerName: "h.internal"}, policy("e").TLS)
	assert.Zero(t, policy("d").TLS)
}

func TestWhatACallAcceptsIsAskedForAndRead(t *testing.T) {
	set := parsed(t, `
calls:
  - {name: plain, method: POST, url: "http://h.example.com/", text: x}
  - {name: xml, method: POST, url: "http://h.example.com/", text: x, accept: xml, headers: [{name: X-A, value: a}]}
  - {name: own, method: POST, url: "http://h.example.com/", text: x, accept: text, headers: [{name: accept, value: text/csv}]}
  - {name: soap, method: POST, url: "http://h.example.com/", soap: {version: "1.2", service: S, port: P, operation: Op}, accept: xml}
`)
	for name, want := range map[string]struct {
		policy delivery.Policy
		accept []string
	}{
		"plain": {delivery.Policy{}, nil},
		"xml":   {delivery.Policy{Accept: delivery.FormatXML}, []string{"application/xml"}},
		"own":   {delivery.Policy{Accept: delivery.FormatText}, []string{"text/csv"}},
		"soap":  {delivery.Policy{Accept: delivery.FormatXML, SOAP: true}, nil},
	} {
		c, _ := set.Call(name)
		assert.Equal(t, want.policy.Accept, c.Policy.Accept, name)
		assert.Equal(t, want.policy.SOAP, c.Policy.SOAP, name)
		var accept []string
		for _, h := range c.Render("m", &interaction.View{}, &interaction.Event{}).Headers {
			if strings.EqualFold(h.Name, "Accept") {
				accept = append(accept, h.Value)
			}
		}
		assert.Equal(t, want.accept, accept, name)
	}
}

func TestTimeoutsByChannelAndQueue(t *testing.T) {
	set := parsed(t, `
timeouts:
  default: {offer: 20s, queue: 5m}
  channels: {chat: {offer: 45s}, email: {queue: 0s, lifetime: 2160h}}
queues: [{name: sales, overflow: backup, timeouts: {queue: 3m}}]
`)
	assert.Equal(t, 20*time.Second, set.TimeoutsFor("inbound").Offer)
	assert.Equal(t, 45*time.Second, set.TimeoutsFor("chat").Offer)
	assert.Equal(t, 5*time.Minute, set.TimeoutsFor("chat").Queue)
	assert.Equal(t, time.Duration(0), set.TimeoutsFor("email").Queue)
	assert.Equal(t, 3*time.Minute, set.TimeoutsForQueue("chat", "sales").Queue)
	assert.Equal(t, 45*time.Second, set.TimeoutsForQueue("chat", "sales").Offer)
	assert.Equal(t, set.TimeoutsFor("chat"), set.TimeoutsForQueue("chat", "other"))
	q, ok := set.Queue("sales")
	require.True(t, ok)
	assert.Equal(t, "backup", q.Overflow)
}

func TestSettingsComeFromFlagsThenTheEnvironmentThenTheFile(t *testing.T) {
	text := "temporal: {address: 'file:1', namespace: file, task_queue: file}\ntimeouts: {default: {offer: 1s, queue: 1m}}\n"
	t.Setenv("SEGUE_TEMPORAL_ADDRESS", "env:2")
	t.Setenv("SEGUE_TEMPORAL_NAMESPACE", "env")
	t.Setenv("SEGUE_TIMEOUTS_DEFAULT_OFFER", "2s")
	t.Setenv("SEGUE_GUARD_ALLOW", "10.0.0.0/8, crm.internal:443")
	t.Setenv("SEGUE_GUARD_PROXY_URL", "http://proxy.internal:3128")
	flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
	flags.String("address", "flag-default:3", "")
	flags.String("log-level", "debug", "")
	require.NoError(t, flags.Parse([]string{"--address", "flag:3"}))
	set := parsed(t, text, config.WithFlag("temporal.address", flags.Lookup("address")), config.WithFlag("log.level", flags.Lookup("log-level")))
	assert.Equal(t, config.Temporal{
		Address: "flag:3", Namespace: "env", TaskQueue: "file",
		Deployment: "segue", AutoUpgrade: []interaction.Channel{"email", "sms", "web"},
	}, set.Temporal)
	assert.Equal(t, 2*time.Second, set.TimeoutsFor("inbound").Offer)
	assert.Equal(t, time.Minute, set.TimeoutsFor("inbound").Queue)
	assert.Equal(t, config.Guard{Allow: []string{"10.0.0.0/8", "crm.internal:443"}, Proxy: delivery.Proxy{URL: "http://proxy.internal:3128"}}, set.Guard)
	assert.Equal(t, "other:4", parsed(t, text, config.WithValue("temporal.address", "other:4")).Temporal.Address)
}

func TestChannelsOfLongLivesGoOnWithNewVersions(t *testing.T) {
	versioned := "temporal: {build_id: 1.4.0%s}"
	for text, want := range map[string][]interaction.Channel{
		"temporal: {deployment: segue}":                                     nil, // without a build id there is nothing to go over to
		fmt.Sprintf(versioned, ""):                                          {"email", "sms", "web"},
		fmt.Sprintf(versioned, ", auto_upgrade: [chat, web]"):               {"chat", "web"},
		fmt.Sprintf(versioned, ", auto_upgrade: chat"):                      {"chat"},
		fmt.Sprintf(versioned, ", auto_upgrade: []"):                        nil,
		fmt.Sprintf(versioned, ", deployment: berlin, auto_upgrade: 'sms'"): {"sms"},
	} {
		set := parsed(t, text)
		var got []interaction.Channel
		for _, channel := range interaction.Channels() {
			if set.Temporal.Unpins(channel) {
				got = append(got, channel)
			}
		}
		assert.ElementsMatch(t, want, got, text)
	}
	t.Setenv("SEGUE_TEMPORAL_BUILD_ID", "2.0")
	t.Setenv("SEGUE_TEMPORAL_AUTO_UPGRADE", "email, chat")
	set := parsed(t, "temporal: {auto_upgrade: [sms]}")
	assert.Equal(t, []interaction.Channel{"email", "chat"}, set.Temporal.AutoUpgrade)
	assert.Equal(t, "2.0", set.Temporal.BuildID)
}

func TestABadSettingNamesTheVariableOrTheFlag(t *testing.T) {
	t.Setenv("SEGUE_TEMPORAL_ADDRESS", "nowhere")
	t.Setenv("SEGUE_TEMPORAL_API_KEY", "hunter2")
	_, err := config.Parse("f.yaml", []byte("temporal: {address: 'file:1'}"))
	assert.EqualError(t, err, `SEGUE_TEMPORAL_ADDRESS: "nowhere" is not an address; write host:port with a port from 0 to 65535`+
		"\nSEGUE_TEMPORAL_API_KEY: a secret is a reference, not the secret itself; write env:NAME or file:PATH")
	flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
	flags.String("log-level", "", "")
	require.NoError(t, flags.Parse([]string{"--log-level", "loud"}))
	_, err = config.Parse("f.yaml", nil, config.WithFlag("log.level", flags.Lookup("log-level")), config.WithValue("temporal.address", "a:1"), config.WithValue("temporal.api_key", ""))
	assert.EqualError(t, err, `--log-level: "loud" is none of the values; use debug, info, warn, error`)
}

func TestTheEngagementBackendBringsItsCalls(t *testing.T) {
	set := parsed(t, "engagement: {backend: 'https://gwe.example.com:8081/'}")
	view := &interaction.View{Interaction: interaction.Facts{ID: "i-1"}}
	event := &interaction.Event{When: interaction.WhenEngage, Fields: map[string]any{"ixnProfile": map[string]any{"visitID": "v", "n": 1.0}}}
	firings, failed := set.Triggers.Match(view, event)
	require.Empty(t, failed)
	require.Equal(t, []trigger.Firing{{Call: "engage"}}, firings)
	c, _ := set.Call("engage")
	r := c.Render("msg_1", view, event)
	assert.Empty(t, r.Fault)
	assert.Equal(t, "https://gwe.example.com:8081/backend/data/gateway/engage", r.URL)
	assert.JSONEq(t, `{"ixnProfile":{"visitID":"v","n":1}}`, r.Body)
	assert.Equal(t, set.Version, r.Version)
	assert.Equal(t, []delivery.StatusRange{{From: 400, To: 400}}, c.Policy.Final)
	assert.True(t, c.BuiltIn)
	c, _ = set.Call("noengage")
	assert.Equal(t, "render: json.cancelData: ${event.cancelData}: no value", c.Render("msg_1", view, event).Fault)

	set = parsed(t, "engagement: {backend: 'https://gwe.example.com'}\ncalls: [{name: engage, method: POST, url: 'https://own.example.com/', text: x}]")
	firings, _ = set.Triggers.Match(view, event)
	require.Len(t, firings, 1)
	c, _ = set.Call("engage")
	assert.Equal(t, "https://own.example.com/", c.Render("msg_1", view, event).URL)
	assert.Len(t, set.Calls(), 2)
}

func TestTheVersionIsThatOfTheContent(t *testing.T) {
	version := func(text string) string { return parsed(t, text).Version }
	base := version(good)
	assert.Len(t, base, 12)
	assert.Equal(t, base, version("# a comment\n"+good))
	assert.Equal(t, base, version(strings.ReplaceAll(good, "127.0.0.1:7233", "127.0.0.1:7234")), "process settings do not count")
	assert.Equal(t, base, version(strings.Replace(good, "method: POST", `method: "POST"`, 1)))
	for _, change := range [][2]string{{"id: ${interaction.id}", "id: x"}, {"interaction_starts", "interaction_ends"}, {"30s", "31s"}, {"45s", "46s"}, {"SOLD", "LOST"}} {
		assert.NotEqual(t, base, version(strings.Replace(good, change[0], change[1], 1)), change)
	}
	t.Setenv("SEGUE_TIMEOUTS_DEFAULT_OFFER", "7s")
	assert.NotEqual(t, base, version(good), "what the environment changes counts")
}

func TestAStoreKeepsWhatWorksWhenTheFileIsBad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "segue.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write(good)
	store, err := config.Open(path)
	require.NoError(t, err)
	first := store.Current()
	assert.Equal(t, path, first.File)

	write(strings.Replace(good, "method: POST", "method: NO", 1))
	reload := func() error {
		_, err := store.Reload(calm)
		return err
	}
	require.ErrorContains(t, reload(), path+":3: calls[0].method")
	assert.Same(t, first, store.Current())

	require.NoError(t, os.Remove(path))
	require.EqualError(t, reload(), path+": cannot be read: no such file or directory; check --config and the file's permissions")
	assert.Same(t, first, store.Current())

	write(strings.Replace(good, "30s", "31s", 1))
	require.NoError(t, reload())
	assert.NotEqual(t, first.Version, store.Current().Version)

	_, err = config.Open(filepath.Join(t.TempDir(), "none.yaml"))
	require.Error(t, err)
	_, err = config.NewStore(first).Reload(calm)
	require.EqualError(t, err, "config: this configuration was not read from a file, so it cannot be reloaded")
}

func TestTheExampleIsValidAndShowsEveryKey(t *testing.T) {
	set := parsed(t, string(config.Example))
	report := config.Check(set)
	var out bytes.Buffer
	require.NoError(t, report.Print(&out))
	assert.NotContains(t, out.String(), "cannot be rendered")
	assert.Len(t, report.Calls, 8)
	text := string(config.Example)
	for _, key := range []string{"name", "method", "url", "query", "headers", "json", "form", "xml", "soap", "service", "port", "text", "accept", "auth", "basic", "bearer", "api_key", "oauth2", "mtls", "sign",
		"timeout", "success", "final", "retriable", "idempotent", "order", "missing", "retry", "limits", "returns", "mappings", "when", "call", "segments", "legs", "from", "to", "channels", "queues",
		"business_processes", "dispositions", "if", "dry_run", "backend", "default", "overflow", "max_misses", "priorities", "weights", "priority", "scripts", "labels", "allow", "proxy", "username", "address", "namespace", "task_queue",
		"server_name", "level", "format", "failing_after", "recovered_after"} {
		assert.Contains(t, text, key+":")
	}
}

func TestAlertsSayWhenOperatorsAreTold(t *testing.T) {
	assert.Equal(t, dispatch.AlertRules{FailingAfter: 5 * time.Minute, RecoveredAfter: time.Minute}, parsed(t, "").Alerts)
	set := parsed(t, "alerts: {failing_after: 10m, recovered_after: 0s}")
	assert.Equal(t, dispatch.AlertRules{FailingAfter: 10 * time.Minute}, set.Alerts)
	t.Setenv("SEGUE_ALERTS_FAILING_AFTER", "2m")
	other := parsed(t, "alerts: {failing_after: 10m, recovered_after: 0s}")
	assert.Equal(t, 2*time.Minute, other.Alerts.FailingAfter)
	assert.NotEqual(t, set.Version, other.Version)
}

func TestCheckShowsAlertsAndWarnsOfWhatTheyHaveNot(t *testing.T) {
	set := parsed(t, `
calls:
  - {name: crm, method: GET, url: "https://crm.example.com/"}
  - name: pager
    method: POST
    url: https://pager.example.com/${interaction.id}
    text: "${event.call} ${event.class} ${event.code} ${event.message} ${event.since} ${event.failing_for} ${event.lanes} ${event.parked} ${event.count} ${event.contact_center}/${event.interaction} ${event.delivery} ${event.when} ${event.at} ${event.sequence} ${event.reason} ${event.typo} #ani#"
triggers:
  - {when: interaction_starts, call: crm}
  - {when: operator.delivery_failing, call: pager, if: 'event.call == "crm" && interaction.queue == "sales"'}
  - {when: fault, call: pager}
  - {when: operator.breaker_open, call: crm}
`)
	report := config.Check(set)
	assert.Equal(t, []string{
		"triggers[1].if (call pager) at operator.delivery_failing: no value then for interaction.queue",
		"call pager at operator.delivery_failing: no value then for #ani#, event.typo, interaction.id: it goes out empty (missing: empty)",
	}, report.Warnings)
	require.Len(t, report.Calls[1].Samples, 2)
	alert := report.Calls[1].Samples[0].Request
	assert.Equal(t, "https://pager.example.com/", alert.URL)
	assert.Equal(t, "crm http_5xx 503 HTTP 503 Service Unavailable 2026-01-15T09:30:00Z 300 12 1 1 default/sample-1 msg_sample"+
		" operator.delivery_failing 2026-01-15T09:35:00Z 1   ", alert.Body)
	assert.Contains(t, report.Calls[1].Samples[1].Request.Body, "crm gone 410 ")
}

// An alert is told by another call than the one that it is about.
func TestCheckWarnsOfAlertsThatNobodyHears(t *testing.T) {
	report := config.Check(parsed(t, `
calls: [{name: crm, method: GET, url: "https://crm.example.com/"}]
triggers:
  - {when: interaction_starts, call: crm}
  - {when: [operator.breaker_open, operator.delivery_failing], call: crm}
`))
	assert.Equal(t, []string{
		"triggers[1] (call crm) can never fire at operator.breaker_open: an alert is not told by the call that it is about, and no other call is fired by interactions",
	}, report.Warnings)
}

// How each call authenticates and what it trusts is shown with the references of its
// secrets; what stands in the file in the clear and looks like one is hidden.
func TestCheckShowsAuthWithoutSecrets(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	file := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(file, []byte("hunter2"), 0o600))
	set := parsed(t, `
calls:
  - {name: basic, method: GET, url: "https://h.example.com/", auth: {basic: {username: env:USER_NAME, password: env:SECRET}}}
  - {name: bearer, method: GET, url: "https://h.example.com/", auth: {bearer: env:SECRET}, tls: {ca: file:/ca.pem, server_name: h.internal}}
  - {name: key, method: GET, url: "https://h.example.com/", auth: {api_key: {in: query, name: k, key: env:SECRET}}, sign: {secrets: [env:SECRET]}}
  - name: oauth2
    method: GET
    url: https://h.example.com/
    auth:
      oauth2:
        {token_url: "https://id.example.com/token?tenant=7&api_key=hunter2", client_id: env:ID, client_secret: env:SECRET, scopes: [read, write],
         params: [{name: audience, value: crm}, {name: password, value: hunter2}], tls: {ca: file:/id.pem, server_name: id.internal}}
  - {name: mtls, method: GET, url: "https://h.example.com/", auth: {mtls: {certificate: file:/crt.pem, key: file:FILE}}}
guard: {allow: ["10.1.0.0/16:443"], proxy: {url: "http://proxy.internal:3128", username: env:USER_NAME, password: env:SECRET}}
`)
	report := config.Check(set)
	kinds := map[string][2]string{}
	for _, c := range report.Calls {
		kinds[c.Name] = [2]string{c.Auth, c.TLS}
	}
	assert.Equal(t, map[string][2]string{
		"basic":  {"basic (env:USER_NAME, env:SECRET)", ""},
		"bearer": {"bearer (env:SECRET)", "ca file:/ca.pem, server name h.internal"},
		"key":    {"api_key in query k (env:SECRET)", ""},
		"oauth2": {"oauth2 (env:ID, env:SECRET) at https://id.example.com/token?tenant=7&api_key=***, scopes read write, audience=crm, password=***, tls: ca file:/id.pem, server name id.internal", ""},
		"mtls":   {"mtls (file:/crt.pem, file:FILE)", ""},
	}, kinds)
	assert.Equal(t, "http://proxy.internal:3128 (env:USER_NAME, env:SECRET)", report.Proxy)
	var out bytes.Buffer
	require.NoError(t, report.Print(&out))
	assert.Contains(t, out.String(), "reach: public addresses through http://proxy.internal:3128 (env:USER_NAME, env:SECRET), 10.1.0.0/16:443\n")
	assert.Contains(t, out.String(), "call bearer (timeout 10s, 9 retries, bearer (env:SECRET), tls: ca file:/ca.pem, server name h.internal)\n")
	assert.Contains(t, out.String(), "signed")
	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	assert.NotContains(t, string(encoded)+out.String(), "hunter2")
}

func TestCheckWarnsOfWhatTheGuardWillBlock(t *testing.T) {
	set := parsed(t, `
calls:
  - {name: own, method: GET, url: "http://localhost:9100/"}
  - {name: allowed, method: GET, url: "http://10.1.2.3:8443/"}
  - {name: port, method: GET, url: "http://10.1.2.3/"}
  - {name: metadata, method: GET, url: "http://169.254.169.254/latest/"}
  - {name: six, method: GET, url: "https://[fd00::1]/"}
  - {name: public, method: GET, url: "https://h.example.com/"}
triggers: [{when: interaction_starts, call: own}, {when: interaction_starts, call: allowed}, {when: interaction_starts, call: port},
  {when: interaction_starts, call: metadata}, {when: interaction_starts, call: six}, {when: interaction_starts, call: public}]
guard: {allow: ["10.0.0.0/8:8443", "169.254.0.0/16"]}
`)
	assert.Equal(t, []string{
		"call own is blocked: the receiver's address is loopback, which guard.allow does not list",
		"call port is blocked: the receiver's address is private, which guard.allow does not list",
		"call metadata is blocked: the receiver's address is cloud metadata, which guard.allow does not list",
		"call six is blocked: the receiver's address is private, which guard.allow does not list",
	}, config.Check(set).Warnings)
}

func TestCheckRendersSamplesAndWarns(t *testing.T) {
	set := parsed(t, `
calls:
  - name: crm
    method: POST
    url: https://crm.example.com/${interaction.id}?api_key=literal-key&x=1
    headers: [{name: X-Api-Token, value: "literal-token"}]
    auth: {basic: {username: env:U, password: env:P}}
    json: {code: "${disposition.code}", tier: "${user_data.tier}"}
  - {name: idle, method: GET, url: "https://x.example.com/"}
triggers:
  - {when: [interaction_starts, interaction_ends], call: crm}
  - {when: inbound.dequeue, channels: chat, call: crm}
`)
	report := config.Check(set)
	assert.Equal(t, []string{
		"triggers[1] (call crm) can never fire: it is a moment of inbound, and channels has only chat",
		"call crm at interaction_starts: no value then for disposition.code: it goes out empty (missing: empty)",
		"call crm: header X-Api-Token, parameter api_key looks like a credential, which would stand in every history: use auth",
		"call idle has no trigger: nothing fires it",
	}, report.Warnings)
	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), "literal-token")
	assert.NotContains(t, string(encoded), "literal-key")
	assert.Contains(t, string(encoded), "basic (env:U, env:P)")
	require.Len(t, report.Calls[0].Samples, 2)
	assert.Equal(t, `{"code":"","tier":"<tier>"}`, report.Calls[0].Samples[0].Request.Body)
	assert.Equal(t, `{"code":"SOLD","tier":"<tier>"}`, report.Calls[0].Samples[1].Request.Body)
}

// One of the policies has a name that YAML does not take for text.
func TestMissingMayBeNullWithoutQuotes(t *testing.T) {
	for written, want := range map[string]request.Missing{"null": "null", `"null"`: "null", "omit": "omit", "": "empty", "~": "empty"} {
		set := parsed(t, "calls: [{name: a, method: POST, url: 'http://h.example.com/', missing: "+written+"}]")
		c, _ := set.Call("a")
		assert.Equal(t, want, c.Template.Missing(), written)
	}
}

func TestDryRunsAreSaidSo(t *testing.T) {
	set := parsed(t, `
calls:
  - {name: crm, method: GET, url: "https://crm.example.com/", dry_run: true}
  - {name: bi, method: GET, url: "https://bi.example.com/"}
triggers:
  - {when: interaction_ends, call: crm}
  - {when: [interaction_starts, interaction_ends], call: bi, dry_run: true}
  - {when: interaction_ends, call: bi}
`)
	crm, _ := set.Call("crm")
	assert.True(t, crm.Policy.DryRun)
	report := config.Check(set)
	assert.Empty(t, report.Warnings)
	assert.True(t, report.Calls[0].DryRun)
	assert.False(t, report.Calls[0].Samples[0].DryRun)
	assert.False(t, report.Calls[1].DryRun)
	assert.True(t, report.Calls[1].Samples[0].DryRun, "its only trigger is one")
	assert.False(t, report.Calls[1].Samples[1].DryRun, "another trigger sends it")
	var out bytes.Buffer
	require.NoError(t, report.Print(&out))
	assert.Contains(t, out.String(), "call crm (timeout 10s, 9 retries, dry run: never sent)")
	assert.Contains(t, out.String(), "at interaction_starts, inbound (dry run: recorded, not sent)")
	assert.Contains(t, out.String(), "at interaction_ends, inbound\n")
}

func TestCheckSaysWhatIsNotKnownYet(t *testing.T) {
	check := func(missing, trigger, value string) []string {
		report := config.Check(parsed(t, `
calls: [{name: crm, method: POST, url: "https://crm.example.com/", missing: `+missing+`, json: {v: "`+value+`"}}]
triggers: [{`+trigger+`, call: crm}]
`))
		return report.Warnings
	}
	list := func(s ...string) []string { return s }
	cases := []struct {
		missing, trigger, value string
		want                    []string
	}{
		{"empty", "when: interaction_starts", "#agent_disposition# #agent_notes# ${disposition.agent}",
			list("call crm at interaction_starts: no value then for #agent_disposition#, #agent_notes#, disposition.agent: it goes out empty (missing: empty)")},
		{"omit", "when: interaction_starts", "#agent_disposition#", list("call crm at interaction_starts: no value then for #agent_disposition#: it is left out (missing: omit)")},
		{`"null"`, "when: cloud_routing.start", "${disposition.code}",
			list("call crm at cloud_routing.start: no value then for disposition.code: it goes out as null, or empty where there is no null (missing: null)")},
		{"park", "when: interaction_starts", "#call_result#", list(
			"call crm at interaction_starts: no value then for #call_result#: it parks the delivery (missing: park)",
			"call crm cannot be rendered at interaction_starts with sample data: render: json.v: #call_result#: no value")},
		{"empty", "when: segment_change, segments: [interaction_starts.channel]", "${disposition.code}",
			list("call crm at segment_change interaction_starts.channel: no value then for disposition.code: it goes out empty (missing: empty)")},
		{"empty", "when: interaction_starts", "#agent_id# #ani#", list("call crm at interaction_starts: a value for #agent_id# only if the start names an agent; else it goes out empty (missing: empty)")},
		{"empty", "when: inbound.call_end", "#agent_disposition# #agent_id# ${interaction.outcome}", list(
			"call crm at inbound.call_end: a value for #agent_disposition# only if an agent gave it before; else it goes out empty (missing: empty)",
			"call crm at inbound.call_end: a value for interaction.outcome only if nobody wraps up; else it goes out empty (missing: empty)")},
		{"empty", "when: chat.new", "#dequeue_time# ${agent.id}", list("call crm at chat.new: no value then for #dequeue_time#, agent.id: it goes out empty (missing: empty)")},
		{"empty", "when: [inbound.dtmf, inbound.queue_event]", "#dtmf#", list("call crm at inbound.queue_event: no value then for #dtmf#: it goes out empty (missing: empty)")},
		{"empty", "when: survey", "${event.segment}", list("call crm at survey: no value then for event.segment: it goes out empty (missing: empty)")},
		{"empty", "when: track_number.call_end", "#agent_id#", list("call crm at track_number.call_end: a value for #agent_id# only if the platform assigned an agent; else it goes out empty (missing: empty)")},
		{"empty", "when: [interaction_ends, inbound.disposition]", "#agent_disposition# #call_end# #enqueue_time# #agent_wrap_time# #recording_url# ${survey} ${event.at}", nil},
		{"empty", "when: interaction_ends", "${interaction.outcome} #call_result# ${previous_agent.id} ${interaction.disconnected_at}", nil},
		{"empty", "when: segment_change", "${event.segment} ${agent.id}", nil},
	}
	for _, c := range cases {
		assert.Equal(t, c.want, check(c.missing, c.trigger, c.value), c.trigger+" "+c.value)
	}
}

func TestCheckRendersEachOccasion(t *testing.T) {
	report := config.Check(parsed(t, `
calls: [{name: crm, method: POST, url: "https://crm.example.com/", text: "${interaction.channel} ${event.from}>${event.segment}.${event.leg} ${disposition.code}"}]
triggers:
  - {when: segment_change, segments: [handling.agent, wrap_up], channels: [chat, inbound], call: crm}
  - {when: segment_change, from: [agent_selecting], to: [overflow, abandoned], call: crm}
  - {when: segment_change, segments: [overflow], legs: [channel], call: crm}
  - {when: [inbound.disposition, outbound.disposition], dispositions: [CALLBACK, SOLD], call: crm}
`))
	var bodies []string
	for _, s := range report.Calls[0].Samples {
		bodies = append(bodies, s.Request.Body)
	}
	assert.Equal(t, []string{
		"chat offered>handling.agent SOLD", "chat handling>wrap_up.agent SOLD",
		"inbound agent_selecting>overflow.business_process SOLD", "inbound agent_selecting>abandoned.business_process SOLD",
		"inbound >. CALLBACK", "outbound >. CALLBACK",
	}, bodies)
	assert.Contains(t, report.Warnings, "triggers[2] (call crm) can never fire: no leg ever changes as segments, legs, from and to say together")
	var out bytes.Buffer
	require.NoError(t, report.Print(&out))
	assert.Contains(t, out.String(), "at segment_change handling.agent, chat\n")
	assert.Contains(t, out.String(), "at outbound.disposition, outbound, disposition CALLBACK\n")
}

// TestTheExamplesOfBothSystemsAreClean: no mistake, no warning, and a request for
// each call and moment.
func TestTheExamplesOfBothSystemsAreClean(t *testing.T) {
	for file, samples := range map[string]int{"ecs.yaml": 32, "engage-voice.yaml": 30} {
		set, err := config.Load("../examples/" + file)
		require.NoError(t, err)
		report := config.Check(set)
		assert.Empty(t, report.Warnings, file)
		n := 0
		for _, c := range report.Calls {
			assert.NotEmpty(t, c.Samples, c.Name)
			n += len(c.Samples)
		}
		assert.Equal(t, samples, n, file)
	}
}
