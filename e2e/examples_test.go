package e2e_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/contract"
	"segue/interaction"
)

// exampleReceiver is the receiver of an example configuration. It keeps each request as it arrived.
type exampleReceiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []delivered
}

type delivered struct {
	method, path, query, body string
	header                    http.Header
}

func newExampleReceiver(t *testing.T, answer func(w http.ResponseWriter, d delivered)) *exampleReceiver {
	o := &exampleReceiver{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		d := delivered{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header}
		o.mu.Lock()
		o.requests = append(o.requests, d)
		o.mu.Unlock()
		answer(w, d)
	}))
	t.Cleanup(o.Close)
	return o
}

// of returns the requests to a path so far, in order.
func (o *exampleReceiver) of(path string) []delivered {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.requests), func(d delivered) bool { return d.path != path })
}

// startExample runs a worker with one of the example files, whose hosts it replaces by a URL.
func (e *env) startExample(file, url string, hosts ...string) {
	e.t.Helper()
	content, err := os.ReadFile("../examples/" + file)
	require.NoError(e.t, err)
	text := string(content)
	for _, host := range hosts {
		require.Contains(e.t, text, host)
		text = strings.ReplaceAll(text, host, url)
	}
	e.t.Setenv("SEGUE_GUARD_ALLOW", "127.0.0.0/8")
	e.startWorker(text)
}

// begin starts an interaction; fields are further JSON fields of its start.
func (e *env) begin(id, channel, fields string) {
	e.t.Helper()
	input := json.RawMessage(fmt.Sprintf(`{"id":%q,"contact_center":%q,"channel":%q,%s}`, id, e.name, channel, fields))
	_, err := e.client.ExecuteWorkflow(e.t.Context(), client.StartWorkflowOptions{ID: e.workflowID(id), TaskQueue: e.name}, contract.WorkflowInteraction, input)
	require.NoError(e.t, err)
}

// do sends commands one after the other.
func (e *env) do(id string, commands ...string) {
	e.t.Helper()
	for _, c := range commands {
		name, payload, _ := strings.Cut(c, " ")
		e.signal(id, name, payload)
	}
}

// knows waits until an interaction's user data has a key.
func (e *env) knows(id, key string) any {
	e.t.Helper()
	var value any
	e.eventually(time.Minute, id+" knows "+key, func() bool {
		status, err := query[contract.State](e, id, contract.QueryState)
		value = status.UserData[key]
		return err == nil && value != nil
	})
	return value
}

// arrived waits for n requests to a path, and requires that there are no more.
func (e *env) arrived(o *exampleReceiver, path string, n int) []delivered {
	e.t.Helper()
	e.eventually(time.Minute, fmt.Sprintf("%d requests to %s", n, path), func() bool { return len(o.of(path)) >= n })
	list := o.of(path)
	require.Len(e.t, list, n, path)
	return list
}

// over waits until interactions are completed and have no undelivered requests.
func (e *env) over(ids ...string) {
	e.t.Helper()
	for _, id := range ids {
		e.eventually(time.Minute, id+" is over", func() bool {
			status, err := query[contract.State](e, id, contract.QueryState)
			return err == nil && status.State == interaction.StateCompleted && status.Undelivered == 0
		})
	}
}

func TestTheExampleOfECSSendsWhatItSays(t *testing.T) {
	t.Setenv("CRM_API_KEY", "key-1")
	e := newEnv(t)
	o := newExampleReceiver(t, func(w http.ResponseWriter, d delivered) {
		switch {
		case d.path == "/interactions" && strings.Contains(d.body, "call-3"):
			w.WriteHeader(http.StatusBadRequest)
		case d.method == "DELETE":
			w.WriteHeader(http.StatusNotFound)
		case d.path == "/customers" && strings.Contains(d.query, "666"):
			_, _ = io.WriteString(w, `{"id":"c-78","tier":["gold","since 2019"]}`)
		case d.path == "/customers":
			_, _ = io.WriteString(w, `{"id":"c-77","tier":"gold"}`)
		case strings.HasSuffix(d.path, "/segments"):
			w.Header().Set("Content-Type", "application/xml")
			_, _ = io.WriteString(w, `<?xml version="1.0"?><Answer><Ticket>T-9</Ticket></Answer>`)
		case d.path == "/events":
			_, _ = io.WriteString(w, "calls_waiting=3\nlongest=40\n")
		}
	})
	e.startExample("ecs.yaml", o.URL, "https://crm.example.com", "https://wallboard.example.com")

	e.begin("call-1", "inbound", `"queue":"sales","business_process":"retail","ani":"+15550100123","dnis":"+15550100999","customer":{"email":"zoe@example.com"},"at":"2026-01-15T09:30:00Z"`)
	require.Equal(t, "c-77", e.knows("call-1", "crm_id"))
	e.do("call-1",
		`place_in_queue {"queue":"sales","at":"2026-01-15T09:30:10Z"}`,
		`offer {"agent":{"id":"a1","name":"Ada"},"at":"2026-01-15T09:30:40Z"}`,
		`accept {"agent":"a1","at":"2026-01-15T09:30:45Z"}`,
		`transfer {"to":{"queue":"sales"},"by":{"id":"a1","role":"agent"},"at":"2026-01-15T09:31:45Z"}`)
	require.Equal(t, "T-9", e.knows("call-1", "ticket"))
	require.Equal(t, "3", e.knows("call-1", "calls_waiting"))
	e.do("call-1",
		`accept {"agent":{"id":"a2","name":"Grace <G> & Co"},"at":"2026-01-15T09:32:00Z"}`,
		`disconnect {"at":"2026-01-15T09:33:00Z"}`,
		`complete {"disposition":{"code":"SOLD","notes":"two boxes"},"at":"2026-01-15T09:33:30Z"}`)
	e.over("call-1")

	lookup := e.arrived(o, "/customers", 1)[0]
	require.Equal(t, "GET", lookup.method)
	require.Equal(t, url.Values{"phone": {"+15550100123"}, "process": {"retail"}}, values(t, lookup.query))
	require.Empty(t, lookup.body)
	require.Equal(t, "key-1", lookup.header.Get("X-Api-Key"))
	require.Equal(t, "application/json", lookup.header.Get("Accept"))

	opened := e.arrived(o, "/interactions", 1)[0]
	require.Equal(t, "POST", opened.method)
	require.Equal(t, "application/json", opened.header.Get("Content-Type"))
	require.Equal(t, "segue", opened.header.Get("X-Source"))
	require.JSONEq(t, `{"interactionId":"call-1","channel":"inbound","businessProcess":"retail","from":"+15550100123","to":"+15550100999",
		"startedAt":"2026-01-15T09:30:00Z","email":"zoe@example.com"}`, opened.body)

	segments := []string{
		"1 interaction_starts channel", "2 interaction_starts business_process", "4 agent_selecting business_process",
		"7 interaction_starts agent a1 Ada", "8 offered agent a1 Ada", "9 offered business_process", "10 offered channel",
		"11 handling agent a1 Ada", "12 handling business_process a1 Ada", "13 handling channel a1 Ada",
		"17 interaction_ends agent a1 Ada", "18 agent_selecting business_process",
		"21 interaction_starts agent a2 Grace <G> & Co", "22 handling agent a2 Grace <G> & Co", "23 handling business_process a2 Grace <G> & Co",
		"26 wrap_up agent a2 Grace <G> & Co", "28 interaction_ends channel a2 Grace <G> & Co",
		"30 interaction_ends agent a2 Grace <G> & Co", "32 interaction_ends business_process a2 Grace <G> & Co",
	}
	var got []string
	for _, d := range e.arrived(o, "/interactions/call-1/segments", len(segments)) {
		require.Equal(t, "application/xml; charset=utf-8", d.header.Get("Content-Type"))
		s := read[struct {
			XMLName     xml.Name `xml:"Segment"`
			Interaction string
			Sequence    int
			Name, Leg   string
			At          string
			Customer    string
			Agent       struct {
				ID   string `xml:"id,attr"`
				Name string `xml:",chardata"`
			}
		}](t, d.body)
		require.Equal(t, "call-1", s.Interaction)
		if s.Sequence > 3 {
			require.Equal(t, "c-77", s.Customer, "a later call has what an earlier one returned")
		}
		got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s %s %s %s", s.Sequence, s.Name, s.Leg, s.Agent.ID, s.Agent.Name)))
	}
	require.Equal(t, segments, clean(got))

	records := e.arrived(o, "/interactions/call-1", 2) // of two calls, whose lanes run side by side
	slices.SortFunc(records, func(a, b delivered) int { return strings.Compare(a.method, b.method) })
	require.Equal(t, []string{"PATCH", "PUT"}, []string{records[0].method, records[1].method})
	require.JSONEq(t, `{"transferredBy":"a1","toAgent":null,"toQueue":"sales","at":"2026-01-15T09:31:45Z"}`, records[0].body)
	require.JSONEq(t, `{"outcome":"handled","startedAt":"2026-01-15T09:30:00Z","endedAt":"2026-01-15T09:33:30Z","durationSeconds":210,"queueSeconds":45,
		"handleSeconds":120,"agent":{"id":"a2","name":"Grace <G> & Co"},"businessProcess":"retail","dispositionCode":"SOLD","agentRemarks":"two boxes",
		"customer":"c-77","tier":"gold","ticket":"T-9"}`, records[1].body)

	var changes []string
	for _, d := range e.arrived(o, "/events", 2) {
		require.Equal(t, "application/x-www-form-urlencoded", d.header.Get("Content-Type"))
		require.Equal(t, "text/plain", d.header.Get("Accept"))
		changes = append(changes, values(t, d.body).Get("event"))
	}
	require.Equal(t, []string{"handling to agent_selecting", "handling to handled"}, changes)
	require.Equal(t, "DELETE", e.arrived(o, "/callbacks/+15550100123", 1)[0].method)

	// A value that is not flat is reported, and the delivery succeeds.
	e.begin("call-2", "inbound", `"ani":"+15550100666"`)
	require.Equal(t, "c-78", e.knows("call-2", "crm_id"))
	deliveries, err := query[[]contract.DeliveryRecord](e, "call-2", contract.QueryDeliveries)
	require.NoError(t, err)
	i := slices.IndexFunc(deliveries, func(r contract.DeliveryRecord) bool { return r.Call == "customer-lookup" })
	require.Equal(t, contract.StatusDelivered, deliveries[i].Status)
	require.Equal(t, "not returned: tier (a list; only flat values are taken)", deliveries[i].Why)
	shown, err := exec.Command(segueBin, "show", e.name+"/call-2", "--address", temporal.Address).CombinedOutput()
	require.NoError(t, err, string(shown))
	require.Contains(t, string(shown), "call customer-lookup: not returned: tier (a list; only flat values are taken)\n")
	e.do("call-2", `abandon {}`)
	e.over("call-2")

	// Another call is notified of a failure that no retry can fix.
	e.begin("call-3", "inbound", `"ani":"+15550100125"`)
	require.JSONEq(t, `{"interactionId":"call-3","restApiData":"rest-data-1","when":"interaction_starts","reason":"http_4xx","status":400}`,
		e.arrived(o, "/faults", 1)[0].body)
}

// clean removes the blanks of an absent agent.
func clean(lines []string) []string {
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	return lines
}

func values(t *testing.T, form string) url.Values {
	t.Helper()
	v, err := url.ParseQuery(form)
	require.NoError(t, err)
	return v
}

// read parses an XML document as a receiver does.
func read[T any](t *testing.T, document string) T {
	t.Helper()
	var v T
	require.NoError(t, xml.Unmarshal([]byte(document), &v), document)
	return v
}
