package workflows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/dispatch"
	"segue/workflows"
)

// large is n requests of 60 KiB each.
func large(in dispatch.HandOver) dispatch.HandOver {
	for i := range in.Requests {
		in.Requests[i].URL = "http://crm/x?" + strings.Repeat("x", 60<<10)
	}
	return in
}

// segments are those of a lane, in a test that plays them: each is told that it may
// begin, and at once has had its turn.
type segments struct {
	*laneEnv
	released []string
	late     map[string]int // how often one says at first that it has not had everything
}

func newSegments(l *laneEnv) *segments {
	s := &segments{laneEnv: l, late: map[string]int{}}
	l.onChain = s.hear
	return s
}

func (s *segments) hear(workflowID, signal string, _ any) error {
	name := strings.TrimPrefix(workflowID, dispatch.DeliveryWorkflowID(laneStart.Owner, laneStart.Call)+"~")
	require.Equal(s.t, "release", signal)
	s.released = append(s.released, name)
	last := s.given(name)[len(s.given(name))-1]
	if s.late[name] > 0 {
		s.late[name]--
		last = "another"
	}
	s.at(time.Second, func() { s.passed(name, last) })
	return nil
}

func (s *segments) passed(name, last string) {
	s.SignalWorkflow("segment_passed", map[string]string{"segment": name, "last": last})
}

// given are the deliveries that were forwarded to a segment, to all if it has no name.
func (s *segments) given(name string) (ids []string) {
	for _, in := range s.handOvers {
		for _, request := range in.Requests {
			if name == "" || in.Segment == name {
				ids = append(ids, request.ID)
			}
		}
	}
	return ids
}

// names are the segments in the order in which they were opened.
func (s *segments) names() (names []string) {
	for _, in := range s.handOvers {
		if len(names) == 0 || names[len(names)-1] != in.Segment {
			names = append(names, in.Segment)
		}
	}
	return names
}

// A lane that is blocked holds what it can carry; the rest goes to segments, in order.
func TestWhatALaneCannotHoldGoesToSegments(t *testing.T) {
	l := newLane(t)
	s := newSegments(l)
	all := ids(40)
	for i := 0; i < len(all); i += 4 { // a signal takes 256 KiB
		in := large(handOver(all[i : i+4]...))
		if i == 0 {
			in = large(afterFailing(final(), all[:4]...))
		}
		l.append(time.Duration(i)*time.Minute, in)
	}
	l.at(10*time.Hour, func() { l.SetContinueAsNewSuggested(true) })
	l.append(11*time.Hour, handOver("d41"))
	carried := l.runOn()
	require.Equal(t, 11*time.Hour, l.elapsed(), "it goes on although nothing moves")
	encoded, err := json.Marshal(carried)
	require.NoError(t, err)
	require.Less(t, len(encoded), 1<<20)
	require.Empty(t, l.tries)
	require.Empty(t, s.released)

	held := len(carried.Items)
	require.Greater(t, held, 4)
	require.Equal(t, ids(41)[held:], s.given(""), "all the others, in order")
	names := s.names()
	require.Greater(t, len(names), 3)
	for _, name := range names {
		size := 0
		for _, in := range s.handOvers {
			if in.Segment == name {
				encoded, err := json.Marshal(in.Requests)
				require.NoError(t, err)
				size += len(encoded)
			}
		}
		require.Less(t, size, 512<<10, name)
		require.Equal(t, name, s.given(name)[0])
	}

	next := newLane(t)
	next.handOvers = l.handOvers
	played := newSegments(next)
	played.late[names[1]] = 1
	next.signal(time.Hour, workflows.SignalRedeliver, ``)
	next.append(time.Hour+time.Minute, handOver("d42")) // while segments have their turn
	next.goOn(l, carried)
	require.Len(t, next.tries, held, "its own; the others are the segments'")
	require.Equal(t, append([]string{names[0], names[1], names[1]}, names[2:]...), played.released, "one after the other, and again if need be")
	require.Contains(t, next.told[len(next.told)-1], "lane_drained")
}

// While there are segments, what comes goes behind them, however little it is.
func TestNothingOvertakesASegment(t *testing.T) {
	l := newLane(t)
	s := newSegments(l)
	l.append(0, large(afterFailing(final(), ids(4)...)))
	l.append(time.Second, large(handOver(ids(10)[4:]...)))
	l.signal(time.Hour, workflows.SignalDiscard, ``)
	var name string
	l.onChain = func(workflowID, signal string, arg any) error {
		require.NoError(t, s.hear(workflowID, signal, arg))
		name = s.released[0]
		l.SignalWorkflow(workflows.SignalAppend, handOver("d11"))
		return nil
	}
	l.run()
	require.Equal(t, "d11", s.given(name)[len(s.given(name))-1])
	for _, try := range l.tries {
		require.NotContains(t, try, "d11")
	}
	require.True(t, strings.HasSuffix(l.told[len(l.told)-1], "last=d11"), l.told)
}

// Where a parked delivery lets others pass, it lets segments pass, too.
func TestAParkedDeliveryLetsSegmentsPass(t *testing.T) {
	l := newLane(t)
	s := newSegments(l)
	l.append(0, large(afterFailing(ordered("skip", final()), ids(4)...)))
	l.append(0, large(handOver(ids(12)[4:]...)))
	l.at(time.Hour, func() {
		require.NotEmpty(t, s.released)
		require.Contains(t, l.statuses(), "d1:parked")
	})
	l.signal(2*time.Hour, workflows.SignalDiscard, ``)
	l.run()
}

func TestACanceledLaneGivesItsSegmentsUp(t *testing.T) {
	l := newLane(t)
	s := newSegments(l)
	var canceled []string
	l.OnRequestCancelExternalWorkflow(mock.Anything, mock.Anything, mock.Anything).Run(func(args mock.Arguments) {
		canceled = append(canceled, args.String(1))
	}).Return(nil)
	l.append(0, large(afterFailing(final(), ids(4)...)))
	l.append(0, large(handOver(ids(12)[4:]...)))
	l.at(time.Hour, l.CancelWorkflow)
	l.run()
	require.Len(t, canceled, len(s.names()))
	require.Contains(t, l.told[len(l.told)-1], "d1:discarded")
}

// runSegment runs a segment to its end.
func (l *laneEnv) runSegment(name string) {
	l.t.Helper()
	start := laneStart
	start.Segment = name
	l.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: dispatch.SegmentWorkflowID(start.Owner, start.Call, name), TaskQueue: "segue"})
	l.begin = l.Now()
	l.ExecuteWorkflow(workflows.TypeDelivery, start)
	require.True(l.t, l.IsWorkflowCompleted())
	require.NoError(l.t, l.GetWorkflowError())
}

func TestASegmentWaitsForItsTurn(t *testing.T) {
	l := newLane(t)
	var told []string
	l.onChain = func(workflowID, signal string, arg any) error {
		require.Equal(t, dispatch.DeliveryWorkflowID(laneStart.Owner, laneStart.Call), workflowID)
		encoded, err := json.Marshal(arg)
		require.NoError(t, err)
		told = append(told, fmt.Sprintf("%s %s %s", l.elapsed(), signal, encoded))
		return nil
	}
	l.append(0, handOver("d1", "d2"))
	l.append(time.Hour, handOver("d3"))
	l.signal(7*time.Hour, "release", ``)
	l.runSegment("d1")
	require.Equal(t, []string{"7h0m0s d1 #1", "7h0m0s d2 #1", "7h0m0s d3 #1"}, l.tries)
	require.Equal(t, []string{
		`6h0m0s segment_waits {"segment":"d1"}`, `7h0m0s segment_passed {"segment":"d1","last":"d3"}`,
	}, told)
	require.Equal(t, []string{"7h0m0s lane_result d1:delivered d2:delivered d3:delivered last=d3"}, l.told, "only the lane says that it is drained")
}

// Its lane was terminated: nobody will ever release it.
func TestASegmentWithoutLaneBegins(t *testing.T) {
	l := newLane(t)
	l.onChain = func(string, string, any) error { return errors.New("workflow execution already completed") }
	l.append(0, handOver("d1", "d2"))
	l.runSegment("d1")
	require.Equal(t, []string{"6h0m0s d1 #1", "6h0m0s d2 #1"}, l.tries)
}

// A lane that was begun anew does not know the segments of the one before it.
func TestASegmentThatIsNotKnownIsReleased(t *testing.T) {
	l := newLane(t)
	var released []string
	l.onChain = func(workflowID, signal string, _ any) error {
		released = append(released, workflowID+" "+signal)
		return nil
	}
	l.append(0, afterFailing(final(), "d1"))
	l.signal(time.Hour, "segment_waits", `{"segment":"old"}`)
	l.signal(2*time.Hour, workflows.SignalDiscard, ``)
	l.run()
	require.Equal(t, []string{"delivery/cc/i-1/crm~old release"}, released)
}
