package config_test

import (
	"strings"
	"testing"

	"segue/config"
	"segue/config/check"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// good is a valid file. Each mistake replaces a piece of it.
const good = `calls:
  - name: crm
    method: POST
    url: https://crm.example.com/calls/${interaction.id}
    headers:
      - {name: X-Agent, value: "${agent.id}"}
    json:
      id: ${interaction.id}
      deep: [1, {note: "ani #ani#"}]
    auth: {basic: {username: env:U, password: env:P}}
    timeout: 10s
    success: [2xx]
    retry: {schedule: [5s, 5m], jitter: 0.2}
    limits: {concurrency: 20, rate: 50, response: 64KiB}
  - name: other
    method: GET
    url: https://other.example.com/
triggers:
  - {when: interaction_starts, call: crm}
  - when: segment_change
    segments: [handling.agent, wrap_up]
    channels: [inbound]
    if: 'user_data.tier == "gold"'
    call: crm
engagement: {backend: "https://gwe.example.com:8081"}
timeouts:
  default: {offer: 30s}
  channels: {chat: {offer: 45s}}
queues:
  - {name: sales, overflow: backup, max_misses: 3, timeouts: {queue: 3m}}
desktop:
  scripts: [{channel: inbound, id: s1, name: "Sales"}]
  dispositions:
    - {channel: inbound, id: d1, value: SOLD}
guard: {allow: ["127.0.0.0/8"]}
temporal:
  address: 127.0.0.1:7233
log: {level: info}
`

// mistake replaces a piece of good. want is the error.
type mistake struct{ name, old, new, want string }

func mistakes() []mistake {
	return []mistake{
		{"method", "method: POST", "method: FETCH",
			`f.yaml:3: calls[0].method: "FETCH" is not a method; use GET, POST, PUT, PATCH, DELETE, TRACE, HEAD, OPTIONS`},
		{"accept", "    timeout: 10s", "    accept: yaml",
			`f.yaml:11: calls[0].accept: "yaml" is not a response format; use json, text, xml`},
		{"accept of soap", "  - name: other\n    method: GET", "  - name: other\n    accept: json\n    soap: {operation: Op}\n    method: POST",
			`f.yaml:16: calls[1].accept: a SOAP service responds in XML; remove accept`},
		{"values of a head", "    method: GET", "    method: HEAD\n    returns: [{from: a, to: b}]",
			`f.yaml:17: calls[1].returns: the response to a HEAD request has no body; remove returns, or use another method`},
		{"a port", "  - name: other\n    method: GET", "  - name: other\n    soap: {operation: Op, port: \"a b\"}\n    method: POST",
			`f.yaml:16: calls[1].soap.port: this is not a name that a WSDL can contain; write it as in the WSDL, or remove it`},
		{"a tag in a name", "{name: X-Agent", "{name: \"X#ani#\"",
			`f.yaml:6: calls[0].headers[0].name: a name cannot contain a data element, and #ani# would be sent as it is; put it into a value`},
		{"no method", "    method: POST\n", "",
			"f.yaml:2: calls[0].method: a call needs a method; use GET, POST, PUT, PATCH, DELETE, TRACE, HEAD, OPTIONS"},
		{"unknown key", "    timeout: 10s", "    time_out: 10s",
			"f.yaml:11: calls[0].time_out: there is no such key; did you mean timeout?"},
		{"unknown top key", "guard:", "gaurd:",
			"f.yaml:35: gaurd: there is no such key; did you mean guard?"},
		{"unknown body", "    json:\n", "    yaml:\n",
			"f.yaml:7: calls[0].yaml: there is no such key; did you mean name?"},
		{"duplicate key", "    success: [2xx]", "    timeout: 5s",
			"f.yaml:12: calls[0].timeout: the key is given twice, first in line 11; keep one"},
		{"duplicate call", "- name: other", "- name: crm",
			`f.yaml:15: calls[1].name: the name "crm" is used twice, first in line 2; use another name`},
		{"bad name", "- name: other", "- name: a b",
			`f.yaml:15: calls[1].name: "a b" is not a name; use letters, digits, dots, dashes and underscores, at most 64`},
		{"wrong type: list for text", "url: https://other.example.com/", "url: [a]",
			"f.yaml:17: calls[1].url: expected text, found a list; write one value"},
		{"wrong type: number for text", "- name: other", "- name: 12",
			"f.yaml:15: calls[1].name: expected text, found the number 12; put it in quotes"},
		{"wrong type: text for list", "headers:\n      - {name: X-Agent, value: \"${agent.id}\"}", "headers: X-Agent",
			`f.yaml:5: calls[0].headers: expected a list, found the text "X-Agent"; write [ … ] or lines that begin with -`},
		{"wrong type: text for number", "concurrency: 20", "concurrency: many",
			`f.yaml:14: calls[0].limits.concurrency: expected a whole number, found the text "many"; write it without quotes and without a unit`},
		{"wrong type: text for block", "limits: {concurrency: 20, rate: 50, response: 64KiB}", "limits: none",
			`f.yaml:14: calls[0].limits: expected a block of keys, found the text "none"; write {key: value} or indented keys`},
		{"wrong type: text for bool", "    success: [2xx]", "    idempotent: yes please",
			`f.yaml:12: calls[0].idempotent: expected true or false, found the text "yes please"; write true or false`},
		{"duration", "timeout: 10s", "timeout: 10",
			`f.yaml:11: calls[0].timeout: "10" is not a duration; write it as 30s, 5m or 1h30m`},
		{"duration in a list", "schedule: [5s, 5m]", "schedule: [5s, soon]",
			`f.yaml:13: calls[0].retry.schedule[1]: "soon" is not a duration; write it as 30s, 5m or 1h30m`},
		{"duration out of range", "timeout: 10s", "timeout: 11m",
			"f.yaml:11: calls[0].timeout: 11m0s is out of range; write 10ms to 10m0s"},
		{"negative duration", "{offer: 30s}", "{offer: -1s}",
			`f.yaml:27: timeouts.default.offer: "-1s" is negative; write 0s or more`},
		{"jitter", "jitter: 0.2", "jitter: 2",
			"f.yaml:13: calls[0].retry.jitter: 2 is out of range; write 0 to 1"},
		{"concurrency", "concurrency: 20", "concurrency: -1",
			"f.yaml:14: calls[0].limits.concurrency: -1 is out of range; write 0 to 10000"},
		{"size", "64KiB", "64 kilos",
			`f.yaml:14: calls[0].limits.response: "64 kilos" is not a size; write it as 64KiB or 1MiB`},
		{"status", "[2xx]", "[2xx, 6xx]",
			`f.yaml:12: calls[0].success[1]: "6xx" is not an HTTP status; write 2xx, 404 or 200-204`},
		{"class", "success: [2xx]", "final: [409, tsl]",
			`f.yaml:12: calls[0].final[1]: "tsl" is neither an HTTP status nor an outcome class; write 2xx, 404 or 200-204; did you mean tls?`},
		{"class that no call decides about", "success: [2xx]", "retriable: render",
			`f.yaml:12: calls[0].retriable[0]: "render" is neither an HTTP status nor an outcome class; write 2xx, 404 or 200-204; did you mean reset?`},
		{"class both ways", "success: [2xx]", "final: tls\n    retriable: [dns, tls]",
			`f.yaml:13: calls[0].retriable: "tls" is in final too; keep it in one of the two`},
		{"order", "success: [2xx]", "order: fifo",
			`f.yaml:12: calls[0].order: "fifo" is not an order; use block, skip, unordered`},
		{"missing", "success: [2xx]", "missing: drop",
			`f.yaml:12: calls[0].missing: "drop" is not a policy for missing values; use empty, omit, null or park`},
		{"url", "url: https://other.example.com/", "url: other.example.com",
			`f.yaml:17: calls[1].url: the scheme of a URL is http or https; write https://host/path`},
		{"expression in a body", "id: ${interaction.id}\n      deep", "id: ${interaction.idd}\n      deep",
			"f.yaml:8: calls[0].json.id: column 14: there is no field idd in ${interaction.idd}; did you mean id?"},
		{"element in a body", "#ani#", "#anni#",
			`f.yaml:9: calls[0].json.deep[1].note: there is no data element #anni#; did you mean #ani#? for your own data write ${user_data.anni}, to send the text itself ${"#anni#"}`},
		{"expression in a header", "${agent.id}", "${agent.id",
			"f.yaml:6: calls[0].headers[0].value: column 1: ${ has no closing } in ${agent.id; to send ${ itself, write ${\"${\"}"},
		{"secret", "password: env:P", "password: hunter2",
			"f.yaml:10: calls[0].auth.basic.password: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH"},
		{"two kinds of auth", "auth: {basic: {username: env:U, password: env:P}}", "auth: {bearer: env:T, mtls: {certificate: file:C, key: file:K}}",
			"f.yaml:10: calls[0].auth.mtls: a call authenticates in one way, and bearer is given too; keep one"},
		{"parameter of the grant itself", "auth: {basic: {username: env:U, password: env:P}}", "auth: {oauth2: {token_url: 'https://h/', client_id: env:I, client_secret: env:S, params: [{name: client_secret, value: hunter2}]}}",
			`f.yaml:10: calls[0].auth.oauth2.params[0].name: Segue sets the parameter of this name; use client_secret`},
		{"client certificate without TLS", "url: https://other.example.com/", "url: http://other.example.com/\n    auth: {mtls: {certificate: file:C, key: file:K}}",
			"f.yaml:18: calls[1].auth.mtls: the call's URL is not https; write https://… as its url, or remove mtls"},
		{"authority without TLS", "url: https://other.example.com/", "url: http://other.example.com/\n    tls: {ca: file:CA}",
			"f.yaml:18: calls[1].tls: the call's URL is not https; write https://… as its url, or remove tls"},
		{"authority itself", "    timeout: 10s", "    tls: {ca: hunter2}",
			"f.yaml:11: calls[0].tls.ca: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH"},
		{"server name", "    timeout: 10s", "    tls: {server_name: 'https://x'}",
			`f.yaml:11: calls[0].tls.server_name: this is not a host name; write the name in the server's certificate`},
		{"authority of a token URL without TLS", "auth: {basic: {username: env:U, password: env:P}}", "auth: {oauth2: {token_url: 'http://localhost/', client_id: env:I, client_secret: env:S, tls: {ca: file:CA}}}",
			"f.yaml:10: calls[0].auth.oauth2.tls: the token URL is not https; write https://… as token_url, or remove tls"},
		{"authority of a token URL itself", "auth: {basic: {username: env:U, password: env:P}}", "auth: {oauth2: {token_url: 'https://h/', client_id: env:I, client_secret: env:S, tls: {ca: hunter2}}}",
			"f.yaml:10: calls[0].auth.oauth2.tls.ca: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH"},
		{"unknown key of tls", "    timeout: 10s", "    tls: {ca_file: file:CA}",
			"f.yaml:11: calls[0].tls.ca_file: there is no such key; use ca, server_name"},
		{"trigger without its call", "interaction_starts, call: crm", "interaction_starts, call: cmr",
			`f.yaml:19: triggers[0].call: there is no call "cmr"; did you mean crm? use crm, other, engage, noengage`},
		{"moment", "when: interaction_starts", "when: [survey, inbound.call_ends]",
			`f.yaml:19: triggers[0].when[1]: "inbound.call_ends" is not a moment; did you mean inbound.call_end?`},
		{"segment", "handling.agent", "handling.agents",
			`f.yaml:21: triggers[1].segments[0]: "handling.agents" is not a segment; it exists on channel, business_process, agent`},
		{"channel of a trigger", "channels: [inbound]", "channels: [inbond]",
			`f.yaml:22: triggers[1].channels[0]: "inbond" is not a channel; did you mean inbound? use inbound, outbound, cloud_routing, track_number, chat, email, sms, web`},
		{"condition", `user_data.tier == "gold"`, `user_dat.tier == "gold"`,
			`f.yaml:23: triggers[1].if: column 1: there is no user_dat in user_dat.tier == "gold"; did you mean user_data? use interaction, agent, previous_agent, event, user_data, disposition, survey, durations, delivery`},
		{"backend", "https://gwe.example.com:8081", "gwe.example.com",
			`f.yaml:25: engagement.backend: "gwe.example.com" is not the URL of a backend; write https://host:port`},
		{"channel of a timeout", "{chat: {offer: 45s}}", "{fax: {offer: 45s}}",
			`f.yaml:28: timeouts.channels.fax: "fax" is not a channel; use inbound, outbound, cloud_routing, track_number, chat, email, sms, web`},
		{"unknown timeout", "{chat: {offer: 45s}}", "{chat: {offers: 45s}}",
			"f.yaml:28: timeouts.channels.chat.offers: there is no such key; did you mean offer? use offer, queue, wrap_up, engagement, lifetime, late_events, orphan, sequence_gap"},
		{"wait for a number", "{chat: {offer: 45s}}", "{chat: {sequence_gap: 61s}}",
			"f.yaml:28: timeouts.channels.chat.sequence_gap: 1m1s is out of range; write 0s to 1m0s"},
		{"wait for a number in a queue", "timeouts: {queue: 3m}", "timeouts: {sequence_gap: 2m}",
			"f.yaml:30: queues[0].timeouts.sequence_gap: 2m0s is out of range; write 0s to 1m0s"},
		{"wait for a number by default", "{offer: 30s}", "{offer: 30s, sequence_gap: 2h}",
			"f.yaml:27: timeouts.default.sequence_gap: 2h0m0s is out of range; write 0s to 1m0s"},
		{"overflow into itself", "overflow: backup", "overflow: sales",
			"f.yaml:30: queues[0].overflow: a queue cannot overflow into itself; name another queue, or remove overflow"},
		{"queue without a name", "{name: sales, ", "{",
			"f.yaml:30: queues[0].name: the name is missing; write name: …"},
		{"call of desktops that does not exist", "desktop:\n", "desktop:\n  call: cmr\n",
			`f.yaml:32: desktop.call: there is no call "cmr"; did you mean crm? use crm, other, engage, noengage`},
		{"call of desktops beside lists", "desktop:\n", "desktop:\n  call: crm\n",
			`f.yaml:32: desktop.call: scripts and dispositions are listed here, too; remove call, or scripts and dispositions`},
		{"call of desktops that is built in", "desktop:\n", "desktop:\n  call: engage\n",
			`f.yaml:32: desktop.call: the call "engage" gets no response with scripts and dispositions; name another call`},
		{"disposition without a value", ", value: SOLD", "",
			"f.yaml:34: desktop.dispositions[0].value: the code to record is missing; write value: SOLD"},
		{"script of no channel", "{channel: inbound, id: s1", "{channel: phone, id: s1",
			`f.yaml:32: desktop.scripts[0].channel: "phone" is not a channel; use inbound, outbound, cloud_routing, track_number, chat, email, sms, web`},
		{"guard", "127.0.0.0/8", "127.0.0.0/80",
			`f.yaml:35: guard.allow[0]: "127.0.0.0/80" is not an address, range or host; write "10.0.0.0/8", "192.0.2.7" or a host name, with or without ports, as in "crm.internal:443" and "[fd00::/8]:8000-8999"`},
		{"guard with a port", "127.0.0.0/8", "crm.internal:https",
			`f.yaml:35: guard.allow[0]: "crm.internal:https" is not an address, range or host; write "10.0.0.0/8", "192.0.2.7" or a host name, with or without ports, as in "crm.internal:443" and "[fd00::/8]:8000-8999"`},
		{"proxy", `guard: {allow: ["127.0.0.0/8"]}`, `guard: {proxy: {url: "http://user:hunter2@proxy.internal:3128"}}`,
			"f.yaml:35: guard.proxy.url: this is not the URL of a proxy, or it contains a secret; write http://host:port; set the user name and the password with username and password"},
		{"proxy's password itself", `guard: {allow: ["127.0.0.0/8"]}`, `guard: {proxy: {url: "http://proxy.internal:3128", username: env:U, password: hunter2}}`,
			"f.yaml:35: guard.proxy.password: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH"},
		{"proxy without its password", `guard: {allow: ["127.0.0.0/8"]}`, `guard: {proxy: {url: "http://proxy.internal:3128", username: env:U}}`,
			"f.yaml:35: guard.proxy.username: a proxy's user name and password go together; set both guard.proxy.username and guard.proxy.password"},
		{"no proxy to log in to", `guard: {allow: ["127.0.0.0/8"]}`, `guard: {proxy: {username: env:U, password: env:P}}`,
			"f.yaml:35: guard.proxy.username: there is no proxy; set guard.proxy.url too"},
		{"address", "127.0.0.1:7233", "localhost",
			`f.yaml:37: temporal.address: "localhost" is not an address; write host:port with a port from 0 to 65535`},
		{"deployment", "  address: 127.0.0.1:7233", "  deployment: a.b",
			`f.yaml:37: temporal.deployment: "a.b" is not the name of a deployment; use letters, digits, dashes and underscores, at most 64`},
		{"build id", "  address: 127.0.0.1:7233", "  build_id: 'a b'",
			`f.yaml:37: temporal.build_id: "a b" is not a build id; use letters, digits, dots, dashes, underscores and pluses, at most 100, such as 1.4.0 or a commit`},
		{"channel that upgrades", "  address: 127.0.0.1:7233", "  auto_upgrade: [email, fax]",
			`f.yaml:37: temporal.auto_upgrade: "fax" is not a channel; use inbound, outbound, cloud_routing, track_number, chat, email, sms, web`},
		{"list of lists", "  address: 127.0.0.1:7233", "  auto_upgrade: [[email]]",
			"f.yaml:37: temporal.auto_upgrade: expected one value, found a list; write one value"},
		{"level", "level: info", "level: chatty",
			`f.yaml:38: log.level: "chatty" is not one of the values; use debug, info, warn, error`},
		{"syntax", "triggers:\n", "triggers: [\n",
			"f.yaml:18: is not YAML: a [ or { is not closed; close it; put a value that begins with one of them in quotes"},
		{"second document", "log: {level: info}\n", "log: {level: info}\n---\na: b\n",
			"f.yaml:39: a second document begins here; keep one document, and remove ---"},
		{"merge key", "log: {level: info}", "log: {<<: {level: info}}",
			"f.yaml:38: log.<<: a key must be a plain name; write the keys out"},
		{"soap version", "    json:\n      id: ${interaction.id}\n      deep: [1, {note: \"ani #ani#\"}]\n", "    soap: {version: 3, operation: Op}\n",
			`f.yaml:7: calls[0].soap.version: "3" is not a version of SOAP; use "1.1" or "1.2"`},
		{"two bodies", "    timeout: 10s", "    text: x",
			"f.yaml:11: calls[0].text: a call has one body, and json is given too; keep one of json, text"},
		{"disposition code as a trigger's word", "channels: [inbound]", "dispositions: [null]",
			"f.yaml:22: triggers[1].dispositions[0]: expected text, found nothing; write one value"},
		{"half of a pair", `{name: X-Agent, value: "${agent.id}"}`, `{value: "${agent.id}"}`,
			"f.yaml:6: calls[0].headers[0].name: the name is missing; write {name: …, value: …}"},
		{"token without its client", "auth: {basic: {username: env:U, password: env:P}}", "auth: {oauth2: {token_url: 'https://h/', client_id: env:I}}",
			"f.yaml:10: calls[0].auth.oauth2.client_secret: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH"},
		{"too many secrets", "    timeout: 10s", "    sign: {secrets: [env:A, env:B, env:C, env:D, env:E, env:F]}",
			"f.yaml:11: calls[0].sign.secrets: a signature has one to five secrets, not 6; write secrets: [env:NAME], the newest first"},
		{"return without a place", "    timeout: 10s", "    returns: [{from: tier}]",
			"f.yaml:11: calls[0].returns[0]: from or to is missing; write {from: key of the response, to: key of user data}"},
		{"misses", "max_misses: 3", "max_misses: -3",
			"f.yaml:30: queues[0].max_misses: -3 is out of range; write 0 to 1000"},
		{"trigger without a call", "interaction_starts, call: crm", "interaction_starts",
			"f.yaml:19: triggers[0].call: a trigger needs a call; write the name of a call"},
	}
}

func TestEachMistakeIsOneErrorWithItsLine(t *testing.T) {
	_, err := config.Parse("f.yaml", []byte(good))
	require.NoError(t, err)
	for _, c := range mistakes() {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, good, c.old)
			set, err := config.Parse("f.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
			assert.Nil(t, set)
			require.EqualError(t, err, c.want)
			require.IsType(t, config.Errors{}, err)
			assert.Len(t, err, 1)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestAllMistakesAreListedInTheOrderOfTheFile(t *testing.T) {
	text := good
	for _, change := range [][2]string{{"level: info", "level: x"}, {"method: POST", "method: X"}, {"call: crm}", "call: x}"}, {"30s", "x"}, {"#ani#", "#x#"}} {
		text = strings.Replace(text, change[0], change[1], 1)
	}
	_, err := config.Parse("f.yaml", []byte(text))
	var lines []int
	for _, e := range err.(config.Errors) {
		lines = append(lines, e.Line)
	}
	assert.Equal(t, []int{3, 9, 19, 27, 38}, lines)
	assert.Equal(t, config.Error{File: "f.yaml", Line: 3, Path: "calls[0].method", Value: "X", Problem: `"X" is not a method`,
		Remedy: "use GET, POST, PUT, PATCH, DELETE, TRACE, HEAD, OPTIONS"}, err.(config.Errors)[0])
}

func TestTheListOfMistakesIsBounded(t *testing.T) {
	_, err := config.Parse("f.yaml", []byte("calls:\n"+strings.Repeat("  - {nam: x}\n", 400)))
	assert.Len(t, err, 101)
	assert.ErrorContains(t, err, "more mistakes")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add(config.Example)
	f.Add([]byte("calls: [{name: a, method: GET, url: 'http://h/', json: &a {b: *a}}]"))
	f.Add([]byte("a: &a [*a]\ncalls: *a"))
	f.Add([]byte("? [a]\n: b"))
	schema := compiledSchema(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := config.Parse("f.yaml", data)
		if (set == nil) == (err == nil) {
			t.Fatalf("a set or errors: %v, %v", set, err)
		}
		if set != nil {
			require.NoError(t, schemaRefuses(t, schema, data), "what the loader takes the schema takes")
			again, err := config.Parse("f.yaml", data)
			require.NoError(t, err)
			require.Equal(t, set.Version, again.Version)
			check.NewReport(set)
		}
	})
}
