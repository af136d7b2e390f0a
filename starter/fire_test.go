package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// target is a receiver that keeps the last request and sends a given response.
type target struct {
	*httptest.Server
	requests int
	header   http.Header
	uri      string
	body     string
	status   int
	answer   string
}

// atTarget orders what a test and its targets write: only the network connects them.
var atTarget sync.Mutex

// fire runs the command line while the test reads no target.
func fire(t *testing.T, args ...string) outcome {
	t.Helper()
	meet()       // the target sees what the test has set up
	defer meet() // the test sees what the target has recorded
	return segue(t, args...)
}

func meet() {
	atTarget.Lock()
	defer atTarget.Unlock()
}

func newTarget(t *testing.T) *target {
	r := &target{status: 200}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body) // an incomplete body fails the comparison
		atTarget.Lock()
		defer atTarget.Unlock()
		r.requests++
		r.header, r.uri, r.body = in.Header.Clone(), in.RequestURI, string(body)
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

// firedResult is what `check --fire --json` prints.
type firedResult struct {
	OK       bool
	When     string
	Written  bool
	Response string
	Request  struct {
		URL, Body string
		Headers   []struct{ Name, Value string }
	}
	Outcome struct {
		Code                    int
		Class, Verdict, Message string
		RetryIn                 int64 `json:"retry_in"`
		Returns                 map[string]any
		Excerpt                 string
	}
	Next string
}

const fireSecret = "s3cr3t-fire-0001"

func fireConfig(t *testing.T, url string) string {
	secret := fileOf(t, "secret", fireSecret)
	return fileOf(t, "fire.yaml", strings.NewReplacer("URL", url, "SECRET", "file:"+secret).Replace(`
calls:
  - name: crm
    method: POST
    url: URL/calls/${interaction.id}?tier=${user_data.tier}
    headers: [{name: X-Try, value: "${delivery.attempt}"}]
    json: {agent: "${agent.id}", code: "${disposition.code}", digits: "${event.digits}", queue: "${event.queue}", when: "${event.when}"}
    auth: {bearer: SECRET}
    returns: [{from: tier, to: crm_tier}]
  - {name: draft, method: POST, url: URL/draft, dry_run: true, text: "${interaction.id}"}
  - {name: strict, method: POST, url: URL/strict, missing: park, text: "${disposition.code}"}
  - {name: soap, method: POST, url: URL/soap, soap: {operation: Op}}
  - {name: away, method: GET, url: "http://169.254.169.254/latest", retry: {schedule: []}}
  - {name: skipping, method: GET, url: URL/skipping, order: skip}
triggers:
  - {when: [interaction_ends, inbound.dtmf], call: crm, dry_run: true}
  - {when: interaction_starts, call: strict}
guard: {allow: ["127.0.0.0/8"]}
`))
}

func fireInto(t *testing.T, want int, args ...string) firedResult {
	t.Helper()
	result := fire(t, append([]string{"check", "--json"}, args...)...)
	require.Equal(t, want, result.code, result.errs+result.out)
	require.NotContains(t, result.out+result.errs, fireSecret)
	var fired firedResult
	require.NoError(t, json.Unmarshal([]byte(result.out), &fired))
	require.Equal(t, fired.Outcome.Class != "render", strings.Contains(result.errs, "Sending a real request to "), result.errs)
	require.Equal(t, want == 0, fired.OK)
	return fired
}

func TestFireSendsOneCallForReal(t *testing.T) {
	r := newTarget(t)
	r.answer = `{"tier":"gold","echo":"` + fireSecret + `"}`
	file := fireConfig(t, r.URL)

	fired := fireInto(t, 0, file, "--fire", "crm")
	require.Equal(t, 1, r.requests, "the request is sent although the trigger is a dry run")
	require.Equal(t, "interaction_ends", fired.When)
	require.Equal(t, "Bearer "+fireSecret, r.header.Get("Authorization"))
	require.Equal(t, "1", r.header.Get("X-Try"))
	require.True(t, strings.HasPrefix(r.header.Get("webhook-id"), "msg_check_"))
	require.Equal(t, "/calls/sample-1?tier=%3Ctier%3E", r.uri)
	require.Equal(t, r.body, fired.Request.Body)
	require.Equal(t, r.URL+r.uri, fired.Request.URL)
	require.True(t, fired.Written)
	for _, h := range fired.Request.Headers {
		switch h.Name {
		case "Authorization":
			require.Equal(t, "Bearer ***", h.Value)
		case "Host":
			require.Equal(t, strings.TrimPrefix(r.URL, "http://"), h.Value)
		default:
			require.Equal(t, r.header.Get(h.Name), h.Value, h.Name)
		}
	}
	require.Len(t, fired.Request.Headers, len(r.header)+1)
	require.Equal(t, `{"tier":"gold","echo":"[secret]"}`, fired.Response)
	require.Equal(t, map[string]any{"crm_tier": "gold"}, fired.Outcome.Returns)
	require.Equal(t, "nothing: the request is delivered", fired.Next)

	first := r.header.Get("webhook-id")
	words := fire(t, "check", file, "--fire", "crm", "--when", "inbound.dtmf")
	require.Equal(t, 0, words.code)
	require.NotEqual(t, first, r.header.Get("webhook-id"), "with the same id, the receiver would take it for a repetition")
	for _, part := range []string{"call crm at inbound.dtmf\n", "  POST " + r.URL, "  Authorization: Bearer ***\n", "ok, HTTP/1.1 200 OK, ",
		"user data: crm_tier = gold\n", "next: nothing: the request is delivered\n"} {
		require.Contains(t, words.out, part)
	}
	require.NotContains(t, words.out+words.errs, fireSecret)
}

func TestFireShowsWhatAWorkerWouldDoAfterAFailure(t *testing.T) {
	r := newTarget(t)
	file := fireConfig(t, r.URL)

	r.status, r.answer = 503, "later\x1b[2J"
	fired := fireInto(t, 1, file, "--fire", "crm")
	require.Equal(t, "http_5xx", fired.Outcome.Class)
	require.Equal(t, 503, fired.Outcome.Code)
	require.Positive(t, fired.Outcome.RetryIn)
	require.Regexp(t, `^attempt 2 of 10 in \d.*s; later deliveries of this call for the interaction wait$`, fired.Next)
	require.NotContains(t, fire(t, "check", file, "--fire", "crm").out, "\x1b", "a response cannot control the terminal")

	r.status = 410
	require.Regexp(t, "^parked for 720h0m0s, until an operator uses segue redeliver or segue discard", fireInto(t, 1, file, "--fire", "crm").Next)
	require.NotContains(t, fireInto(t, 1, file, "--fire", "skipping").Next, "later deliveries")

	r.status, r.answer = 200, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode></s:Fault></s:Body></s:Envelope>`
	fired = fireInto(t, 1, file, "--fire", "soap")
	require.Equal(t, "soap_fault", fired.Outcome.Class)
	require.Equal(t, "final", fired.Outcome.Verdict)

	sent := r.requests
	fired = fireInto(t, 1, file, "--fire", "away")
	require.Equal(t, "blocked", fired.Outcome.Class)
	require.False(t, fired.Written)
	fired = fireInto(t, 1, file, "--fire", "strict")
	require.Equal(t, "render", fired.Outcome.Class, "there is no disposition at interaction_starts")
	require.Equal(t, sent, r.requests)
	require.NoError(t, os.Remove(fileNamed(t, file)))
	fired = fireInto(t, 1, file, "--fire", "crm")
	require.Equal(t, "auth", fired.Outcome.Class)
	require.Equal(t, sent, r.requests, "nothing is sent without the secret")

	r.Close()
	fired = fireInto(t, 1, file, "--fire", "draft")
	require.Equal(t, "refused", fired.Outcome.Class, "--fire sends dry runs")
}

// fileNamed returns the file of the secret in a configuration.
func fileNamed(t *testing.T, config string) string {
	content, err := os.ReadFile(config)
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(content), "bearer: file:")
	name, _, _ := strings.Cut(rest, "}")
	return name
}

func TestFireTakesDataOverTheSample(t *testing.T) {
	r := newTarget(t)
	file := fireConfig(t, r.URL)
	data := `{"user_data":{"tier":"a b"},"agent":{"id":"bea"},"event":{"digits":"5#","queue":"night"},"disposition":null,"interaction":{"id":"i-9"}}`
	for name, argument := range map[string]string{"inline": data, "a file": fileOf(t, "data.json", data), "stdin": "-"} {
		t.Run(name, func(t *testing.T) {
			result := segueWith(t, data, "check", file, "--fire", "crm", "--interaction", argument)
			require.Equal(t, 0, result.code, result.errs)
			require.Equal(t, "/calls/i-9?tier=a+b", r.uri)
			require.Equal(t, `{"agent":"bea","code":"","digits":"5#","queue":"night","when":"interaction_ends"}`, r.body)
		})
	}
	shown := `{"state":{"id":"c1","contact_center":"berlin","channel":"chat","state":"completed","agent":{"id":"ada"},"user_data":{"tier":"real"},
		"disposition":{"code":"LOST"},"queue":"chats","started_at":"2026-01-01T00:00:00Z"},"timeline":[],"deliveries":[],"rejected":[]}`
	require.Equal(t, 0, fire(t, "check", file, "--fire", "crm", "--interaction", shown).code)
	require.Equal(t, "/calls/c1?tier=real", r.uri)
	require.Equal(t, `{"agent":"ada","code":"LOST","digits":"<digits>","queue":"chats","when":"interaction_ends"}`, r.body)
}

// A number keeps its digits, as in a request of a worker.
func TestFireKeepsEveryDigit(t *testing.T) {
	r := newTarget(t)
	file := fileOf(t, "big.yaml", strings.ReplaceAll(`
guard: {allow: ["127.0.0.0/8"]}
calls:
  - {name: big, method: POST, url: URL/big, text: "${user_data.big} ${event.order} ${survey.n} ${interaction.customer.id}"}
triggers: [{when: user_data_changed, call: big}]
`, "URL", r.URL))
	for data, want := range map[string]string{
		`{"user_data":{"big":8202522731445525542},"event":{"order":9223372036854775807},"survey":{"n":1.5},"interaction":{"customer":{"id":9007199254740993}}}`: "8202522731445525542 9223372036854775807 1.5 9007199254740993",
		`{"user_data":{"big":7},"event":{"order":-9007199254740995},"survey":{"n":0},"interaction":{"customer":{"id":12}}}`:                                     "7 -9007199254740995 0 12",
		`{"state":{"id":"c1","channel":"chat","user_data":{"big":8202522731445525542},"survey":{"n":9007199254740993},"customer":{"id":3}},"timeline":[]}`:      "8202522731445525542 <order> 9007199254740993 3",
	} {
		result := fire(t, "check", file, "--fire", "big", "--interaction", data)
		require.Equal(t, 0, result.code, result.errs)
		require.Equal(t, want, r.body)
	}
}

func TestFireRefusesWrongFlags(t *testing.T) {
	file := fireConfig(t, "http://127.0.0.1:1")
	for says, args := range map[string][]string{
		"there is no such call; did you mean crm?":           {"--fire", "crn"},
		"is not a moment; did you mean interaction_ends?":    {"--fire", "crm", "--when", "interaction_end"},
		"unknown field \"agnet\"; use interaction, agent":    {"--fire", "crm", "--interaction", `{"agnet":1}`},
		"unknown field \"idd\"":                              {"--fire", "crm", "--interaction", `{"interaction":{"idd":1}}`},
		"is not a JSON object":                               {"--fire", "crm", "--interaction", `[1]`},
		"no such file":                                       {"--fire", "crm", "--interaction", "nowhere.json"},
		"--when and --interaction apply to --fire":           {"--when", "interaction_ends"},
		"--fire and --schema cannot be combined":             {"--fire", "crm", "--schema"},
		"event: sequence: expected a number, got the string": {"--fire", "crm", "--interaction", `{"event":{"sequence":"x"}}`},
	} {
		t.Run(says, func(t *testing.T) {
			result := fire(t, append([]string{"check", file}, args...)...)
			require.Equal(t, 2, result.code, fmt.Sprint(result))
			require.Contains(t, result.errs, says)
			require.Empty(t, result.out)
			require.NotContains(t, result.errs, "Sending")
		})
	}
	bad := fileOf(t, "bad.yaml", "calls: [{name: crm}]")
	result := fire(t, "check", bad, "--fire", "crm")
	require.Equal(t, 1, result.code)
	require.Contains(t, result.out, "calls[0].method")
}
