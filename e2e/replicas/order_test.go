package replicas_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// A command is refused in a group, because it is not legal yet. Sent again with the same key once it
// is legal, it is applied: only what was applied is a repeat.
func TestARefusedCommandIsAppliedOnceItIsLegal(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startWorker()
	w.startGateway()
	w.startGateway()
	for round := range reduced(10, 100) {
		id := fmt.Sprint("i", round)
		w.start(w.replica(0), id)
		path := "/v1/interactions/" + id + "/commands/hold"
		var group errgroup.Group
		for number := range 20 { // so that hold is in a group, on both replicas
			group.Go(func() error {
				got, err := w.request(t.Context(), w.replica(number), "", http.MethodPost, "/v1/interactions/"+id+"/commands/dtmf", "", `{"digits":"1"}`)
				if err == nil && got.status != http.StatusOK {
					err = fmt.Errorf("dtmf: %d %s", got.status, got.body)
				}
				return err
			})
		}
		for number := range 2 {
			group.Go(func() error {
				got, err := w.request(t.Context(), w.replica(number), "", http.MethodPost, path, "the-hold", `{}`)
				if err == nil && got.status != http.StatusConflict {
					err = fmt.Errorf("hold: %d %s", got.status, got.body)
				}
				return err
			})
		}
		require.NoError(t, group.Wait())
		w.command(w.replica(round), "", id, "accept", `{"agent":"anna"}`)
		for number, duplicate := range []bool{false, true} {
			got, err := w.request(t.Context(), w.replica(round+number), "", http.MethodPost, path, "the-hold", `{}`)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, got.status, "%s", got.body)
			require.Equal(t, duplicate, got.command(t).Duplicate)
		}
		w.command(w.replica(round), "", id, "retrieve", `{}`) // it was on hold
	}
}

// Numbered commands come in the wrong order, to different replicas.
func TestNumberedCommandsInTheWrongOrder(t *testing.T) {
	parallel(t)
	w := newWorld(t, temporal)
	w.startWorker()
	w.startGateway()
	w.startGateway()
	for round := range reduced(10, 100) {
		id := fmt.Sprint("i", round)
		w.start(w.replica(0), id)
		w.command(w.replica(1), "", id, "accept", `{"agent":"anna","source_sequence":1}`)
		got := w.must(w.replica(round), "", http.MethodPost, "/v1/interactions/"+id+"/commands/retrieve", `{"source_sequence":3}`)
		require.Equal(t, http.StatusAccepted, got.status)
		require.True(t, got.command(t).Waiting)
		w.command(w.replica(round+1), "", id, "hold", `{"source_sequence":2}`)
		w.eventually(time.Minute, "both are applied", func() bool {
			state, err := w.client.State(t.Context(), w.named(id))
			require.NoError(t, err)
			require.Zero(t, state.Gaps)
			require.Zero(t, state.RejectedCount)
			return state.Revision == 4
		})
	}
}
