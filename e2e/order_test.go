package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"golang.org/x/sync/errgroup"

	"segue/contract"
	"segue/interaction"
)

// commandPool are the commands of the random sequences: many names, some of which lead to different states depending
// on the commands before.
var commandPool = [][2]string{
	{"place_in_queue", `{"queue":"sales"}`}, {"place_in_queue", `{"queue":"backup"}`},
	{"offer", `{"agent":{"id":"a1"}}`}, {"offer", `{"agents":[{"id":"a1"},{"id":"a2"}]}`},
	{"accept", `{"agent":{"id":"a1"}}`}, {"accept", `{"agent":{"id":"a2"}}`},
	{"reject", `{"agent":{"id":"a1"}}`}, {"hold", `{}`}, {"retrieve", `{}`},
	{"consult", `{"to":{"agent":{"id":"a3"}}}`}, {"conference", `{"agent":{"id":"a4"}}`}, {"leave", `{"agent":{"id":"a3"}}`},
	{"transfer", `{"to":{"agent":{"id":"a5"}}}`}, {"transfer", `{"to":{"queue":"backup"}}`},
	{"place_in_workbin", `{"workbin":"later"}`}, {"set_disposition", `{"code":"SOLD"}`},
	{"attach_user_data", `{"user_data":{"tier":"gold"}}`}, {"update_user_data", `{"user_data":{"tier":"silver"}}`},
	{"delete_user_data", `{"keys":["tier"]}`}, {"queue_event", `{"event":"PLAY"}`}, {"dtmf", `{"digits":"1"}`},
	{"script_signal", `{"p1":"x"}`}, {"survey", `{"answers":{"q":"5"}}`}, {"disconnect", `{}`},
	{"complete", `{}`}, {"abandon", `{}`}, {"nonsense", `{}`},
}

// TestCommandsApplyInTheOrderOfTheHistory sends bursts of mixed signals while no worker runs, and compares the result
// of each with that of the pure state machine for the signals in the order of the history.
func TestCommandsApplyInTheOrderOfTheHistory(t *testing.T) {
	t.Parallel()
	const shortest, longest = 4, 14
	sequences := reduced(250, 1000)
	e := newEnv(t)
	runs := make([]string, sequences)
	var senders errgroup.Group
	senders.SetLimit(16)
	for i := range sequences {
		senders.Go(func() error {
			random := rand.New(rand.NewPCG(20, uint64(i)))
			id := fmt.Sprintf("s%d", i)
			runs[i] = e.start(id, "inbound").GetRunID()
			for range shortest + random.IntN(longest-shortest) {
				c := commandPool[random.IntN(len(commandPool))]
				e.signal(id, c[0], c[1])
			}
			return nil
		})
	}
	require.NoError(t, senders.Wait())
	crm := newReceiver(t, func(arrival) int { return 200 })
	e.startWorker(probeConfig(crm.URL, "interaction_ends"))

	for i, runID := range runs {
		id := fmt.Sprintf("s%d", i)
		var got contract.State
		e.eventually(time.Minute, "the worker answers for "+id, func() bool {
			status, err := query[contract.State](e, id, contract.QueryState)
			got = status
			return err == nil
		})
		want, _, rejected := replayPurely(t, e.name, id, e.history(id, runID))
		require.Equal(t, want.State, got.State, id)
		require.Equal(t, want.Outcome, got.Outcome, id)
		require.Equal(t, want.Sequence, got.Sequence, id)
		require.Equal(t, want.Participants, got.Participants, id)
		require.Equal(t, want.UserData, got.UserData, id)
		kept, err := query[[]contract.Rejected](e, id, contract.QueryRejected)
		require.NoError(t, err)
		var reasons []string
		for _, r := range kept {
			reasons = append(reasons, r.Command+": "+r.Reason)
		}
		require.Equal(t, timeless(rejected), timeless(reasons), id)
	}
}

// timeless removes from reasons when the interaction ended, which is by the worker's clock.
func timeless(reasons []string) []string {
	var list []string
	for _, reason := range reasons {
		list = append(list, endedAt.ReplaceAllString(reason, ""))
	}
	return list
}

var endedAt = regexp.MustCompile(` at \d{4}-[^,]+`)

// replayPurely applies the signals of a history, in order, to the state machine. It returns the final state, all
// events, and the rejected commands.
func replayPurely(t *testing.T, contactCenter, id string, history []*historypb.HistoryEvent) (contract.State, []interaction.Event, []string) {
	t.Helper()
	started := history[0]
	start, err := interaction.DecodeStart(startOf(contactCenter, id, "inbound"))
	require.NoError(t, err)
	machine, effect, err := interaction.Open(start, started.GetEventTime().AsTime())
	require.NoError(t, err)
	events := effect.Turn.Events
	var rejected []string
	for _, event := range history {
		if event.GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
			continue
		}
		signal := event.GetWorkflowExecutionSignaledEventAttributes()
		var payload json.RawMessage
		if payloads := signal.GetInput().GetPayloads(); len(payloads) > 0 {
			payload = payloads[0].GetData()
		}
		command, err := interaction.Decode(signal.GetSignalName(), payload)
		if err == nil {
			effect, err = machine.Apply(command, event.GetEventTime().AsTime())
		}
		if err == nil {
			events = append(events, effect.Turn.Events...)
		} else {
			rejected = append(rejected, signal.GetSignalName()+": "+err.Error())
		}
	}
	return contract.State{Status: machine.Status()}, events, rejected
}
