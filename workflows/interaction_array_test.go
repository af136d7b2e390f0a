package workflows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/contract"
	"segue/interaction"
	"segue/metrics/metricstest"
)

// arrays are arrays of commands, what they do to a call in a queue, and which elements are refused.
var arrays = map[string]struct {
	array    string
	state    interaction.State
	rejected []contract.Rejected
}{
	"in order": {
		array: `[{"command":"offer","agent":"a1"},{"command":"accept","agent":"a1"},{"command":"hold"}]`, state: interaction.StateHandling,
	},
	"each element is judged by itself": {
		array: `[{"command":"hold","event_id":"e1"},{"command":"offer","agent":"a1"},{"command":"accept","agent":7,"event_id":"e2"},
			{"command":"accept","agent":"a1"}]`,
		state: interaction.StateHandling,
		rejected: []contract.Rejected{
			{Command: "hold", EventID: "e1", Reason: "hold is not legal in state queued"},
			{Command: "accept", EventID: "e2", Reason: "not offered to 7"},
		},
	},
	"a repeat is a duplicate": {
		array: `[{"command":"offer","agent":"a1","event_id":"e1"},{"command":"offer","agent":"a1","event_id":"e1"}]`, state: interaction.StateOffered,
	},
	"by number": {
		array: `[{"command":"accept","agent":"a1","source_sequence":2},{"command":"offer","agent":"a1","source_sequence":1}]`, state: interaction.StateHandling,
	},
	"strange elements": {
		array: `[7,null,{},{"command":7,"event_id":"e1"},{"command":"commands"},{"command":"lane_result","call":"crm"},{"command":"dance"},{"command":"offer","agent":"a1"}]`,
		state: interaction.StateOffered,
		rejected: []contract.Rejected{
			{Command: "commands", Reason: `commands: command: 7: name the command`},
			{Command: "commands", Reason: `name the command`},
			{Command: "commands", Reason: `name the command`},
			{Command: "commands", EventID: "e1", Reason: `name the command`},
			{Command: "commands", Reason: "commands"},
			{Command: "lane_result", Reason: "lane_result"},
			{Command: "dance", Reason: "dance"},
		},
	},
	"a field whose name differs in case is the platform's own": {
		array: `[{"command":"offer","agent":"a1","Command":"abandon"},{"COMMAND":7,"command":"accept","agent":"a1"}]`, state: interaction.StateHandling,
	},
	"nothing": {array: `[]`, state: interaction.StateQueued},
}

// malformed are payloads that are not an array of commands.
var malformed = map[string]struct{ payload, reason string }{
	"an object": {`{"command":"hold"}`, "must be an array of objects"},
	"null":      {`null`, "must be an array of objects"},
	"a text":    {`"hold"`, "must be an array of objects"},
	"too long":  {"[" + strings.Repeat(`{"command":"hold"},`, 1000) + `{"command":"hold"}]`, "1001 commands"},
}

// requireRejected checks the answer of the query "rejected". A reason has to contain the wanted one.
func requireRejected(t *testing.T, want, got []contract.Rejected) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Contains(t, got[i].Reason, want[i].Reason)
		require.Equal(t, want[i].Command, got[i].Command)
		require.Equal(t, want[i].EventID, got[i].EventID)
	}
}

const queuedCall = `{"id":"i-1","contact_center":"cc","channel":"inbound"}`

func TestASignalAppliesAnArrayOfCommands(t *testing.T) {
	for name, test := range arrays {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.onDispatch = func(_ *contract.DispatchInput, result *contract.DispatchResult) {
				result.Rules.SequenceGap = gap
			}
			e.signals(time.Second, [2]string{"place_in_queue", `{"queue":"sales"}`}, [2]string{contract.SignalCommands, test.array})
			e.at(2*time.Second, func() {
				require.Equal(t, test.state, query[contract.State](e, contract.QueryState).State)
				requireRejected(t, test.rejected, query[[]contract.Rejected](e, contract.QueryRejected))
			})
			e.signals(time.Minute, [2]string{"cancel", `{}`})
			e.start(queuedCall)
			require.NoError(t, e.GetWorkflowError())
		})
	}
}

func TestAMalformedArrayIsOneRejectionOfASignal(t *testing.T) {
	for name, test := range malformed {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.signals(time.Second, [2]string{contract.SignalCommands, test.payload})
			e.at(2*time.Second, func() {
				requireRejected(t, []contract.Rejected{{Command: contract.SignalCommands, Reason: test.reason}}, query[[]contract.Rejected](e, contract.QueryRejected))
			})
			e.signals(time.Minute, [2]string{"cancel", `{}`})
			e.start(queuedCall)
			require.Contains(t, e.logged.String(), `command=commands field=payload`)
		})
	}
}

// startWith runs the interaction to its end with a start and its first commands.
func (e *env) startWith(start, commands string) {
	e.ExecuteWorkflow(contract.WorkflowInteraction, json.RawMessage(start), contract.FirstCommands{Commands: json.RawMessage(commands)})
	require.True(e.t, e.IsWorkflowCompleted())
}

func TestAStartAppliesItsFirstCommands(t *testing.T) {
	for name, test := range arrays {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.at(time.Second, func() {
				require.Equal(t, test.state, query[contract.State](e, contract.QueryState).State)
				requireRejected(t, test.rejected, query[[]contract.Rejected](e, contract.QueryRejected))
			})
			e.signals(time.Minute, [2]string{"cancel", `{}`})
			e.startWith(queuedCall, `[{"command":"place_in_queue","queue":"sales"}`+strings.Replace(","+test.array[1:], ",]", "]", 1))
			require.NoError(t, e.GetWorkflowError())
			require.Len(t, e.inputs, 2, "all are dispatched together, then the end")
		})
	}
}

func TestAStartWithAMalformedArrayIsRefused(t *testing.T) {
	for name, test := range malformed {
		if name == "null" {
			continue // no commands
		}
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			e.startWith(queuedCall, test.payload)
			require.Equal(t, contract.ErrorInvalidPayload, errorType(t, e.GetWorkflowError()))
			require.ErrorContains(t, e.GetWorkflowError(), test.reason)
			require.Empty(t, e.inputs)
		})
	}
}

// A signal that starts an interaction and is refused leaves it without anybody who knows it. A start is meant.
func TestAStartWhoseFirstCommandsAreRefusedIsNoOrphan(t *testing.T) {
	e := newEnv(t)
	e.onDispatch = func(_ *contract.DispatchInput, result *contract.DispatchResult) {
		result.Rules.Orphan = time.Second
	}
	e.signals(time.Minute, [2]string{"cancel", `{}`})
	e.startWith(queuedCall, `[{"command":"hold"}]`)
	var status contract.State
	require.NoError(t, e.GetWorkflowResult(&status))
	require.Equal(t, "cancel", status.EndedBy)
	require.Equal(t, 1, status.RejectedCount)
}

func TestFirstCommandsAreNotAppliedAgainInTheNextRun(t *testing.T) {
	first := newEnv(t)
	first.RegisterDelayedCallback(func() { first.SetContinueAsNewSuggested(true) }, time.Second)
	first.signals(2*time.Second, [2]string{"dtmf", `{"digits":"1"}`})
	first.startWith(queuedCall, `[{"command":"place_in_queue","queue":"sales"}]`)
	left := asContinued(t, first.GetWorkflowError())

	e := newEnv(t)
	e.signals(time.Second, [2]string{"abandon", `{}`})
	e.goOn(contract.WorkflowInteraction, json.RawMessage(queuedCall), left)
	var status contract.State
	require.NoError(t, e.GetWorkflowResult(&status))
	require.Zero(t, status.RejectedCount)
	require.Equal(t, interaction.OutcomeAbandoned, status.Outcome)
}

// A burst of arrays carries more commands than a task, a run's input or the open deliveries may have.
func TestABurstOfArraysIsAppliedAndDispatchedOnce(t *testing.T) {
	const signals, commands = 10, 1000
	burst := make([][2]string, signals)
	for i := range burst {
		var b strings.Builder
		for n := range commands {
			fmt.Fprintf(&b, `,{"command":"dtmf","digits":"1","event_id":"%d-%d"}`, i, n)
		}
		burst[i] = [2]string{contract.SignalCommands, "[" + b.String()[1:] + "]"}
	}
	e := newEnv(t)
	e.SetTestTimeout(time.Minute)
	e.signals(time.Second, burst...)
	e.signals(time.Minute, [2]string{"cancel", `{}`})
	e.start(queuedCall)
	require.NoError(t, e.GetWorkflowError())
	var status contract.State
	require.NoError(t, e.GetWorkflowResult(&status))
	require.Zero(t, status.RejectedCount)
	pressed := 0
	for _, moment := range e.moments() {
		if strings.HasSuffix(moment, "dtmf") {
			pressed++
		}
	}
	require.Equal(t, signals*commands, pressed)
}

func TestTheCommandsOfASignalAreCounted(t *testing.T) {
	p := metricstest.New(t)
	plugin, err := p.Plugin()
	require.NoError(t, err)
	var options client.Options
	require.NoError(t, plugin.ConfigureClient(t.Context(), client.PluginConfigureClientOptions{ClientOptions: &options}))
	e := newMeasuredEnv(t, options.MetricsHandler)
	e.signals(time.Second, [2]string{contract.SignalCommands, `[{"command":"offer","agent":"a1","event_id":"1"},
		{"command":"offer","agent":"a1","event_id":"1"},{"command":"hold"},{"command":"dance"},7]`}, [2]string{contract.SignalCommands, `{}`})
	e.signals(time.Minute, [2]string{"complete", `{}`})
	e.startWith(queuedCall, `[{"command":"place_in_queue","queue":"sales"},{"command":"hold"}]`)
	require.Equal(t, map[string]float64{
		"command=place_in_queue,result=applied": 1, "command=hold,result=rejected": 2,
		"command=offer,result=applied": 1, "command=offer,result=duplicate": 1,
		"command=unknown,result=rejected": 3, "command=complete,result=applied": 1,
	}, p.Values("segue_commands_total"))
}
