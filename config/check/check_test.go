package check_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"segue/config"
	"segue/config/check"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parsed(t testing.TB, text string) *config.Set {
	t.Helper()
	set, err := config.Parse("f.yaml", []byte(text))
	require.NoError(t, err)
	return set
}

func TestReportShowsAlertsAndWarnsOfValuesTheyDoNotHave(t *testing.T) {
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
	report := check.NewReport(set)
	assert.Equal(t, []string{
		"triggers[1].if (call pager) at operator.delivery_failing: no value at this moment for interaction.queue",
		"call pager at operator.delivery_failing: no value at this moment for #ani#, event.typo, interaction.id: it is sent empty (missing: empty)",
	}, report.Warnings)
	require.Len(t, report.Calls[1].Samples, 2)
	assert.Empty(t, report.Calls[1].Samples[0].Channel, "an alert belongs to no interaction")
	var text strings.Builder
	require.NoError(t, report.Print(&text))
	assert.Contains(t, text.String(), "  at operator.delivery_failing\n")
	assert.Contains(t, text.String(), "  at fault, inbound\n")
	alert := report.Calls[1].Samples[0].Request
	assert.Equal(t, "https://pager.example.com/", alert.URL)
	assert.Equal(t, "crm http_5xx 503 HTTP 503 Service Unavailable 2026-01-15T09:30:00Z 300 12 1 1 default/sample-1 msg_sample"+
		" operator.delivery_failing 2026-01-15T09:35:00Z 1   ", alert.Body)
	assert.Contains(t, report.Calls[1].Samples[1].Request.Body, "crm gone 410 ")
}

// A call is not fired by alerts about itself.
func TestReportWarnsOfAlertsThatFireNoCall(t *testing.T) {
	report := check.NewReport(parsed(t, `
calls: [{name: crm, method: GET, url: "https://crm.example.com/"}]
triggers:
  - {when: interaction_starts, call: crm}
  - {when: [operator.breaker_open, operator.delivery_failing], call: crm}
`))
	assert.Equal(t, []string{
		"triggers[1] (call crm) can never fire at operator.breaker_open: a call is not fired by its own alerts, and no other call is fired by interactions",
	}, report.Warnings)
}

// The report shows the references of secrets. It hides plain text in the file that looks like
// a secret.
func TestReportShowsAuthWithoutSecrets(t *testing.T) {
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
	report := check.NewReport(set)
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

func TestReportWarnsOfCallsThatTheGuardBlocks(t *testing.T) {
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
	}, check.NewReport(set).Warnings)
}

func TestReportRendersSamplesAndWarns(t *testing.T) {
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
	report := check.NewReport(set)
	assert.Equal(t, []string{
		"triggers[1] (call crm) can never fire: it is a moment of inbound, and channels has only chat",
		"call crm at interaction_starts: no value at this moment for disposition.code: it is sent empty (missing: empty)",
		"call crm: header X-Api-Token, parameter api_key looks like a credential, which would be in every history: use auth",
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

func TestReportMarksDryRuns(t *testing.T) {
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
	report := check.NewReport(set)
	assert.Empty(t, report.Warnings)
	assert.True(t, report.Calls[0].DryRun)
	assert.False(t, report.Calls[0].Samples[0].DryRun)
	assert.False(t, report.Calls[1].DryRun)
	assert.True(t, report.Calls[1].Samples[0].DryRun, "its only trigger is a dry run")
	assert.False(t, report.Calls[1].Samples[1].DryRun, "another trigger sends it")
	var out bytes.Buffer
	require.NoError(t, report.Print(&out))
	assert.Contains(t, out.String(), "call crm (timeout 10s, 9 retries, dry run: never sent)")
	assert.Contains(t, out.String(), "at interaction_starts, inbound (dry run: recorded, not sent)")
	assert.Contains(t, out.String(), "at interaction_ends, inbound\n")
}

func TestReportWarnsOfValuesThatDoNotExistYet(t *testing.T) {
	warnings := func(missing, trigger, value string) []string {
		report := check.NewReport(parsed(t, `
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
			list("call crm at interaction_starts: no value at this moment for #agent_disposition#, #agent_notes#, disposition.agent: it is sent empty (missing: empty)")},
		{"omit", "when: interaction_starts", "#agent_disposition#", list("call crm at interaction_starts: no value at this moment for #agent_disposition#: it is left out (missing: omit)")},
		{`"null"`, "when: cloud_routing.start", "${disposition.code}",
			list("call crm at cloud_routing.start: no value at this moment for disposition.code: it is sent as null, or empty where there is no null (missing: null)")},
		{"park", "when: interaction_starts", "#call_result#", list(
			"call crm at interaction_starts: no value at this moment for #call_result#: it parks the delivery (missing: park)",
			"call crm cannot be rendered at interaction_starts with sample data: render: json.v: #call_result#: no value")},
		{"empty", "when: segment_change, segments: [interaction_starts.channel]", "${disposition.code}",
			list("call crm at segment_change interaction_starts.channel: no value at this moment for disposition.code: it is sent empty (missing: empty)")},
		{"empty", "when: interaction_starts", "#agent_id# #ani#", list("call crm at interaction_starts: a value for #agent_id# only if the start names an agent; otherwise it is sent empty (missing: empty)")},
		{"empty", "when: inbound.call_end", "#agent_disposition# #agent_id# ${interaction.outcome}", list(
			"call crm at inbound.call_end: a value for #agent_disposition# only if an agent has given a disposition before; otherwise it is sent empty (missing: empty)",
			"call crm at inbound.call_end: a value for interaction.outcome only if no agent wraps up; otherwise it is sent empty (missing: empty)")},
		{"empty", "when: chat.new", "#dequeue_time# ${agent.id}", list("call crm at chat.new: no value at this moment for #dequeue_time#, agent.id: it is sent empty (missing: empty)")},
		{"empty", "when: [inbound.dtmf, inbound.queue_event]", "#dtmf#", list("call crm at inbound.queue_event: no value at this moment for #dtmf#: it is sent empty (missing: empty)")},
		{"empty", "when: survey", "${event.segment}", list("call crm at survey: no value at this moment for event.segment: it is sent empty (missing: empty)")},
		{"empty", "when: track_number.call_end", "#agent_id#", list("call crm at track_number.call_end: a value for #agent_id# only if the platform assigned an agent; otherwise it is sent empty (missing: empty)")},
		{"empty", "when: [interaction_ends, inbound.disposition]", "#agent_disposition# #call_end# #enqueue_time# #agent_wrap_time# #recording_url# ${survey} ${event.at}", nil},
		{"empty", "when: interaction_ends", "${interaction.outcome} #call_result# ${previous_agent.id} ${interaction.disconnected_at}", nil},
		{"empty", "when: segment_change", "${event.segment} ${agent.id}", nil},
	}
	for _, c := range cases {
		assert.Equal(t, c.want, warnings(c.missing, c.trigger, c.value), c.trigger+" "+c.value)
	}
}

func TestReportRendersEachOccasion(t *testing.T) {
	report := check.NewReport(parsed(t, `
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
	assert.Contains(t, report.Warnings, "triggers[2] (call crm) can never fire: no change of a leg matches segments, legs, from and to together")
	var out bytes.Buffer
	require.NoError(t, report.Print(&out))
	assert.Contains(t, out.String(), "at segment_change handling.agent, chat\n")
	assert.Contains(t, out.String(), "at outbound.disposition, outbound, disposition CALLBACK\n")
}

// The examples of both systems have no mistake, no warning, and a request for each call and
// moment.
func TestTheExamplesOfBothSystemsAreClean(t *testing.T) {
	for file, samples := range map[string]int{"ecs.yaml": 32, "engage-voice.yaml": 30} {
		set, err := config.Load("../../examples/" + file)
		require.NoError(t, err)
		report := check.NewReport(set)
		assert.Empty(t, report.Warnings, file)
		n := 0
		for _, c := range report.Calls {
			assert.NotEmpty(t, c.Samples, c.Name)
			n += len(c.Samples)
		}
		assert.Equal(t, samples, n, file)
	}
}

func TestReportWarnsThatARateIsPerWorker(t *testing.T) {
	set, err := config.Parse("f.yaml", []byte("calls: [{name: crm, method: GET, url: 'https://h.example.com/', limits: {rate: 10}}]\ntriggers: [{when: survey, call: crm}]"))
	require.NoError(t, err)
	assert.Contains(t, strings.Join(check.NewReport(set).Warnings, "\n"), "call crm: limits.rate of 10 per second applies to each worker")
}

func TestTheReportShowsTheGatewayWithoutSecrets(t *testing.T) {
	set, err := config.Parse("f.yaml", []byte(`
gateway:
  address: 0.0.0.0:8080
  auth:
    api_keys: [{name: old, sha256: 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683, role: agent, agent: a-1, contact_centers: [berlin], expires: 2020-01-31}]
    users: [{name: anna, password: env:ANNA, role: platform, contact_centers: ["*"]}]
  cors: ["https://*.example.com"]
`))
	require.NoError(t, err)
	report := check.NewReport(set)
	var out bytes.Buffer
	require.NoError(t, report.Print(&out))
	assert.Contains(t, out.String(), `gateway: http://0.0.0.0:8080
  API key old: agent a-1 of berlin, until 2020-01-31T00:00:00Z
  user anna: platform of all contact centers
  pages of https://*.example.com
bus: embedded on 127.0.0.1:4222
`)
	assert.NotContains(t, out.String(), "2c70e12b")
	assert.Equal(t, []string{"gateway.auth.api_keys[0] (old) has expired",
		"gateway.address 0.0.0.0:8080: credentials cross the network in plain text; set gateway.tls, or, behind a proxy with TLS, gateway.public_url to https://…"}, report.Warnings)
}
