package lifecycle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.uber.org/goleak"

	"segue/activities"
	"segue/config"
	"segue/contract"
	"segue/delivery"
	"segue/interaction"
	"segue/workflows"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// segments are the 21 of the ECS page, by name and leg, and the two of its older ones.
var segments = strings.Fields(`
	interaction_starts.channel interaction_starts.business_process interaction_starts.agent
	offered.channel offered.business_process offered.agent
	agent_selecting.business_process consulting.agent in_conference.agent
	handling.channel handling.business_process handling.agent
	wrap_up.agent dialing.channel rejected.agent overflow.business_process missed.agent preview.agent
	interaction_ends.channel interaction_ends.business_process interaction_ends.agent
	abandoned.business_process abandoned.channel handled.business_process handled.channel`)

// changes are the pairs of the older page.
var changes = strings.Fields(`handling-to-agent_selecting agent_selecting-to-overflow agent_selecting-to-abandoned handling-to-handled`)

// slots are the moments that each channel reaches beside segment_change. A web
// visit becomes a chat or a call back.
var slots = map[interaction.Channel][]string{
	"inbound": strings.Fields(`interaction_starts interaction_ends internal_transfer agent_needed survey user_data_changed script_signal
		inbound.dequeue inbound.agent_connect inbound.agent_term inbound.call_end inbound.disposition inbound.transfer_term inbound.queue_event inbound.dtmf`),
	"outbound": strings.Fields(`interaction_starts interaction_ends internal_transfer agent_needed survey
		outbound.agent_connect outbound.agent_term outbound.call_end outbound.disposition outbound.transfer_term`),
	"cloud_routing": strings.Fields(`interaction_starts interaction_ends agent_needed survey cloud_routing.start cloud_routing.connect cloud_routing.end`),
	"track_number":  strings.Fields(`interaction_starts interaction_ends survey user_data_changed track_number.call_end`),
	"chat": strings.Fields(`interaction_starts interaction_ends internal_transfer agent_needed survey
		chat.new chat.dequeue chat.agent_connect chat.agent_term chat.end chat.disposition chat.queue_event`),
	"email": strings.Fields(`interaction_starts interaction_ends internal_transfer agent_needed survey user_data_changed`),
	"sms":   strings.Fields(`interaction_starts interaction_ends internal_transfer agent_needed survey`),
	"web": strings.Fields(`interaction_starts interaction_ends internal_transfer agent_needed survey engage noengage engagement_result
		chat.new chat.dequeue chat.agent_connect chat.agent_term chat.end chat.disposition
		outbound.agent_connect outbound.agent_term outbound.call_end outbound.disposition`),
}

// moments are all of them, with the ones that no channel's table has.
var moments = func() []string {
	var all []string
	for _, names := range slots {
		all = append(all, names...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}()

// configuration has a call for each segment, each change and each moment, and the
// call "everything", which several triggers fire at each of them.
func configuration(url string) string {
	var calls, triggers strings.Builder
	call := func(name, trigger string) {
		fmt.Fprintf(&calls, "  - {name: %s, method: POST, url: \"%s/%s\", json: {id: \"${interaction.id}\", sequence: \"${event.sequence}\"}}\n", name, url, name)
		fmt.Fprintf(&triggers, "  - {call: %s, %s}\n", name, trigger)
	}
	fmt.Fprintf(&triggers, "  - {call: everything, when: [segment_change, %s]}\n", strings.Join(moments, ", "))
	for _, segment := range segments {
		name, leg, _ := strings.Cut(segment, ".")
		filter := segment
		if slices.Contains([]string{"agent_selecting", "consulting", "wrap_up", "dialing"}, name) {
			filter = name // as ECS lists it, without a leg
		}
		call(segment, fmt.Sprintf("when: segment_change, segments: [%s], legs: [%s]", filter, leg))
	}
	for _, change := range changes {
		from, to, _ := strings.Cut(change, "-to-")
		call(change, fmt.Sprintf("when: segment_change, from: %s, to: %s", from, to))
	}
	for _, moment := range moments {
		call(moment, "when: "+moment)
	}
	fmt.Fprintf(&triggers, "  - {call: everything, when: [segment_change, %s]}\n", strings.Join(moments, ", "))
	return fmt.Sprintf(`
calls:
  - name: everything
    method: POST
    url: %s/everything
    json: {id: "${interaction.id}", sequence: "${event.sequence}", when: "${event.when}", segment: "${event.segment}", leg: "${event.leg}",
           from: "${event.from}", agent: "${event.agent.id}", queue: "${event.queue}"}
%striggers:
%squeues: [{name: sales, overflow: backup, max_misses: 2}]
guard: {allow: ["127.0.0.0/8"]}
`, url, calls.String(), triggers.String())
}

// arrival is one request, as the receiver got it.
type arrival struct {
	call, delivery                         string
	ID                                     string
	Sequence                               int
	When, Segment, Leg, From, Agent, Queue string
}

// line is the arrival as a table has it.
func (a arrival) line() string {
	name, of := a.When, ""
	switch {
	case a.Segment != "":
		name = a.Segment + "." + a.Leg
		switch a.Leg {
		case "agent":
			of = a.Agent
		case "business_process":
			of = a.Queue
		}
		if change := a.From + "-to-" + a.Segment; slices.Contains(changes, change) {
			return strings.TrimSpace(name+" "+of) + " <- " + a.From
		}
	case strings.HasSuffix(name, ".agent_connect"), strings.HasSuffix(name, "_term"), strings.HasSuffix(name, ".disposition"), strings.HasSuffix(name, ".dequeue"):
		of = a.Agent
	}
	return strings.TrimSpace(name + " " + of)
}

// receiver takes requests over real HTTP and remembers them in the order in which they came.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	arrivals []arrival
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		a := arrival{call: strings.TrimPrefix(request.URL.Path, "/"), delivery: request.Header.Get("webhook-id")}
		if err != nil || json.Unmarshal(body, &a) != nil {
			a.call = "unreadable: " + string(body)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.arrivals = append(r.arrivals, a)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestEveryChannelFiresWhatTheTablesSay(t *testing.T) {
	reached := map[string]bool{}
	for _, channel := range interaction.Channels() {
		slotsReached := map[string]bool{}
		for _, c := range readTable(t, string(channel)) {
			t.Run(string(channel)+": "+c.title, func(t *testing.T) { play(t, channel, c) })
			for _, line := range slices.Concat(c.moments, c.replies) {
				name := called(line)
				reached[name], reached[paired(line)] = true, true
				if !slices.Contains(segments, name) {
					slotsReached[name] = true
				}
			}
		}
		// What the tables themselves cover is held against the lists above.
		for _, slot := range slots[channel] {
			require.True(t, slotsReached[slot], "no table of %s reaches %s", channel, slot)
			delete(slotsReached, slot)
		}
		require.Empty(t, slotsReached, "%s reaches what its list lacks", channel)
	}
	for _, name := range slices.Concat(segments, changes) {
		require.True(t, reached[name], "no table reaches %s", name)
	}
	for _, when := range interaction.AllMoments() {
		require.True(t, when == interaction.MomentSegmentChange || reached[string(when)], "no table reaches %s", when)
	}
}

// play runs one interaction and holds what arrived against its table.
func play(t *testing.T, channel interaction.Channel, c *chapter) {
	r := newReceiver(t)
	env, sender := environment(t, r.URL)
	after := time.Second
	for _, s := range c.steps {
		if s.wait > 0 {
			after += s.wait
			continue
		}
		id := "interaction/cc/i-1"
		if s.toReply {
			id += "~1"
		}
		env.RegisterDelayedCallback(func() {
			require.NoError(t, env.SignalWorkflowByID(id, s.command, json.RawMessage(s.payload)), s.command)
		}, after)
		after += time.Second
	}
	start := strings.Replace(c.start, "{", fmt.Sprintf(`{"id":"i-1","contact_center":"cc","channel":%q,`, channel), 1)
	env.ExecuteWorkflow(contract.WorkflowInteraction, json.RawMessage(strings.Replace(start, ",}", "}", 1)))
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	require.NoError(t, sender.Close(context.Background()))
	var last contract.State
	require.NoError(t, env.GetWorkflowResult(&last))
	require.Equal(t, interaction.StateCompleted, last.State)
	require.Zero(t, last.Undelivered)
	value, err := env.QueryWorkflow(contract.QueryRejected)
	require.NoError(t, err)
	var rejected []contract.Rejected
	require.NoError(t, value.Get(&rejected))
	require.Empty(t, rejected, "every command of the table is legal")

	inOrderOfTheTriggers(t, env)
	byID := map[string][]arrival{}
	for _, a := range r.arrivals {
		byID[a.ID] = append(byID[a.ID], a)
	}
	hold(t, c.moments, byID["i-1"])
	hold(t, c.replies, byID["i-1~1"])
	delete(byID, "i-1")
	delete(byID, "i-1~1")
	require.Empty(t, byID, "nothing else fires")
}

// inOrderOfTheTriggers: the calls of one event are made in the order of the
// configuration, each once, however many triggers name it.
func inOrderOfTheTriggers(t *testing.T, env *testsuite.TestWorkflowEnvironment) {
	t.Helper()
	set, err := config.Parse("lifecycle.yaml", []byte(configuration("http://127.0.0.1")))
	require.NoError(t, err)
	place := map[string]int{}
	for i, c := range set.Calls() {
		place[c.Name] = i
	}
	value, err := env.QueryWorkflow(contract.QueryDeliveries)
	require.NoError(t, err)
	var records []contract.DeliveryRecord
	require.NoError(t, value.Get(&records))
	require.NotEmpty(t, records)
	for i, record := range records {
		require.Equal(t, contract.StatusDelivered, record.Status)
		if i > 0 && record.Sequence == records[i-1].Sequence {
			require.Greater(t, place[record.Call], place[records[i-1].Call], "%s behind %s", record.Call, records[i-1].Call)
		}
	}
}

// hold compares what arrived of one interaction with its table: the lane that gets
// everything has each line in its order, and each other call has its own lines.
func hold(t *testing.T, table []string, arrivals []arrival) {
	t.Helper()
	var lines []string
	got, want := map[string][]int{}, map[string][]int{}
	deliveries := map[string]bool{}
	for _, a := range arrivals {
		require.False(t, deliveries[a.delivery], "%s arrived twice", a.delivery)
		deliveries[a.delivery] = true
		if a.call == "everything" {
			lines = append(lines, a.line())
			require.Equal(t, len(lines), a.Sequence, "in order, without a gap")
			continue
		}
		got[a.call] = append(got[a.call], a.Sequence)
	}
	require.Equal(t, strings.Join(table, "\n"), strings.Join(lines, "\n"))
	for i, line := range table {
		want[called(line)] = append(want[called(line)], i+1)
		if change := paired(line); change != "" {
			want[change] = append(want[change], i+1)
		}
	}
	require.Equal(t, want, got, "each segment, change and moment by itself")
}

// environment is Temporal's test environment with everything of the product in it:
// plugin, workflows, activities, configuration and sender.
func environment(t *testing.T, url string) (*testsuite.TestWorkflowEnvironment, *delivery.Sender) {
	t.Helper()
	set, err := config.Parse("lifecycle.yaml", []byte(configuration(url)))
	require.NoError(t, err)
	guard, err := delivery.NewGuard(set.Guard.Allow)
	require.NoError(t, err)
	sender := delivery.New(delivery.Options{Guard: guard})

	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	plugin, err := workflows.NewPlugin()
	require.NoError(t, err)
	env.SetWorkerOptions(worker.Options{Plugins: []worker.Plugin{plugin}})
	workflows.Register(env)
	(&activities.Activities{Config: config.NewStore(set).Current, Sender: sender}).Register(env)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: contract.InteractionWorkflowID("cc", "i-1"), TaskQueue: "segue"})
	env.SetTestTimeout(30 * time.Second)
	return env, sender
}
