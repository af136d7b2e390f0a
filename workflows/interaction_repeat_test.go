package workflows_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

// repeats are payloads with a known event_id: what else they have does not matter.
var repeats = map[string]struct{ name, payload string }{
	"the same":                    {"offer", `{"agent":"a1","event_id":"e1"}`},
	"another payload":             {"offer", `{"agent":"a2","event_id":"e1"}`},
	"another command":             {"hold", `{"event_id":"e1"}`},
	"malformed":                   {"offer", `{"agent":{"id":true},"event_id":"e1"}`},
	"a field is missing":          {"place_in_queue", `{"event_id":"e1"}`},
	"a field is too large":        {"place_in_queue", `{"queue":"` + strings.Repeat("x", 300) + `","event_id":"e1"}`},
	"an agent may not give it":    {"survey", `{"event_id":"e1","by":{"id":"a9","role":"agent"}}`},
	"the event_id of the start":   {"offer", `{"agent":7,"event_id":"s1"}`},
	"a number that is far ahead":  {"dtmf", `{"digits":"1","event_id":"e1","source_sequence":99999}`},
	"a number that is used":       {"dtmf", `{"digits":"1","event_id":"e1","source_sequence":1}`},
	"an actor that is none, also": {"offer", `{"agent":{"id":true},"event_id":"e1","by":7}`},
}

const knownCall = `{"id":"i-1","contact_center":"cc","channel":"inbound","event_id":"s1"}`

func TestARepeatSucceedsWhateverComesWithIt(t *testing.T) {
	for name, repeat := range repeats {
		t.Run(name, func(t *testing.T) {
			e := inOrder(t)
			var single, array *updateCallbacks
			var before contract.State
			e.signals(time.Second, [2]string{"offer", `{"agent":"a1","event_id":"e1"}`}, [2]string{"dtmf", `{"digits":"1","source_sequence":1}`})
			e.at(2*time.Second, func() {
				before = e.status()
				single = e.update("u1", repeat.name, repeat.payload)
				array = e.update("u2", contract.UpdateCommands, "["+element(repeat.name, repeat.payload)+"]")
				e.SignalWorkflow(repeat.name, json.RawMessage(repeat.payload))
			})
			e.at(3*time.Second, func() {
				require.NoError(t, single.rejected)
				require.NoError(t, single.failed)
				answer := single.answer.(contract.Answer)
				require.True(t, answer.Duplicate)
				require.Equal(t, interaction.StateOffered, answer.State)
				result := array.answer.([]contract.CommandResult)[0]
				require.Nil(t, result.Error)
				require.True(t, result.Duplicate)

				after := e.status()
				require.Equal(t, 3, after.Duplicates)
				require.Zero(t, after.RejectedCount)
				require.Equal(t, before.Revision, after.Revision)
				require.Equal(t, before.OfferedTo, after.OfferedTo)
				e.SignalWorkflow("abandon", json.RawMessage(`{}`))
			})
			e.start(knownCall)
			require.NoError(t, e.GetWorkflowError())
		})
	}
}

// What names no command, too; and what repeats nothing is refused as before.
func TestAnElementThatNamesNoCommandMayBeARepeat(t *testing.T) {
	e := newEnv(t)
	var update *updateCallbacks
	e.signals(time.Second, [2]string{"offer", `{"agent":"a1","event_id":"e1"}`})
	e.at(2*time.Second, func() {
		update = e.update("u1", contract.UpdateCommands, `[{"event_id":"e1"},{"command":"dance","event_id":"e1"},{"command":"dance","event_id":"e2"},{"event_id":["e1"]}]`)
	})
	e.signals(time.Minute, [2]string{"abandon", `{}`})
	e.start(startInbound)
	results := update.answer.([]contract.CommandResult)
	require.True(t, results[0].Duplicate)
	require.True(t, results[1].Duplicate)
	require.Equal(t, interaction.WhyUnknown, results[2].Error.Why)
	require.Equal(t, interaction.WhyMissing, results[3].Error.Why)
}

func TestAReplyIsAnsweredWithItsDraftAlsoIfRepeated(t *testing.T) {
	e := inOrder(t)
	var first, second, again *updateCallbacks
	e.signals(time.Second, [2]string{"accept", `{"agent":"a1"}`})
	e.at(2*time.Second, func() {
		first = e.update("u1", "reply", `{"event_id":"r1","by":{"id":"a1","role":"agent"}}`)
		second = e.update("u2", contract.UpdateCommands, `[{"command":"reply","event_id":"r2"},{"command":"reply","event_id":"r1"}]`)
		again = e.update("u3", "reply", `{"event_id":"r2","user_data":7}`)
	})
	e.signals(time.Minute, [2]string{"cancel", `{}`})
	e.start(startInbound)
	require.NoError(t, e.GetWorkflowError())
	require.Equal(t, "i-1~1", first.answer.(contract.Answer).Child)
	results := second.answer.([]contract.CommandResult)
	require.Equal(t, "i-1~2", results[0].Child)
	require.Equal(t, "i-1~1", results[1].Child)
	require.True(t, results[1].Duplicate)
	require.Equal(t, "i-1~2", again.answer.(contract.Answer).Child)
}
