package groupcommit_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/contract"
	"segue/interaction"
)

func TestTwoHundredCommandsAtOnceAreAnsweredInFewUpdates(t *testing.T) {
	e := newEnv(t)
	run := e.start().RunID
	before := e.send("dtmf", dtmf("first"))
	var mu sync.Mutex
	seen := map[int64]bool{}
	var senders sync.WaitGroup
	for i := range 200 {
		senders.Go(func() {
			answer, err := e.Send(t.Context(), e.name, "dtmf", json.RawMessage(dtmf(fmt.Sprint(i))))
			if err != nil || answer.Duplicate || answer.RunID != run {
				t.Errorf("command %d: %v, %+v", i, err, answer)
			}
			mu.Lock()
			defer mu.Unlock()
			seen[answer.Sequence] = true
		})
	}
	senders.Wait()
	require.Len(t, seen, 200, "each answer is that of its own command")
	require.Equal(t, before.Sequence+200, e.state().Sequence)
	updates := e.acceptedUpdates(run)
	require.Less(t, updates, 50)
	require.Equal(t, int(e.updates.Load()), updates)
}

func TestACommandRefusedInAGroupIsAppliedOnceItIsLegal(t *testing.T) {
	e := newEnv(t)
	e.start()
	hold := json.RawMessage(`{"event_id":"hold"}`)
	var refusal error
	var senders sync.WaitGroup
	for i := range 20 {
		senders.Go(func() {
			if i == 10 {
				_, refusal = e.Send(t.Context(), e.name, "hold", hold)
				return
			}
			if _, err := e.Send(t.Context(), e.name, "dtmf", json.RawMessage(dtmf(fmt.Sprint(i)))); err != nil {
				t.Error(err)
			}
		})
	}
	senders.Wait()
	refused := requireRefused(t, refusal)
	require.Equal(t, interaction.WhyState, refused.Why)
	e.send("offer", `{"agent":"a1"}`)
	e.send("accept", `{"agent":"a1"}`)
	answer := e.send("hold", string(hold))
	require.False(t, answer.Duplicate)
	require.True(t, e.state().Participants[0].Held)
	repeated := e.send("hold", string(hold))
	require.True(t, repeated.Duplicate)
	require.Equal(t, answer.Sequence, repeated.Sequence)
}

func TestAnArrayIsAppliedInOrderAndARefusedElementStopsNothing(t *testing.T) {
	e := newEnv(t)
	e.start()
	var array []json.RawMessage
	for i := range 500 {
		array = append(array, fmt.Appendf(nil, `{"command":"dtmf","digits":"%d","event_id":"a%d"}`, i, i))
	}
	array[250] = json.RawMessage(`{"command":"hold","event_id":"hold"}`)
	array[251] = json.RawMessage(`{"command":"dtmf","event_id":"none"}`)
	results, err := e.SendAll(t.Context(), e.name, array)
	require.NoError(t, err)
	require.Len(t, results, 500)
	last := int64(0)
	for i, result := range results {
		if i == 250 || i == 251 {
			requireRefused(t, result.Err)
			continue
		}
		require.NoError(t, result.Err)
		require.Greater(t, result.Answer.Sequence, last)
		last = result.Answer.Sequence
	}
	require.Equal(t, "digits", requireRefused(t, results[251].Err).Field)
	require.EqualValues(t, 1, e.updates.Load()-1)
}

func TestARepeatIsADuplicateWhereverItIs(t *testing.T) {
	e := newEnv(t)
	e.start()
	duplicates := make(chan bool, 10)
	var senders sync.WaitGroup
	for range 10 {
		senders.Go(func() {
			answer, err := e.Send(t.Context(), e.name, "dtmf", json.RawMessage(dtmf("same")))
			if err != nil {
				t.Error(err)
			}
			duplicates <- answer.Duplicate
		})
	}
	senders.Wait()
	close(duplicates)
	applied := 0
	for duplicate := range duplicates {
		if !duplicate {
			applied++
		}
	}
	require.Equal(t, 1, applied)
}

// The interaction closes with its end, so that nothing but its history has the event ids.
func TestARepeatAfterTheEndIsADuplicate(t *testing.T) {
	e := newEnv(t)
	e.start()
	e.send("dtmf", dtmf("d1"))
	_, err := e.SendAll(t.Context(), e.name, []json.RawMessage{
		json.RawMessage(`{"command":"dtmf","digits":"2","event_id":"d2"}`), json.RawMessage(`{"command":"hold","event_id":"refused"}`),
	})
	require.NoError(t, err)
	ended := e.send("complete", `{"event_id":"end"}`)
	require.Equal(t, interaction.StateCompleted, ended.State)
	require.NoError(t, segue.Client.Temporal.GetWorkflow(t.Context(), e.name.WorkflowID(), "").Get(t.Context(), nil))

	for _, id := range []string{"d1", "d2", "end"} {
		answer := e.send("dtmf", dtmf(id))
		require.True(t, answer.Duplicate, id)
		require.Equal(t, interaction.StateCompleted, answer.State)
		require.Equal(t, ended.RunID, answer.RunID)
		require.Equal(t, ended.Revision, answer.Revision)
	}
	for _, id := range []string{"refused", "new"} {
		_, err := e.Send(t.Context(), e.name, "dtmf", json.RawMessage(dtmf(id)))
		var completed *client.CompletedError
		require.ErrorAs(t, err, &completed, id)
		require.NotNil(t, completed.Last)
	}
	_, err = e.Send(t.Context(), client.Name{ContactCenter: "cc", ID: "never-started"}, "dtmf", json.RawMessage(dtmf("x")))
	require.ErrorIs(t, err, client.ErrNotFound)
}

// Each command has 20 KB, so that the history gets too long twice.
func TestCommandsGoOnWhileTheInteractionContinuesAsNew(t *testing.T) {
	e := newEnv(t)
	e.start()
	before := e.send("dtmf", dtmf("first"))
	note := strings.Repeat("x", 20<<10)
	var senders sync.WaitGroup
	for sender := range 8 {
		senders.Go(func() {
			for i := range 60 {
				payload := fmt.Appendf(nil, `{"digits":"1","event_id":"%d.%d","note":%q}`, sender, i, note)
				answer, err := e.Send(t.Context(), e.name, "dtmf", payload)
				if err != nil || answer.Duplicate {
					t.Errorf("%d.%d: %v, %+v", sender, i, err, answer)
				}
			}
		})
	}
	senders.Wait()
	state := e.state()
	require.Equal(t, before.Sequence+480, state.Sequence)
	require.Greater(t, state.Runs, 1)
	answer := e.send("dtmf", dtmf("7.59"))
	require.True(t, answer.Duplicate)
	require.Equal(t, state.RunID, answer.RunID)

	// The start is recognized in a later run, too.
	started, err := e.Start(t.Context(), e.name, e.startOf("start", ""), nil)
	require.NoError(t, err)
	require.True(t, started.Duplicate)
}

// A command that is ahead of its number is answered at once, and applied when the missing one comes.
func TestTwoNumberedCommandsInTheWrongOrderAreBothApplied(t *testing.T) {
	e := newEnv(t)
	e.start()
	before := e.send("dtmf", dtmf("first"))
	ahead := e.send("dtmf", `{"digits":"2","event_id":"n2","source_sequence":2}`)
	require.True(t, ahead.Waiting)
	require.Equal(t, before.Sequence, ahead.Sequence)
	repeated := e.send("dtmf", `{"digits":"2","event_id":"n2","source_sequence":2}`)
	require.Equal(t, before.Sequence, repeated.Sequence)
	answer := e.send("dtmf", `{"digits":"1","event_id":"n1","source_sequence":1}`)
	require.False(t, answer.Waiting)
	require.Equal(t, before.Sequence+2, e.state().Sequence)
	require.True(t, e.send("dtmf", `{"digits":"2","event_id":"n2","source_sequence":2}`).Duplicate)
}

// The reasons of refusals are the interaction's own.
func TestARefusalHasItsReason(t *testing.T) {
	e := newEnv(t)
	e.start()
	e.send("offer", `{"agent":"a1"}`)
	e.send("accept", `{"agent":"a1"}`)
	for _, test := range []struct {
		command, payload string
		why              interaction.Why
	}{
		{"connect", `{}`, interaction.WhyState},
		{"hold", `{"by":{"id":"a2","role":"agent"}}`, interaction.WhyAgent},
		{"dtmf", `{"digits":"1","by":{"id":"a1","role":"agent"}}`, interaction.WhyRole},
	} {
		_, err := e.Send(t.Context(), e.name, test.command, json.RawMessage(test.payload))
		refused := requireRefused(t, err)
		require.Equal(t, test.why, refused.Why, test.command)
		require.Equal(t, interaction.StateHandling, refused.State)
		element := strings.Replace(`{"command":"`+test.command+`",`+test.payload[1:], ",}", "}", 1)
		results, err := e.SendAll(t.Context(), e.name, []json.RawMessage{json.RawMessage(element)})
		require.NoError(t, err)
		require.Equal(t, refused, requireRefused(t, results[0].Err))
	}
}

func TestTheStateHasTheCapabilitiesOfTheActor(t *testing.T) {
	e := newEnv(t)
	e.start()
	e.send("offer", `{"agent":"a1"}`)
	agent, err := segue.Client.StateFor(t.Context(), e.name, &contract.StateRequest{ID: "a1", Role: "agent"})
	require.NoError(t, err)
	require.Contains(t, agent.Capabilities, "accept")
	require.NotContains(t, agent.Capabilities, "dtmf")
	require.Contains(t, e.state().Capabilities, "dtmf")
}
