package workflows_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/contract"
	"segue/interaction"
)

// disorderCases is how many orders the test of the whole workflow draws; the model test of
// the package intake draws many more.
const disorderCases = 300

// scenarios end an interaction, differently if their commands are out of order.
var scenarios = [][]string{
	{`place_in_queue {"queue":"sales"}`, `offer {"agent":"a1"}`, `accept {"agent":"a1"}`, `hold {}`, `retrieve {}`, `disconnect {}`, `set_disposition {"code":"SOLD"}`, `complete {}`},
	{`place_in_queue {"queue":"sales"}`, `offer {"agents":["a1","a2"]}`, `reject {"agent":"a1"}`, `accept {"agent":"a2"}`, `consult {"to":{"agent":"a3"}}`, `transfer {"mode":"consult"}`, `complete {"disposition":{"code":"X"}}`},
	{`attach_user_data {"user_data":{"a":{"b":1}}}`, `update_user_data {"user_data":{"a":{"b":2}}}`, `delete_user_data {"keys":["a"]}`, `attach_user_data {"user_data":{"a":3}}`, `survey {"answers":{"q":1}}`, `abandon {}`},
	{`place_in_queue {"queue":"sales"}`, `accept {"agent":"a1"}`, `conference {"agent":"a2"}`, `leave {"agent":"a1"}`, `transfer {"to":{"agent":"a1"},"mode":"offer"}`, `reject {"agent":"a1"}`, `cancel {}`},
}

// message is one command on its way to the workflow.
type message struct {
	number  int
	name    string
	payload string
	at      time.Duration
	arrives time.Duration
	update  bool
}

// drawMessages draws the commands of a scenario, by time of arrival.
func drawMessages(rt *rapid.T, began time.Time) []message {
	var messages []message
	clock := 100 * time.Millisecond
	for n, line := range rapid.SampledFrom(scenarios).Draw(rt, "scenario") {
		clock += time.Duration(rapid.IntRange(0, 600).Draw(rt, "pause ms")) * time.Millisecond
		name, fields, _ := strings.Cut(line, " ")
		payload := strings.Replace(fmt.Sprintf(`{"event_id":"e%d","at":%q,"source_sequence":%d,%s`,
			n+1, began.Add(clock).Format(time.RFC3339Nano), n+1, fields[1:]), ",}", "}", 1)
		for range rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(rt, "copies") {
			// The environment's clock runs on while an activity does, so delays stay below the window.
			delay := time.Duration(rapid.IntRange(0, 1900).Draw(rt, "delay ms")) * time.Millisecond
			messages = append(messages, message{n + 1, name, payload, clock, clock + delay + time.Duration(len(messages))*time.Microsecond, rapid.Bool().Draw(rt, "update")})
		}
	}
	slices.SortFunc(messages, func(a, b message) int { return int(a.arrives - b.arrives) })
	return messages
}

// TestAWorkflowRestoresTheOrderOfCommands compares the whole workflow, with timers and lanes,
// with the bare state machine, which gets the same commands in order.
func TestAWorkflowRestoresTheOrderOfCommands(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue {
		require.NoError(t, checks.Value.Set(fmt.Sprint(disorderCases)))
		defer func() { require.NoError(t, checks.Value.Set(before)) }()
	}
	began := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		messages := drawMessages(rt, began)
		wantStatus, wantEvents := applied(rt, began, messages)
		status, events, sent := send(t, rt, began, messages)
		require.Equal(rt, jsonOf(rt, wantEvents), jsonOf(rt, events))
		var wantSent []string
		for _, event := range wantEvents {
			if event.Moment == interaction.MomentSegmentChange {
				wantSent = append(wantSent, fmt.Sprintf("crm-%d", event.Sequence))
			}
		}
		require.Equal(rt, wantSent, sent, "every delivery, in the order of its lane")
		require.Zero(rt, status.Gaps)
		status.Duplicates, status.RejectedCount, status.Runs, status.RunID = 0, 0, 0, "" // of the repeats, and of the run
		require.Equal(rt, jsonOf(rt, wantStatus), jsonOf(rt, status))
	})
}

// applied applies the messages to the bare state machine, in order, and counts what is applied.
func applied(rt *rapid.T, began time.Time, messages []message) (contract.State, []interaction.Event) {
	start, err := interaction.DecodeStart([]byte(startInbound))
	require.NoError(rt, err)
	i, effect, err := interaction.Open(start, began)
	require.NoError(rt, err)
	events, revision := effect.Turn.Events, int64(1)
	done := 0
	for _, m := range slices.SortedStableFunc(slices.Values(messages), func(a, b message) int { return a.number - b.number }) {
		if m.number == done {
			continue
		}
		done = m.number
		command, err := interaction.Decode(m.name, []byte(m.payload))
		require.NoError(rt, err)
		if effect, err := i.Apply(command, began.Add(m.at)); err == nil {
			events = append(events, effect.Turn.Events...)
			revision++
		}
	}
	if i.Lingers() { // the run closes when late data is no longer awaited
		_, err := i.Apply(interaction.TimerCommand(interaction.LateEventsTimeout, interaction.Timer{}), began.Add(time.Hour))
		require.NoError(rt, err)
		revision++
	}
	return contract.State{Status: i.Status(), Revision: revision}, events
}

// send sends the messages to the workflow when they arrive.
func send(t *testing.T, rt *rapid.T, began time.Time, messages []message) (last contract.State, events []interaction.Event, sent []string) {
	e := newEnv(t)
	e.SetStartTime(began)
	fire(e, interaction.MomentSegmentChange, "crm")
	deliver := e.onDispatch
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		deliver(in, result)
		result.Rules = &contract.Rules{Timeouts: contract.Timeouts{SequenceGap: gap, WrapUp: time.Minute, LateEvents: time.Minute, Lifetime: time.Hour}}
	}
	for n, m := range messages {
		e.at(m.arrives, func() {
			if m.update {
				e.UpdateWorkflow(m.name, fmt.Sprint("u", n), &updateCallbacks{}, json.RawMessage(m.payload))
				return
			}
			e.SignalWorkflow(m.name, json.RawMessage(m.payload))
		})
	}
	e.ExecuteWorkflow(contract.WorkflowInteraction, json.RawMessage(startInbound))
	require.True(rt, e.IsWorkflowCompleted())
	require.NoError(rt, e.GetWorkflowError())
	require.NoError(rt, e.GetWorkflowResult(&last))
	for _, attempt := range e.attempts {
		for _, request := range attempt.Requests {
			sent = append(sent, request.ID)
		}
	}
	return last, e.events, sent
}

func jsonOf(t require.TestingT, value any) string {
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return string(encoded)
}
