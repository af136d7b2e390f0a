package groupcommit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/contract"
	"segue/gateway/commands"
	"segue/interaction"
)

func illegalOnes(n int) []json.RawMessage {
	items := make([]json.RawMessage, n)
	for i := range items {
		items[i] = fmt.Appendf(nil, `{"command":"retrieve","event_id":"r%d"}`, i)
	}
	return items
}

// sendUntilAdmitted sends an array as a replica of its own, again while the interaction is overloaded.
func sendUntilAdmitted(t *testing.T, n client.Name, items []json.RawMessage) ([]commands.Result, error) {
	replica := commands.New(commands.Options{Client: segue.Client})
	for {
		results, err := replica.SendAll(t.Context(), n, items)
		if refused := (*client.RefusedError)(nil); !errors.As(err, &refused) || refused.Type != contract.ErrorOverloaded {
			return results, err
		}
	}
}

// Replicas send at the same time, and the worker answers them all in one task: Temporal terminates an
// interaction whose worker answers with more than 4 MB.
func TestLargeArraysAtTheSameTimeEndNothing(t *testing.T) {
	e := newEnv(t)
	e.start()
	e.send("accept", `{"agent":{"id":"a"},"event_id":"accept"}`)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			results, err := sendUntilAdmitted(t, e.name, illegalOnes(contract.CommandsLimit))
			if !assert.NoError(t, err) || !assert.Len(t, results, contract.CommandsLimit) {
				return
			}
			for _, result := range results {
				if refused := (*client.RefusedError)(nil); !assert.ErrorAs(t, result.Err, &refused) || !assert.Equal(t, interaction.WhyNeeds, refused.Why) {
					return
				}
			}
			assert.NotEmpty(t, results[contract.CommandsLimit-1].Answer.Capabilities)
		})
	}
	group.Wait()
	require.Equal(t, interaction.StateHandling, e.state().State)
	for _, event := range e.events(e.state().RunID) {
		require.Less(t, event.Size(), 300<<10)
	}
}

func TestAnArrayOfHTMLFits(t *testing.T) {
	e := newEnv(t)
	e.start()
	body := strings.Repeat("<p>&amp;</p>", 1000)
	var items []json.RawMessage
	for i := range 70 {
		items = append(items, fmt.Appendf(nil, `{"command":"survey","event_id":"s%d","answers":{"text":"%s"}}`, i, body))
	}
	results, err := e.SendAll(t.Context(), e.name, items)
	require.NoError(t, err)
	require.NoError(t, results[0].Err)
	require.NoError(t, results[1].Err)
}

// The server writes all events of a task at once, and at most 4 MB.
func TestLargeRequestsAtTheSameTimeEndNothing(t *testing.T) {
	e := newEnv(t)
	e.start()
	var group sync.WaitGroup
	var applied atomic.Int64
	for i := range 8 {
		items := make([]json.RawMessage, contract.CommandsLimit)
		for j := range items {
			items[j] = fmt.Appendf(nil, `{"command":"script_signal","event_id":"%d-%d","name":"x","p1":%q}`, i, j, strings.Repeat("x", 900))
		}
		group.Go(func() {
			results, err := commands.New(commands.Options{Client: segue.Client}).SendAll(t.Context(), e.name, items)
			if refused := (*client.RefusedError)(nil); errors.As(err, &refused) {
				assert.Equal(t, contract.ErrorOverloaded, refused.Type)
				return
			}
			if assert.NoError(t, err) {
				applied.Add(int64(len(results)))
			}
		})
	}
	group.Wait()
	require.Positive(t, applied.Load())
	require.Equal(t, applied.Load(), e.state().Revision-1)
	require.Equal(t, interaction.StateStarted, e.state().State)
}
