package config_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"segue/config"
	"segue/config/check"
	"segue/contract"
	"segue/delivery"
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

// rendered returns the request of a call at an event.
func rendered(c *config.Call, view *interaction.View, event *interaction.Event) contract.Request {
	r, _ := c.Template.Render("msg_1", view, event) // the error is also the request's Fault
	return r
}

func TestDefaults(t *testing.T) {
	set := parsed(t, "calls: [{name: a, method: GET, url: 'http://h.example.com/'}]")
	c, ok := set.Call("a")
	require.True(t, ok)
	assert.Equal(t, delivery.Policy{Call: "a", Version: set.Version, Origin: "http://h.example.com:80", Timeout: 10 * time.Second, Success: []delivery.StatusRange{{From: 200, To: 299}},
		Idempotent: true, Order: delivery.OrderBlock, Returns: []delivery.Return{},
		Retry: delivery.Retry{Jitter: 0.2, Retention: 720 * time.Hour, Schedule: []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute,
			2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}},
		Limits: delivery.Limits{Concurrency: 20, Response: 64 << 10}}, c.Policy)
	assert.Equal(t, contract.Timeouts{Offer: 30 * time.Second, Queue: 10 * time.Minute, WrapUp: 2 * time.Minute, Engagement: time.Minute,
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

func TestAnEmptyConfigurationIsValid(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "calls:\n", "{}"} {
		set := parsed(t, text)
		assert.Empty(t, set.Calls())
		firings, failed := set.Triggers.Match(&interaction.View{}, &interaction.Event{Moment: interaction.MomentInteractionEnds})
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
    url: https://h.example.com/
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
  - {name: b, method: GET, url: "https://h.example.com/", auth: {bearer: env:T}}
  - {name: c, method: GET, url: "https://h.example.com/", auth: {bearer: {token: env:T}}}
  - {name: d, method: GET, url: "https://h.example.com/", auth: {api_key: {name: X-Key, key: env:K}}, retry: {schedule: []}}
  - {name: e, method: GET, url: "https://h.example.com/", auth: {mtls: {certificate: file:c, key: file:k}}, tls: {ca: file:ca, server_name: h.internal}}
`)
	policy := func(name string) delivery.Policy {
		c, ok := set.Call(name)
		require.True(t, ok)
		return c.Policy
	}
	assert.Equal(t, delivery.Policy{Call: "a", Version: set.Version, Origin: "https://h.example.com:443", Timeout: 1500 * time.Millisecond,
		Success: []delivery.StatusRange{{From: 200, To: 299}, {From: 304, To: 304}, {From: 400, To: 404}}, Final: []delivery.StatusRange{{From: 409, To: 409}},
		Retriable: []delivery.StatusRange{{From: 404, To: 404}, {From: 420, To: 425}},
		Verdicts:  map[delivery.Class]contract.Verdict{"tls": contract.VerdictFinal, "blocked": contract.VerdictRetry, "gone": contract.VerdictRetry},
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
	a, _ := set.Call("a")
	request := rendered(a, &interaction.View{}, &interaction.Event{})
	assert.True(t, request.Once)
	assert.Zero(t, request.Timeout, "the deadline is shorter than the usual one")
}

// Without an origin, the credentials of a call would be sent to any URL.
func TestEveryCallHasAnOrigin(t *testing.T) {
	set := parsed(t, `
engagement: {backend: "https://gwe.example.com:8443"}
calls:
  - {name: path, method: GET, url: "https://h.example.com/${interaction.id}/x?y=${event.sequence}"}
  - {name: query, method: GET, url: "HTTP://H.Example.com:8080?y=#ani#"}
  - {name: address, method: GET, url: "https://[2001:db8::7]/"}
`)
	origins := map[string]string{}
	for _, c := range set.Calls() {
		origins[c.Name] = c.Policy.Origin
	}
	assert.Equal(t, map[string]string{"path": "https://h.example.com:443", "query": "http://h.example.com:8080", "address": "https://[2001:db8::7]:443",
		"engage": "https://gwe.example.com:8443", "noengage": "https://gwe.example.com:8443"}, origins)
	for _, url := range []string{"https://${interaction.queue}/", "https://h.example.com:${event.sequence}/", "https://h.${user_data.x}.example.com/",
		"${user_data.scheme}://h.example.com/", "https://h#ani#/", "https://h.example.com${user_data.path}"} {
		_, err := config.Parse("t.yaml", []byte("calls: [{name: a, method: GET, url: '"+url+"'}]"))
		require.ErrorContains(t, err, "the scheme and the host of a URL cannot come from data", url)
	}
}

func TestAcceptSetsTheHeaderAndTheFormat(t *testing.T) {
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
		for _, h := range rendered(c, &interaction.View{}, &interaction.Event{}).Headers {
			if strings.EqualFold(h.Name, "Accept") {
				accept = append(accept, h.Value)
			}
		}
		assert.Equal(t, want.accept, accept, name)
	}
}

// YAML does not read the name of one of the policies as text.
func TestMissingMayBeNullWithoutQuotes(t *testing.T) {
	for written, want := range map[string]request.Missing{"null": "null", `"null"`: "null", "omit": "omit", "": "empty", "~": "empty"} {
		set := parsed(t, "calls: [{name: a, method: POST, url: 'http://h.example.com/', missing: "+written+"}]")
		c, _ := set.Call("a")
		assert.Equal(t, want, c.Template.Missing(), written)
	}
}

// A timer of contract.Timeouts that is not in the table of timers would be off for everybody.
func TestEveryTimerHasADefaultAndAKey(t *testing.T) {
	defaults := reflect.ValueOf(parsed(t, "").TimeoutsFor(interaction.ChannelChat))
	for i := range defaults.NumField() {
		field := defaults.Type().Field(i)
		assert.NotZero(t, defaults.Field(i).Interface(), field.Name)
		key := field.Tag.Get("json")
		set := parsed(t, "timeouts: {default: {"+key+": 7s}, channels: {chat: {"+key+": 8s}}}\nqueues: [{name: q, timeouts: {"+key+": 9s}}]")
		for want, timeouts := range map[time.Duration]contract.Timeouts{
			7 * time.Second: set.TimeoutsFor(interaction.ChannelEmail),
			8 * time.Second: set.TimeoutsFor(interaction.ChannelChat),
			9 * time.Second: set.TimeoutsForQueue(interaction.ChannelChat, "q"),
		} {
			assert.Equal(t, want, reflect.ValueOf(timeouts).Field(i).Interface(), field.Name)
		}
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
	text := "temporal: {address: 'file:1', namespace: file, task_queue: file, tls: {enabled: false}}\ntimeouts: {default: {offer: 1s, queue: 1m}}\n"
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

func TestAutoUpgradeChannelsMoveToNewVersions(t *testing.T) {
	versioned := "temporal: {build_id: 1.4.0%s}"
	for text, want := range map[string][]interaction.Channel{
		"temporal: {deployment: segue}":                                     nil, // without a build id there are no versions
		fmt.Sprintf(versioned, ""):                                          {"email", "sms", "web"},
		fmt.Sprintf(versioned, ", auto_upgrade: [chat, web]"):               {"chat", "web"},
		fmt.Sprintf(versioned, ", auto_upgrade: chat"):                      {"chat"},
		fmt.Sprintf(versioned, ", auto_upgrade: []"):                        nil,
		fmt.Sprintf(versioned, ", deployment: berlin, auto_upgrade: 'sms'"): {"sms"},
	} {
		set := parsed(t, text)
		var got []interaction.Channel
		for _, channel := range interaction.Channels() {
			if set.Temporal.AutoUpgrades(channel) {
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
		"\nSEGUE_TEMPORAL_API_KEY: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH")
	flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
	flags.String("log-level", "", "")
	require.NoError(t, flags.Parse([]string{"--log-level", "loud"}))
	_, err = config.Parse("f.yaml", nil, config.WithFlag("log.level", flags.Lookup("log-level")), config.WithValue("temporal.address", "a:1"), config.WithValue("temporal.api_key", ""),
		config.WithValue("temporal.tls.enabled", "false"))
	assert.EqualError(t, err, `--log-level: "loud" is not one of the values; use debug, info, warn, error`)
}

func TestTheEngagementBackendAddsItsCalls(t *testing.T) {
	set := parsed(t, "engagement: {backend: 'https://gwe.example.com:8081/'}")
	view := &interaction.View{Interaction: interaction.Facts{ID: "i-1"}}
	event := &interaction.Event{Moment: interaction.MomentEngage, Fields: map[string]any{"ixnProfile": map[string]any{"visitID": "v", "n": 1.0}}}
	firings, failed := set.Triggers.Match(view, event)
	require.Empty(t, failed)
	require.Equal(t, []trigger.Firing{{Call: "engage"}}, firings)
	c, _ := set.Call("engage")
	r := rendered(c, view, event)
	assert.Empty(t, r.Fault)
	assert.Equal(t, "https://gwe.example.com:8081/backend/data/gateway/engage", r.URL)
	assert.JSONEq(t, `{"ixnProfile":{"visitID":"v","n":1}}`, r.Body)
	assert.Equal(t, set.Version, r.Version)
	assert.False(t, r.Once)
	assert.Zero(t, r.Timeout, "the usual deadline is not carried")
	assert.Equal(t, []delivery.StatusRange{{From: 400, To: 400}}, c.Policy.Final)
	assert.True(t, c.BuiltIn)
	c, _ = set.Call("noengage")
	assert.Equal(t, "render: json.cancelData: ${event.cancelData}: no value", rendered(c, view, event).Fault)

	set = parsed(t, "engagement: {backend: 'https://gwe.example.com'}\ncalls: [{name: engage, method: POST, url: 'https://own.example.com/', text: x}]")
	firings, _ = set.Triggers.Match(view, event)
	require.Len(t, firings, 1)
	c, _ = set.Call("engage")
	assert.Equal(t, "https://own.example.com/", rendered(c, view, event).URL)
	assert.Len(t, set.Calls(), 2)
}

func TestTheVersionDependsOnTheContentOnly(t *testing.T) {
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
	assert.NotEqual(t, base, version(good), "the environment counts")
}

func TestAStoreKeepsItsSetWhenTheFileIsInvalid(t *testing.T) {
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
	require.EqualError(t, err, "config: this configuration was not read from a file and cannot be reloaded")
}

func TestTheExampleIsValidAndShowsEveryKey(t *testing.T) {
	set := parsed(t, string(config.Example))
	report := check.NewReport(set)
	var out bytes.Buffer
	require.NoError(t, report.Print(&out))
	assert.NotContains(t, out.String(), "cannot be rendered")
	assert.Len(t, report.Calls, 8)
	text := string(config.Example)
	for _, key := range []string{"name", "method", "url", "query", "headers", "json", "form", "xml", "soap", "service", "port", "text", "accept", "auth", "basic", "bearer", "api_key", "oauth2", "mtls", "sign",
		"timeout", "success", "final", "retriable", "idempotent", "order", "missing", "retry", "limits", "returns", "mappings", "when", "call", "segments", "legs", "from", "to", "channels", "queues",
		"business_processes", "dispositions", "if", "dry_run", "backend", "default", "overflow", "max_misses", "priorities", "weights", "priority", "scripts", "labels", "allow", "proxy", "username", "address", "namespace", "task_queue",
		"server_name", "level", "format", "failing_after", "recovered_after", "remind_every"} {
		assert.Contains(t, text, key+":")
	}
}

// A user who removes a line of the example must get what the line shows.
func TestTheExampleShowsTheDefaults(t *testing.T) {
	example, defaults := parsed(t, string(config.Example)), parsed(t, "calls: [{name: crm, method: GET, url: 'http://h.example.com/'}]")
	assert.Equal(t, defaults.Alerts, example.Alerts)
	assert.Equal(t, defaults.TimeoutsFor(interaction.ChannelInbound), example.TimeoutsFor(interaction.ChannelInbound))
	assert.Equal(t, defaults.Temporal, example.Temporal)
	assert.Equal(t, defaults.Log, example.Log)
	assert.Equal(t, defaults.Gateway, example.Gateway)
	assert.Equal(t, defaults.Metrics, example.Metrics)
	want, _ := defaults.Call("crm")
	got, _ := example.Call("crm")
	assert.Equal(t, want.Policy.Timeout, got.Policy.Timeout)
	assert.Equal(t, want.Policy.Success, got.Policy.Success)
	assert.Equal(t, want.Policy.Idempotent, got.Policy.Idempotent)
	assert.Equal(t, want.Policy.NotInline, got.Policy.NotInline)
	assert.Equal(t, want.Policy.DryRun, got.Policy.DryRun)
	assert.Equal(t, want.Policy.Order, got.Policy.Order)
	assert.Equal(t, want.Policy.Retry, got.Policy.Retry)
	assert.Equal(t, want.Policy.Limits, got.Policy.Limits)
	assert.Equal(t, want.Template.Missing(), got.Template.Missing())
}

func TestAlertRulesComeFromFileAndEnvironment(t *testing.T) {
	assert.Equal(t, contract.AlertRules{FailingAfter: 5 * time.Minute, RecoveredAfter: time.Minute, RemindEvery: 24 * time.Hour}, parsed(t, "").Alerts)
	set := parsed(t, "alerts: {failing_after: 10m, recovered_after: 0s, remind_every: 0s}")
	assert.Equal(t, contract.AlertRules{FailingAfter: 10 * time.Minute}, set.Alerts)
	t.Setenv("SEGUE_ALERTS_FAILING_AFTER", "2m")
	other := parsed(t, "alerts: {failing_after: 10m, recovered_after: 0s, remind_every: 0s}")
	assert.Equal(t, 2*time.Minute, other.Alerts.FailingAfter)
	assert.NotEqual(t, set.Version, other.Version)
}

func TestNoOtherHeaderOrParameterHasTheNameOfAKey(t *testing.T) {
	for key, want := range map[string]string{
		"name: Host":                      "calls[0].auth.api_key.name: the header Host is set by Segue itself; use another one, such as X-Api-Key",
		"name: webhook-id":                "calls[0].auth.api_key.name: the header Webhook-Id is set by Segue itself",
		"name: Content-Type":              "calls[0].auth.api_key.name: the header Content-Type is set by Segue itself",
		"name: X Key":                     "calls[0].auth.api_key.name: the name is not that of a header; use letters, digits and dashes",
		"name: x-own":                     `calls[0].auth.api_key.name: the call has another header or query parameter of this name; keep one`,
		"in: query, name: token":          `calls[0].auth.api_key.name: the call has another header or query parameter of this name; keep one`,
		"in: query, name: X-Own":          "",
		"in: header, name: token":         "",
		"in: query, name: Host":           "",
		"in: header, name: Authorization": "",
	} {
		_, err := config.Parse("t.yaml", []byte(`calls: [{name: a, method: GET, url: "https://h.example.com/", headers: [{name: X-Own, value: a}],
  query: [{name: token, value: b}], auth: {api_key: {`+key+`, key: env:K}}}]`))
		if want == "" {
			require.NoError(t, err, key)
			continue
		}
		require.ErrorContains(t, err, want, key)
	}
}

// No secret crosses a network in plain text because somebody forgot an s.
func TestCredentialsInPlainTextHaveToBeAllowed(t *testing.T) {
	const remedy = "; write https://, or set cleartext: true on the call in a network that you trust"
	const url, token = "calls[0].url: the call's credentials would cross the network in plain text" + remedy,
		"calls[0].auth.oauth2.token_url: the client's secret would cross the network in plain text" + remedy
	oauth2 := func(url string) string {
		return "{oauth2: {token_url: '" + url + "', client_id: env:I, client_secret: env:S}}"
	}
	for _, tc := range []struct{ url, auth, want string }{
		{"http://h.example.com/", "{basic: {username: env:U, password: env:P}}", url},
		{"http://h.example.com/", "{bearer: env:T}", url},
		{"http://10.0.0.7:8080/${interaction.id}", "{api_key: {name: X-Key, key: env:K}}", url},
		{"HTTP://crm?key=1", "{api_key: {in: query, name: k, key: env:K}}", url},
		{"http://localhost.example.com/", "{bearer: env:T}", url},
		{"http://[fd00::7]/", oauth2("https://id.example.com/"), url},
		{"https://h.example.com/", oauth2("http://id.example.com/token"), token},

		{"https://h.example.com/", "{bearer: env:T}", ""},
		{"http://h.example.com/", "{}", ""},
		{"http://h.example.com/", "{sign: {secrets: [env:S]}}", ""},
		{"http://127.0.0.1:8080/", "{bearer: env:T}", ""},
		{"http://127.8.0.1/", "{bearer: env:T}", ""},
		{"http://[::1]:80/", "{bearer: env:T}", ""},
		{"http://LocalHost/", oauth2("http://localhost:8081/token"), ""},
	} {
		call := "calls: [{name: a, method: GET, url: '" + tc.url + "', auth: " + tc.auth
		_, err := config.Parse("f.yaml", []byte(call+"}]"))
		if tc.want == "" {
			assert.NoError(t, err, tc.url)
			continue
		}
		assert.EqualError(t, err, "f.yaml:1: "+tc.want, tc.url)
		_, err = config.Parse("f.yaml", []byte(call+", cleartext: true}]"))
		assert.NoError(t, err, tc.url)
	}
}

func TestPlainTextToARemoteTemporalHasToBeAllowed(t *testing.T) {
	for text, refused := range map[string]bool{
		"{address: 'temporal:7233'}":                                           true,
		"{address: '10.0.0.7:7233', tls: {}}":                                  true,
		"{address: '[fd00::7]:7233'}":                                          true,
		"{address: 'temporal:7233', tls: {enabled: false}}":                    false,
		"{address: 'temporal:7233', tls: {enabled: true}}":                     false,
		"{address: 'temporal:7233', tls: {ca: file:ca.pem}}":                   false,
		"{address: 'temporal:7233', tls: {server_name: temporal.example.com}}": false,
		"{address: 'acme.tmprl.cloud:7233', api_key: env:K}":                   false,
		"{address: '127.0.0.1:7233'}":                                          false,
		"{address: '[::1]:7233'}":                                              false,
		"{address: 'localhost:7233'}":                                          false,
		"{}":                                                                   false,
	} {
		_, err := config.Parse("f.yaml", []byte("temporal: "+text))
		if !refused {
			assert.NoError(t, err, text)
			continue
		}
		assert.ErrorContains(t, err, "temporal.tls.enabled: the connection to Temporal at ", text)
		assert.ErrorContains(t, err, "set temporal.tls.enabled (SEGUE_TEMPORAL_TLS_ENABLED) to true, or to false in a network that you trust", text)
		t.Setenv("SEGUE_TEMPORAL_TLS_ENABLED", "false")
		_, err = config.Parse("f.yaml", []byte("temporal: "+text))
		assert.NoError(t, err, text)
		require.NoError(t, os.Unsetenv("SEGUE_TEMPORAL_TLS_ENABLED"))
	}
}
