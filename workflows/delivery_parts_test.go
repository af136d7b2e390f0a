package workflows_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/contract"
)

// large is n requests of 60 KiB each.
func large(in contract.HandOver) contract.HandOver {
	for i := range in.Requests {
		in.Requests[i].URL = "http://crm/x?" + strings.Repeat("x", 60<<10)
	}
	return in
}

// parts are those of a lane, in a test that plays them: each is told that it may
// begin, and at once has had its turn.
type parts struct {
	*laneEnv
	released []string
	late     map[string]int // how often one says at first that it has not had everything
}

func newParts(l *laneEnv) *parts {
	s := &parts{laneEnv: l, late: map[string]int{}}
	l.onChain = s.hear
	return s
}

func (s *parts) hear(workflowID, signal string, _ any) error {
	name := strings.TrimPrefix(workflowID, contract.DeliveryWorkflowID(laneStart.Owner, laneStart.Call)+"~")
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

func (s *parts) passed(name, last string) {
	s.SignalWorkflow("part_passed", map[string]string{"part": name, "last": last})
}

// given are the deliveries that were forwarded to a part, to all if it has no name.
func (s *parts) given(name string) (ids []string) {
	for _, in := range s.handOvers {
		for _, request := range in.Requests {
			if name == "" || in.Part == name {
				ids = append(ids, request.ID)
			}
		}
	}
	return ids
}

// names are the parts in the order in which they were opened.
func (s *parts) names() (names []string) {
	for _, in := range s.handOvers {
		if len(names) == 0 || names[len(names)-1] != in.Part {
			names = append(names, in.Part)
		}
	}
	return names
}

// A lane that is blocked holds what it can carry; the rest goes to parts, in order.
func TestWhatALaneCannotHoldGoesToParts(t *testing.T) {
	l := newLane(t)
	s := newParts(l)
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
	require.Equal(t, ids(40)[held:], s.given(""), "all the others, in order")
	require.Len(t, carried.Overflow, 1, "the last one goes there in the next run")
	names := s.names()
	require.Greater(t, len(names), 3)
	for _, name := range names {
		size := 0
		for _, in := range s.handOvers {
			if in.Part == name {
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
	played := newParts(next)
	played.late[names[1]] = 1
	next.signal(time.Hour, contract.SignalRedeliver, ``)
	next.append(time.Hour+time.Minute, handOver("d42")) // while parts have their turn
	next.goOn(l, carried)
	require.Len(t, next.tries, held, "its own; the others are the parts'")
	require.Equal(t, append([]string{names[0], names[1], names[1]}, names[2:]...), played.released, "one after the other, and again if need be")
	require.Contains(t, next.told[len(next.told)-1], "lane_drained")
}

// While there are parts, what comes goes behind them, however little it is.
func TestNothingOvertakesAPart(t *testing.T) {
	l := newLane(t)
	s := newParts(l)
	l.append(0, large(afterFailing(final(), ids(4)...)))
	l.append(time.Second, large(handOver(ids(10)[4:]...)))
	l.signal(time.Hour, contract.SignalDiscard, ``)
	var name string
	l.onChain = func(workflowID, signal string, arg any) error {
		require.NoError(t, s.hear(workflowID, signal, arg))
		name = s.released[0]
		l.SignalWorkflow(contract.SignalAppend, handOver("d11"))
		return nil
	}
	l.run()
	require.Equal(t, "d11", s.given(name)[len(s.given(name))-1])
	for _, try := range l.tries {
		require.NotContains(t, try, "d11")
	}
	require.True(t, strings.HasSuffix(l.told[len(l.told)-1], "last=d11"), l.told)
}

// Where a parked delivery lets others pass, it lets parts pass, too.
func TestAParkedDeliveryLetsPartsPass(t *testing.T) {
	l := newLane(t)
	s := newParts(l)
	l.append(0, large(afterFailing(ordered("skip", final()), ids(4)...)))
	l.append(0, large(handOver(ids(12)[4:]...)))
	l.at(time.Hour, func() {
		require.NotEmpty(t, s.released)
		require.Contains(t, l.statuses(), "d1:parked")
	})
	l.signal(2*time.Hour, contract.SignalDiscard, ``)
	l.run()
}

func TestACanceledLaneKeepsItsParts(t *testing.T) {
	l := newLane(t)
	s := newParts(l)
	l.append(0, large(afterFailing(final(), ids(4)...)))
	l.append(0, large(handOver(ids(12)[4:]...)))
	l.at(time.Hour, l.CancelWorkflow)
	l.at(2*time.Hour, func() { require.Empty(t, s.released) })
	l.signal(3*time.Hour, contract.SignalRedeliver, ``)
	l.run()
	require.Equal(t, s.names(), s.released)
}

// runPart runs a part to its end.
func (l *laneEnv) runPart(name string) {
	l.t.Helper()
	start := laneStart
	start.Part = name
	l.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: contract.PartWorkflowID(start.Owner, start.Call, name), TaskQueue: "segue"})
	l.begin = l.Now()
	l.ExecuteWorkflow(contract.WorkflowDelivery, start)
	require.True(l.t, l.IsWorkflowCompleted())
	require.NoError(l.t, l.GetWorkflowError())
}

func TestAPartWaitsForItsTurn(t *testing.T) {
	l := newLane(t)
	var told []string
	l.onChain = func(workflowID, signal string, arg any) error {
		require.Equal(t, contract.DeliveryWorkflowID(laneStart.Owner, laneStart.Call), workflowID)
		encoded, err := json.Marshal(arg)
		require.NoError(t, err)
		told = append(told, fmt.Sprintf("%s %s %s", l.elapsed(), signal, encoded))
		return nil
	}
	l.append(0, handOver("d1", "d2"))
	l.append(time.Hour, handOver("d3"))
	l.signal(7*time.Hour, "release", ``)
	l.runPart("d1")
	require.Equal(t, []string{"7h0m0s d1 #1", "7h0m0s d2 #1", "7h0m0s d3 #1"}, l.tries)
	require.Equal(t, []string{
		`6h0m0s part_waits {"part":"d1"}`, `7h0m0s part_passed {"part":"d1","last":"d3"}`,
	}, told)
	require.Equal(t, []string{"7h0m0s lane_result d1:delivered d2:delivered d3:delivered last=d3"}, l.told, "only the lane says that it is drained")
}

// Its lane was terminated: nobody will ever release it.
func TestAPartWithoutLaneBegins(t *testing.T) {
	l := newLane(t)
	l.onChain = func(string, string, any) error { return errors.New("workflow execution already completed") }
	l.append(0, handOver("d1", "d2"))
	l.runPart("d1")
	require.Equal(t, []string{"6h0m0s d1 #1", "6h0m0s d2 #1"}, l.tries)
}

// A lane that was begun anew does not know the parts of the one before it.
func TestAPartThatIsNotKnownIsReleased(t *testing.T) {
	l := newLane(t)
	var released []string
	l.onChain = func(workflowID, signal string, _ any) error {
		released = append(released, workflowID+" "+signal)
		return nil
	}
	l.append(0, afterFailing(final(), "d1"))
	l.signal(time.Hour, "part_waits", `{"part":"old"}`)
	l.signal(2*time.Hour, contract.SignalDiscard, ``)
	l.run()
	require.Equal(t, []string{"delivery/cc/i-1/crm~old release"}, released)
}
