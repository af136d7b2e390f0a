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

// disorderCases is how many disorders the whole workflow is put through; the
// package intake puts its part of it through many more.
const disorderCases = 300

// tales end an interaction, and end it differently when their commands are disordered.
var tales = [][]string{
	{`place_in_queue {"queue":"sales"}`, `offer {"agent":"a1"}`, `accept {"agent":"a1"}`, `hold {}`, `retrieve {}`, `disconnect {}`, `set_disposition {"code":"SOLD"}`, `complete {}`},
	{`place_in_queue {"queue":"sales"}`, `offer {"agents":["a1","a2"]}`, `reject {"agent":"a1"}`, `accept {"agent":"a2"}`, `consult {"to":{"agent":"a3"}}`, `transfer {"mode":"consult"}`, `complete {"disposition":{"code":"X"}}`},
	{`attach_user_data {"user_data":{"a":{"b":1}}}`, `update_user_data {"user_data":{"a":{"b":2}}}`, `delete_user_data {"keys":["a"]}`, `attach_user_data {"user_data":{"a":3}}`, `survey {"answers":{"q":1}}`, `abandon {}`},
	{`place_in_queue {"queue":"sales"}`, `accept {"agent":"a1"}`, `conference {"agent":"a2"}`, `leave {"agent":"a1"}`, `transfer {"to":{"agent":"a1"},"mode":"offer"}`, `reject {"agent":"a1"}`, `cancel {}`},
}

// letter is one command on its way to the workflow.
type letter struct {
	number  int
	name    string
	payload string
	at      time.Duration
	arrives time.Duration
	update  bool
}

func drawLetters(rt *rapid.T, began time.Time) []letter {
	var letters []letter
	clock := 100 * time.Millisecond
	for n, line := range rapid.SampledFrom(tales).Draw(rt, "tale") {
		clock += time.Duration(rapid.IntRange(0, 600).Draw(rt, "pause ms")) * time.Millisecond
		name, fields, _ := strings.Cut(line, " ")
		payload := strings.Replace(fmt.Sprintf(`{"event_id":"e%d","at":%q,"source_sequence":%d,%s`,
			n+1, began.Add(clock).Format(time.RFC3339Nano), n+1, fields[1:]), ",}", "}", 1)
		for range rapid.SampledFrom([]int{1, 1, 1, 2}).Draw(rt, "copies") {
			// The environment's clock runs on while an activity does, so a delay keeps off the window's end.
			delay := time.Duration(rapid.IntRange(0, 1900).Draw(rt, "delay ms")) * time.Millisecond
			letters = append(letters, letter{n + 1, name, payload, clock, clock + delay + time.Duration(len(letters))*time.Microsecond, rapid.Bool().Draw(rt, "update")})
		}
	}
	slices.SortFunc(letters, func(a, b letter) int { return int(a.arrives - b.arrives) })
	return letters
}

// TestAWorkflowUndoesDisorder holds the whole workflow, timers and lanes,
// against the bare state machine that gets the same commands in their order.
func TestAWorkflowUndoesDisorder(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue {
		require.NoError(t, checks.Value.Set(fmt.Sprint(disorderCases)))
		defer func() { require.NoError(t, checks.Value.Set(before)) }()
	}
	began := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	rapid.Check(t, func(rt *rapid.T) {
		letters := drawLetters(rt, began)
		wantStatus, wantEvents := inTheirOrder(rt, began, letters)
		status, events, sent := post(t, rt, began, letters)
		require.Equal(rt, jsonOf(rt, wantEvents), jsonOf(rt, events))
		var wantSent []string
		for _, event := range wantEvents {
			if event.Moment == interaction.MomentSegmentChange {
				wantSent = append(wantSent, fmt.Sprintf("crm-%d", event.Sequence))
			}
		}
		require.Equal(rt, wantSent, sent, "every delivery, in the order of its lane")
		require.Zero(rt, status.Gaps)
		status.Duplicates, status.RejectedCount, status.Runs = 0, 0, 0 // what the repeats came to
		require.Equal(rt, jsonOf(rt, wantStatus), jsonOf(rt, status))
	})
}

func inTheirOrder(rt *rapid.T, began time.Time, letters []letter) (contract.State, []interaction.Event) {
	start, err := interaction.DecodeStart([]byte(startInbound))
	require.NoError(rt, err)
	i, effect, err := interaction.Open(start, began)
	require.NoError(rt, err)
	events := effect.Turn.Events
	done := 0
	for _, l := range slices.SortedStableFunc(slices.Values(letters), func(a, b letter) int { return a.number - b.number }) {
		if l.number == done {
			continue
		}
		done = l.number
		command, err := interaction.Decode(l.name, []byte(l.payload))
		require.NoError(rt, err)
		if effect, err := i.Apply(command, began.Add(l.at)); err == nil {
			events = append(events, effect.Turn.Events...)
		}
	}
	if i.Lingers() { // the run closes when nothing more is awaited
		_, err := i.Apply(interaction.TimerCommand(interaction.LateEventsTimeout, interaction.Timer{}), began.Add(time.Hour))
		require.NoError(rt, err)
	}
	return contract.State{Status: i.Status()}, events
}

// post lets the workflow have the letters as they arrive.
func post(t *testing.T, rt *rapid.T, began time.Time, letters []letter) (last contract.State, events []interaction.Event, sent []string) {
	e := newEnv(t)
	e.SetStartTime(began)
	fire(e, interaction.MomentSegmentChange, "crm")
	deliver := e.onDispatch
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		deliver(in, result)
		result.Rules = &contract.Rules{Timeouts: contract.Timeouts{SequenceGap: gap, WrapUp: time.Minute, LateEvents: time.Minute, Lifetime: time.Hour}}
	}
	for n, l := range letters {
		e.at(l.arrives, func() {
			if l.update {
				e.UpdateWorkflow(l.name, fmt.Sprint("u", n), &updateCallbacks{}, json.RawMessage(l.payload))
				return
			}
			e.SignalWorkflow(l.name, json.RawMessage(l.payload))
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
