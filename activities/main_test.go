package activities_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/mocks"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/goleak"

	"segue/activities"
	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/interaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is an HTTP server that records its requests in order.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string // "<path> <webhook-id> <body>"
	code int
	// hold, if set, delays the responses until it is closed.
	hold    chan struct{}
	arrived chan string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{code: 200, arrived: make(chan string, 10_000)}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.got = append(r.got, fmt.Sprintf("%s %s %s", req.URL.Path, req.Header.Get("webhook-id"), body))
	code, hold := r.code, r.hold
	r.mu.Unlock()
	r.arrived <- req.URL.Path
	if hold != nil {
		<-hold
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, `{"tier":"gold"}`)
}

func (r *receiver) requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.got...)
}

func (r *receiver) answer(code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.code = code
}

// holdAnswers delays responses until the returned function is called.
func (r *receiver) holdAnswers() (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold = make(chan struct{})
	return sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		close(r.hold)
		r.hold = nil
	})
}

// fixture is the activities of one worker, with a receiver and a mock of Temporal.
type fixture struct {
	*testsuite.TestActivityEnvironment
	*activities.Activities
	receiver *receiver
	temporal *mocks.Client
}

const settings = `
calls:
  - {name: crm, method: POST, url: "URL/crm", json: {id: "${interaction.id}", seq: "${event.sequence}"}, returns: [{from: tier, to: crm_tier}], limits: {concurrency: 0}}
  - {name: bi, method: POST, url: "URL/bi", json: {seq: "${event.sequence}"}, limits: {concurrency: 0}}
  - {name: once, method: POST, url: "URL/once", idempotent: false}
  - {name: later, method: POST, url: "URL/later", inline: false, timeout: 90s}
  - {name: strict, method: POST, url: "URL/strict", json: {x: "${user_data.absent}"}, missing: park}
  - {name: quiet, method: POST, url: "URL/quiet"}
  - {name: draft, method: POST, url: "URL/draft", dry_run: true, json: {seq: "${event.sequence}"}}
  - {name: pager, method: POST, url: "URL/pager", json: {text: "${event.call}: ${event.class} ${event.code} of ${event.interaction}", since: "${event.since}", lanes: "${event.lanes}"}}
  - {name: large, method: POST, url: "URL/large", text: "${user_data.large}"}
triggers:
  - {when: interaction_starts, call: crm}
  - {when: interaction_starts, call: crm, dry_run: true}
  - {when: interaction_ends, call: crm}
  - {when: interaction_ends, call: bi}
  - {when: engage, call: once}
  - {when: script_signal, call: later}
  - {when: survey, call: strict}
  - {when: noengage, call: quiet, dry_run: true}
  - {when: noengage, call: draft}
  - {when: user_data_changed, call: large}
  - {when: operator.delivery_failing, call: pager}
  - {when: operator.delivery_failing, call: quiet, dry_run: true}
  - {when: operator.delivery_failing, call: bi, if: 'event.call == "crm" && event.code == 503'}
timeouts:
  channels: {chat: {offer: 45s}}
`

func newFixture(t *testing.T) *fixture {
	t.Helper()
	r := newReceiver(t)
	set, err := config.Parse("test.yaml", []byte(strings.ReplaceAll(settings, "URL", r.URL)))
	require.NoError(t, err)
	guard, err := delivery.NewGuard([]string{"127.0.0.0/8"})
	require.NoError(t, err)
	sender := delivery.New(delivery.Options{Guard: guard})
	t.Cleanup(func() { require.NoError(t, sender.Close(context.Background())) })
	temporal := mocks.NewClient(t)
	temporal.On("SignalWorkflow", mock.Anything, mock.Anything, "", contract.SignalAppend, mock.Anything).
		Return(serviceerror.NewNotFound("no such workflow")).Maybe()
	temporal.On("DescribeWorkflowExecution", mock.Anything, mock.Anything, "").Return(nil, serviceerror.NewNotFound("no such workflow")).Maybe()
	f := &fixture{
		Activities: &activities.Activities{Config: config.NewStore(set).Current, Sender: sender, Temporal: temporal},
		receiver:   r,
		temporal:   temporal,
	}
	f.renew()
	return f
}

// renew sets up a new environment, in which the ids of activities start again.
func (f *fixture) renew() {
	f.TestActivityEnvironment = new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
	f.Register(f)
}

// know makes the receivers of calls known and fast, by requests of its own: one each, unless
// this machine is slow.
func (f *fixture) know(t *testing.T, calls ...string) {
	t.Helper()
	for _, name := range calls {
		call, ok := f.Config().Call(name)
		require.True(t, ok)
		health := f.Sender.Health(call.Policy)
		for n := 0; !health.Inline(); n++ {
			require.Less(t, n, 100, "%s never was fast", name)
			warm := contract.Request{ID: fmt.Sprintf("warm-%s-%d", name, n), Method: "POST", URL: f.receiver.URL + "/warm"}
			o := f.Sender.Send(context.Background(), call.Policy, warm, 1)
			require.Equal(t, "ok", o.Class, o.Message)
			<-f.receiver.arrived
		}
	}
	f.receiver.mu.Lock()
	f.receiver.got = nil
	f.receiver.mu.Unlock()
}

// trip opens a call's breaker.
func (f *fixture) trip(t *testing.T, name string) {
	t.Helper()
	call, _ := f.Config().Call(name)
	policy := call.Policy
	policy.Origin = "" // these requests go to another host
	for i := range 5 {
		o := f.Sender.Send(context.Background(), policy, contract.Request{ID: "trip", Method: "POST", URL: "http://127.0.0.1:1"}, i+1)
		require.Equal(t, "refused", o.Class, o.Message)
	}
	require.True(t, f.Sender.Health(call.Policy).Open())
}

func (f *fixture) dispatch(t *testing.T, in *contract.DispatchInput) contract.DispatchResult {
	t.Helper()
	value, err := f.ExecuteLocalActivity(f.Dispatch, in)
	require.NoError(t, err)
	var result contract.DispatchResult
	require.NoError(t, value.Get(&result))
	return result
}

var owner = contract.Owner{ContactCenter: "default", Interaction: "i-1", FirstRunID: "run-1"}

// turns returns an input with one turn for each event, numbered from 1.
func turns(moments ...interaction.Moment) *contract.DispatchInput {
	in := &contract.DispatchInput{Owner: owner}
	for i, moment := range moments {
		in.Turns = append(in.Turns, interaction.Turn{
			View:   interaction.View{Interaction: interaction.Facts{ID: "i-1", ContactCenter: "default", Channel: interaction.ChannelChat}},
			Events: []interaction.Event{{Sequence: int64(i + 1), Moment: moment}},
		})
	}
	return in
}

func statuses(r contract.DispatchResult) string {
	var list []string
	for _, d := range r.Deliveries {
		text := fmt.Sprintf("%d %s %s", d.Sequence, d.Call, d.Status)
		if d.Outcome != nil {
			text += " " + d.Outcome.Class
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}
