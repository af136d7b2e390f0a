package replicas_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"segue/e2e/cut"
	"segue/embedded"
)

// An agent sends a command to one replica and reads its list on the other.
func TestAnAgentReadsItsWritesOnAnyReplica(t *testing.T) {
	parallel(t)
	readsItsWrites(t, temporal, reduced(100, 1000))
}

func readsItsWrites(t *testing.T, server *embedded.Server, rounds int) {
	w := newWorld(t, server)
	w.startWorker()
	w.startGateway()
	w.startGateway()
	w.start(w.replica(0), "i1")
	for round := range rounds {
		require.NoError(t, w.readsBack(round, "anna", "i1"))
	}
	w.agree(healedWithin, "i1")
}

// The bus reaches one replica with a delay. Several agents work at once, so that this does not take
// hours.
func TestAnAgentReadsItsWritesWithADelayedBus(t *testing.T) {
	parallel(t)
	w := withDelayedBus(t)
	const agents = 8
	var working errgroup.Group
	for number := range agents {
		id, agent := fmt.Sprint("i", number), fmt.Sprint("anna", number)
		w.start(w.replica(number), id)
		working.Go(func() error {
			for round := range reduced(16, 1000) / agents {
				if err := w.readsBack(round, agent, id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, working.Wait())
}

// withDelayedBus returns a world with two gateways, of which the second gets everything from the bus 300 ms
// late.
func withDelayedBus(t *testing.T) *world {
	w := newWorld(t, temporal)
	w.startWorker()
	w.startGateway()
	late := cut.Before(t, w.busAt)
	late.Delay(300 * time.Millisecond)
	w.startGatewayOn(late.Address())
	w.start(w.replica(0), "first")
	w.agree(healedWithin, "first") // both read the stream
	return w
}

// readsBack accepts an interaction and gives it back, and requires after each that the agent's list on
// the other replica shows it.
func (w *world) readsBack(round int, agent, id string) error {
	for step, command := range []string{"accept", "place_in_queue"} {
		at := round + step
		got, err := w.request(w.Context(), w.replica(at), agent, http.MethodPost, "/v1/interactions/"+id+"/commands/"+command, "", `{"queue":"q"}`)
		if err != nil {
			return err
		}
		if got.status != http.StatusOK {
			return fmt.Errorf("round %d: %s: %d %s", round, command, got.status, got.body)
		}
		revision := got.command(w).Revision
		for _, g := range []*gateway{w.replica(at + 1), w.replica(at)} {
			found, err := w.list(g, agent, nil)
			if err != nil {
				return err
			}
			want := map[string]int64{}
			if command == "accept" {
				want[id] = revision
			}
			if !maps.Equal(found, want) {
				return fmt.Errorf("round %d: after %s the list is %v, want %v", round, command, found, want)
			}
		}
	}
	return nil
}

// A reply has a draft, which is the agent's at once.
func TestAnAgentsListHasTheDraftOfAReply(t *testing.T) {
	parallel(t)
	w := withDelayedBus(t)
	for round := range reduced(4, 100) {
		id, agent := fmt.Sprint("mail-", round), fmt.Sprint("anna", round)
		w.must(w.replica(0), "", http.MethodPost, "/v1/interactions", fmt.Sprintf(`{"id":%q,"channel":"email","queue":"q"}`, id))
		w.command(w.replica(round), agent, id, "accept", `{}`)
		child := w.command(w.replica(round), agent, id, "reply", `{}`).Child
		require.NotEmpty(t, child)
		found, err := w.list(w.replica(round+1), agent, url.Values{})
		require.NoError(t, err)
		require.ElementsMatch(t, []string{id, child}, slices.Collect(maps.Keys(found)), "round %d", round)
	}
}
