package groupcommit_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/gateway/commands"
)

// Repeats of a start may have other commands: those of each are applied, and each gets the answers of its own.
func TestStartsAtOnceWithOtherCommandsApplyThemAll(t *testing.T) {
	const racers = 6
	e := newEnv(t)
	var group sync.WaitGroup
	for i := range racers {
		group.Go(func() {
			var own []json.RawMessage
			for j := range 1 + i%3 {
				own = append(own, fmt.Appendf(nil, `{"command":"dtmf","digits":"1","event_id":"d%d-%d"}`, i, j))
			}
			sender := commands.New(commands.Options{Client: segue.Client})
			started, err := sender.Start(t.Context(), e.name, e.startOf("s1", `,"reopen":true`), own)
			if !assert.NoError(t, err) || !assert.Len(t, started.Results, len(own)) {
				return
			}
			for _, result := range started.Results {
				assert.NoError(t, result.Err)
				assert.False(t, result.Answer.Duplicate)
			}
		})
	}
	group.Wait()
	known, err := segue.Client.Received(t.Context(), e.name)
	require.NoError(t, err)
	for i := range racers {
		for j := range 1 + i%3 {
			require.True(t, known[fmt.Sprintf("d%d-%d", i, j)], "%d-%d", i, j)
		}
	}
	require.EqualValues(t, 1+racers*2, e.state().Revision)
}
