package replay_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/proto"

	"segue/contract"
	"segue/interaction"
	"segue/replay"
	"segue/workflows"
)

// terminatedAfter returns a history as it would be if the workflow had been terminated after
// so many events.
func terminatedAfter(history *historypb.History, events int) *historypb.History {
	broken := proto.CloneOf(history)
	broken.Events = broken.Events[:events]
	last := broken.Events[events-1]
	broken.Events = append(broken.Events, &historypb.HistoryEvent{
		EventId: int64(events + 1), EventTime: last.GetEventTime(), EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
	})
	return broken
}

// mayEndHere reports whether a termination can come before an event: the server writes all
// commands of a task at once.
func mayEndHere(next *historypb.HistoryEvent) bool {
	switch next.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, enumspb.EVENT_TYPE_TIMER_FIRED,
		enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
		return true
	}
	return false
}

// terminatedHistories terminates every golden history of interactions, or of lanes, wherever
// that is possible, and checks what Recall returns. A long history is terminated at a few places.
func terminatedHistories(t *testing.T, lanes bool, check func(t *testing.T, recalled *workflows.Recovery, at *historypb.HistoryEvent)) {
	const long, cuts = 100, 6
	files, err := filepath.Glob("testdata/*/*.json.gz")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "lane_") != lanes || strings.HasPrefix(name, "receiver_") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			history := load(t, file)
			var ends []int
			for events := 1; events < len(history.Events); events++ {
				if mayEndHere(history.Events[events]) {
					ends = append(ends, events)
				}
			}
			require.NotEmpty(t, ends)
			step := 1
			if len(ends) > long {
				step = len(ends) / cuts
			}
			for i := 0; i < len(ends); i += step {
				recalled, err := replay.Recall(terminatedAfter(history, ends[i]), quiet)
				require.NoError(t, err, "after event %d", ends[i])
				check(t, recalled, history.Events[ends[i]])
			}
		})
	}
}

// TestATerminatedInteractionIsRecalled terminates every golden history: the interaction then
// ends once, and its undispatched events follow those that were dispatched.
func TestATerminatedInteractionIsRecalled(t *testing.T) {
	terminatedHistories(t, false, func(t *testing.T, recalled *workflows.Recovery, at *historypb.HistoryEvent) {
		left, ok := recalled.Interaction()
		require.True(t, ok)
		wasCompleted := left.State() == interaction.StateCompleted
		require.NoError(t, left.End(at.GetEventTime().AsTime(), "by hand"))
		require.Equal(t, interaction.StateCompleted, left.State())
		ends, sequence := 0, left.Carried.Outbox.After
		for _, event := range left.Undispatched() {
			require.Equal(t, sequence+1, event.Sequence, "after event %d", at.GetEventId())
			sequence = event.Sequence
			if event.Moment == interaction.MomentInteractionEnds {
				ends++
			}
		}
		require.Equal(t, left.Carried.Interaction.Sequence(), sequence)
		if !wasCompleted {
			require.Equal(t, 1, ends, "after event %d", at.GetEventId())
		}
		require.Equal(t, left.Owner.FirstRunID, left.Carried.FirstRunID)
		require.NoError(t, left.Fits())
	})
}

// TestATerminatedLaneIsRecalled does the same with lanes: each appended delivery is settled,
// or is left.
func TestATerminatedLaneIsRecalled(t *testing.T) {
	some := map[bool]bool{}
	var mu sync.Mutex
	t.Run("lanes", func(t *testing.T) {
		terminatedHistories(t, true, func(t *testing.T, recalled *workflows.Recovery, at *historypb.HistoryEvent) {
			left, ok := recalled.Lane()
			require.True(t, ok)
			require.NotEmpty(t, left.Start.Call)
			for _, request := range left.Undelivered() {
				require.True(t, left.Knows(request.ID))
				require.NotEmpty(t, request.URL)
			}
			require.False(t, left.Knows("msg_of_another"))
			var handedOver []contract.Request
			for _, in := range left.HandOvers(left.Undelivered()) {
				require.Equal(t, left.Start.Part, in.Part)
				handedOver = append(handedOver, in.Requests...)
			}
			require.Equal(t, left.Undelivered(), handedOver)
			mu.Lock()
			defer mu.Unlock()
			some[len(left.Undelivered()) > 0] = true
		})
	})
	require.Len(t, some, 2, "lanes are terminated with open deliveries, and with none")
}

// TestSignalsThatNoWorkerProcessedAreRecalled terminates a history before its first task: all
// signals until then count.
func TestSignalsThatNoWorkerProcessedAreRecalled(t *testing.T) {
	history := load(t, "testdata/v0/burst.json.gz")
	var first int
	for history.Events[first].GetEventType() != enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED {
		first++
	}
	recalled, err := replay.Recall(terminatedAfter(history, first), quiet)
	require.NoError(t, err)
	left, ok := recalled.Interaction()
	require.True(t, ok)
	facts := left.Carried.Interaction.Facts()
	require.Equal(t, interaction.OutcomeHandled, facts.Outcome)
	require.EqualValues(t, 1, left.Undispatched()[0].Sequence)

	whole, err := replay.Recall(load(t, "testdata/v0/burst.json.gz"), quiet)
	require.NoError(t, err)
	done, ok := whole.Interaction()
	require.True(t, ok)
	require.Equal(t, done.Carried.Interaction.Sequence(), left.Carried.Interaction.Sequence())
	require.Empty(t, done.Undispatched())
	require.Empty(t, done.Unsent())
}
