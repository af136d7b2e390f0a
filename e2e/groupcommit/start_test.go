package groupcommit_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/interaction"
)

var firstCommands = []json.RawMessage{
	json.RawMessage(`{"command":"place_in_queue","queue":"q","event_id":"c1"}`),
	json.RawMessage(`{"command":"hold","event_id":"c2"}`),
	json.RawMessage(`{"command":"dtmf","digits":"1","event_id":"c3"}`),
}

func TestAStartWithCommandsIsOne(t *testing.T) {
	e := newEnv(t)
	started, err := e.Start(t.Context(), e.name, e.startOf("s1", `,"by":{"id":"p","role":"platform"}`), firstCommands)
	require.NoError(t, err)
	require.False(t, started.Duplicate)
	require.Equal(t, interaction.StateQueued, started.Answer.State)
	require.Len(t, started.Results, 3)
	require.NoError(t, started.Results[0].Err)
	require.Equal(t, interaction.WhyState, requireRefused(t, started.Results[1].Err).Why)
	require.NoError(t, started.Results[2].Err)
	require.Equal(t, started.Answer.Sequence, started.Results[2].Answer.Sequence)
	require.NotEmpty(t, started.Answer.Capabilities)
	require.Equal(t, e.state().RunID, started.RunID)

	again, err := e.Start(t.Context(), e.name, e.startOf("s1", ""), firstCommands)
	require.NoError(t, err)
	require.True(t, again.Duplicate)
	require.True(t, again.Results[0].Answer.Duplicate)
	require.Error(t, again.Results[1].Err)
	require.Equal(t, started.Answer.Sequence, again.Answer.Sequence)
	require.Equal(t, started.RunID, again.RunID)

	var exists *client.ExistsError
	_, err = e.Start(t.Context(), e.name, e.startOf("s2", ""), nil)
	require.ErrorAs(t, err, &exists)
	require.Equal(t, started.RunID, exists.RunID)
}

func TestAStartWithoutCommandsAnswersTheState(t *testing.T) {
	e := newEnv(t)
	started := e.start()
	state := e.state()
	require.Equal(t, interaction.StateStarted, started.Answer.State)
	require.Equal(t, state.Sequence, started.Answer.Sequence)
	require.Equal(t, state.Revision, started.Answer.Revision)
	require.Equal(t, state.Capabilities, started.Answer.Capabilities)
}

func TestAMalformedStartStartsNothing(t *testing.T) {
	e := newEnv(t)
	_, err := e.Start(t.Context(), e.name, e.startOf("s1", `,"direction":"up"`), nil)
	require.Equal(t, "direction", requireRefused(t, err).Field)
	_, err = e.Start(t.Context(), client.Name{ContactCenter: "cc", ID: "another"}, e.startOf("s1", ""), nil)
	require.Equal(t, "id", requireRefused(t, err).Field)
	_, err = segue.Client.State(t.Context(), e.name)
	require.ErrorIs(t, err, client.ErrNotFound)
}

func TestARepeatedStartAfterTheEndStartsNothing(t *testing.T) {
	for title, more := range map[string]string{"": "", "with reopen": `,"reopen":true`} {
		t.Run(title, func(t *testing.T) {
			e := newEnv(t)
			started, err := e.Start(t.Context(), e.name, e.startOf("s1", more), firstCommands)
			require.NoError(t, err)
			e.send("complete", `{"event_id":"end"}`)
			require.NoError(t, segue.Client.Temporal.GetWorkflow(t.Context(), e.name.WorkflowID(), "").Get(t.Context(), nil))

			again, err := e.Start(t.Context(), e.name, e.startOf("s1", more), firstCommands)
			require.NoError(t, err)
			require.True(t, again.Duplicate)
			require.Equal(t, started.RunID, again.RunID)
			require.Equal(t, interaction.StateCompleted, again.Answer.State)
			require.True(t, again.Results[0].Answer.Duplicate)
			require.ErrorIs(t, again.Results[1].Err, client.ErrCompleted)
			require.Equal(t, started.RunID, e.state().RunID)

			var exists *client.ExistsError
			_, err = e.Start(t.Context(), e.name, e.startOf("s2", ""), nil)
			require.ErrorAs(t, err, &exists)
			reopened, err := e.Start(t.Context(), e.name, e.startOf("s3", `,"reopen":true`), nil)
			require.NoError(t, err)
			require.False(t, reopened.Duplicate)
			require.NotEqual(t, started.RunID, reopened.RunID)
			_, err = e.Start(t.Context(), e.name, e.startOf("s4", `,"reopen":true`), nil)
			require.ErrorAs(t, err, &exists, "it is not completed")
		})
	}
}

func TestStartsAtOnceStartOneInteraction(t *testing.T) {
	for title, more := range map[string]string{"": "", "with reopen": `,"reopen":true`} {
		t.Run(title, func(t *testing.T) {
			e := newEnv(t)
			var mu sync.Mutex
			runs, first := map[string]bool{}, 0
			var starters sync.WaitGroup
			for range 10 {
				other := newEnv(t) // another replica
				starters.Go(func() {
					started, err := other.Start(t.Context(), e.name, e.startOf("s1", more), firstCommands)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					runs[started.RunID] = true
					if !started.Duplicate {
						first++
					}
				})
			}
			starters.Wait()
			require.Len(t, runs, 1)
			require.LessOrEqual(t, first, 1)
		})
	}
}
