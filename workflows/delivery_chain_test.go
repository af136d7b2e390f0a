package workflows_test

import (
	"cmp"
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

// parts plays the parts of a lane: a released part passes within a second.
type parts struct {
	*laneEnv
	released []string
	chains   map[string]*fakePart
}

type fakePart struct {
	last, next string
	released   bool
}

func newParts(l *laneEnv) *parts {
	s := &parts{laneEnv: l, chains: map[string]*fakePart{}}
	l.onHandOver = s.handedOver
	return s
}

func (s *parts) part(name string) *fakePart {
	if s.chains[name] == nil {
		s.chains[name] = &fakePart{}
	}
	return s.chains[name]
}

func (s *parts) handedOver(in contract.HandOver) error {
	p := s.part(in.Part)
	if n := len(in.Requests); n > 0 {
		p.last = in.Requests[n-1].ID
	}
	if in.Chain != nil {
		p.next = cmp.Or(in.Chain.Next, p.next)
		if in.Chain.Released {
			p.released = true
			s.released = append(s.released, in.Part)
		}
	}
	if p.released {
		s.at(time.Second, func() { s.pass(in.Part) })
	}
	return nil
}

func (s *parts) pass(name string) {
	s.mu.Lock()
	p := *s.part(name)
	if p.next != "" && !s.part(p.next).released {
		s.part(p.next).released = true
		s.released = append(s.released, p.next)
		s.at(time.Second, func() { s.pass(p.next) })
	}
	s.mu.Unlock()
	s.SignalWorkflow("part_passed", map[string]string{"part": name, "last": p.last, "next": p.next})
}

// given lists the deliveries that were forwarded to a part, or to all if it has no name.
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

// names lists the parts in the order in which they were opened.
func (s *parts) names() (names []string) {
	for _, in := range s.handOvers {
		if len(in.Requests) > 0 && (len(names) == 0 || names[len(names)-1] != in.Part) {
			names = append(names, in.Part)
		}
	}
	return names
}

// A blocked lane holds what it can carry; the rest goes to parts, in order.
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
	require.Equal(t, 11*time.Hour, l.elapsed(), "nothing wakes a blocked lane but a signal")
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
	for i, name := range names { // as the last run has linked them
		played.part(name).last = s.given(name)[len(s.given(name))-1]
		if i > 0 {
			require.Equal(t, name, s.part(names[i-1]).next, "each part knows the next one")
			played.part(names[i-1]).next = name
		}
	}
	next.at(time.Minute, func() { require.Equal(t, partIDs(names[0]), query[[]string](next.env, contract.QueryParts)) })
	next.signal(time.Hour, contract.SignalRedeliver, ``)
	next.append(time.Hour+time.Minute, handOver("d42")) // while parts send
	next.goOn(l, carried)
	require.Len(t, next.tries, held, "the lane sends only what it holds")
	require.Equal(t, names, played.released[:len(names)], "one after the other")
	require.Contains(t, next.reports[len(next.reports)-1], "lane_drained")
}

// A lane that has parts appends to them, however little arrives.
func TestNothingOvertakesAPart(t *testing.T) {
	l := newLane(t)
	s := newParts(l)
	l.append(0, large(afterFailing(final(), ids(4)...)))
	l.append(time.Second, large(handOver(ids(10)[4:]...)))
	l.signal(time.Hour, contract.SignalDiscard, ``)
	l.append(time.Hour+time.Millisecond, handOver("d11")) // the part has been released and has not passed
	l.run()
	require.Equal(t, []string{"d9"}, s.names())
	require.Equal(t, []string{"d9", "d10", "d11"}, s.given("d9"))
	for _, try := range l.tries {
		require.NotContains(t, try, "d11")
	}
	require.True(t, strings.HasSuffix(l.reports[len(l.reports)-1], "lane_drained last=d11"), l.reports)
}

// A parked delivery whose order policy lets others pass lets parts pass, too.
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

// Reports of parts that the lane does not know change nothing: a terminated run left them.
func TestReportsOfOtherPartsChangeNothing(t *testing.T) {
	l := newLane(t)
	s := newParts(l)
	l.append(0, large(afterFailing(final(), ids(4)...)))
	l.append(0, large(handOver(ids(12)[4:]...)))
	for i, report := range []string{`{"part":"old","last":"d12"}`, `{"part":"old","next":"older"}`, `{}`, `{"part":"d9","last":"d7"}`, `7`} {
		l.signal(time.Duration(i+1)*time.Minute, "part_passed", report)
	}
	l.at(time.Hour, func() { require.Equal(t, partIDs("d9"), query[[]string](l.env, contract.QueryParts)) })
	l.signal(2*time.Hour, contract.SignalDiscard, ``)
	l.run()
	require.Equal(t, s.names(), s.released)
}

// A lane that an audit recovers continues the chain of the terminated run.
func TestARecoveredLaneContinuesTheChain(t *testing.T) {
	l := newLane(t)
	s := newParts(l)
	s.part("d5").last = "d8"
	recovered := afterFailing(final(), "d1", "d2")
	recovered.Chain = &contract.Chain{Next: "d5", Recovered: &contract.RecoveredChain{Last: "d8", Tail: &contract.Tail{Name: "d5", Last: "d8", Size: 1000}}}
	l.append(0, recovered)
	l.append(time.Minute, handOver("d9"))
	l.signal(time.Hour, contract.SignalRedeliver, ``)
	l.run()
	require.Equal(t, []string{"1h0m0s d1 #1", "1h0m0s d2 #1"}, l.tries)
	require.Equal(t, []string{"d9"}, s.given("d5"), "it follows the chain")
	require.Contains(t, l.reports[len(l.reports)-1], "lane_drained")
}

func partIDs(names ...string) (ids []string) {
	for _, name := range names {
		ids = append(ids, contract.PartWorkflowID(laneStart.Owner, laneStart.Call, name))
	}
	return ids
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

// reportsToLane records what a part reports to its lane.
func (l *laneEnv) reportsToLane() *[]string {
	var reports []string
	l.onChain = func(workflowID, signal string, arg any) error {
		require.Equal(l.t, contract.DeliveryWorkflowID(laneStart.Owner, laneStart.Call), workflowID)
		encoded, err := json.Marshal(arg)
		require.NoError(l.t, err)
		reports = append(reports, fmt.Sprintf("%s %s %s", l.elapsed(), signal, encoded))
		return nil
	}
	return &reports
}

// place is a hand-over that only changes a part's place in the chain.
func place(chain contract.Chain) contract.HandOver {
	in := handOver()
	in.Chain = &chain
	return in
}

func TestAPartSendsOnceItIsReleased(t *testing.T) {
	l := newLane(t)
	reports := l.reportsToLane()
	l.append(0, handOver("d1", "d2"))
	l.append(time.Hour, handOver("d3"))
	l.at(2*time.Hour, func() { require.Contains(t, l.details(), "It sends once everything before it is sent") })
	l.append(3*time.Hour, place(contract.Chain{Next: "d4"}))
	l.append(30*24*time.Hour, place(contract.Chain{Released: true}))
	l.runPart("d1")
	require.Equal(t, []string{"720h0m0s d1 #1", "720h0m0s d2 #1", "720h0m0s d3 #1"}, l.tries)
	require.Equal(t, []string{`720h0m0s part_passed {"part":"d1","last":"d3","next":"d4"}`}, *reports)
	require.Equal(t, []string{"720h0m0s lane_result d1:delivered d2:delivered d3:delivered last=d3"}, l.reports, "only the lane reports that it is drained")
	require.Len(t, l.handOvers, 1)
	require.Equal(t, "d4", l.handOvers[0].Part)
	require.Equal(t, &contract.Chain{Released: true}, l.handOvers[0].Chain)
}

// The last part reports again after it got more; then it is followed by another one.
func TestTheLastPartPassesAgain(t *testing.T) {
	l := newLane(t)
	reports := l.reportsToLane()
	l.answers["d1"] = []contract.Outcome{ordered("skip", final())}
	l.append(0, handOver("d1"))
	l.append(time.Hour, place(contract.Chain{Released: true}))
	l.append(2*time.Hour, handOver("d2"))
	l.append(3*time.Hour, place(contract.Chain{Next: "d3"}))
	l.signal(4*time.Hour, contract.SignalDiscard, ``)
	l.runPart("d1")
	require.Equal(t, []string{
		`1h0m0s part_passed {"part":"d1","last":"d1"}`, `2h0m0s part_passed {"part":"d1","last":"d2"}`,
		`3h0m0s part_passed {"part":"d1","last":"d2","next":"d3"}`,
	}, *reports)
	require.Len(t, l.handOvers, 1, "the next part is released once")
}

func TestADiscardedPartStillReleasesTheNextOne(t *testing.T) {
	l := newLane(t)
	reports := l.reportsToLane()
	l.append(0, handOver("d1", "d2"))
	l.append(0, place(contract.Chain{Next: "d3"}))
	l.signal(time.Hour, contract.SignalDiscard, `{"all":true}`)
	l.append(2*time.Hour, place(contract.Chain{Released: true}))
	l.runPart("d1")
	require.Empty(t, l.tries)
	require.Equal(t, []string{`2h0m0s part_passed {"part":"d1","last":"d2","next":"d3"}`}, *reports)
	require.Len(t, l.handOvers, 1)
}

// A part whose earlier run was terminated waits for what that run held: nothing overtakes.
func TestAnIncompletePartWaitsForItsRecovery(t *testing.T) {
	l := newLane(t)
	reports := l.reportsToLane()
	l.append(0, place(contract.Chain{Released: true, Incomplete: true}))
	l.append(time.Minute, handOver("d3"))
	l.at(time.Hour, func() {
		require.Empty(t, l.tries)
		require.Contains(t, l.details(), "`segue audit --fire` recovers it")
	})
	recovered := handOver("d1", "d2")
	recovered.Chain = &contract.Chain{Next: "d4", Recovered: &contract.RecoveredChain{Last: "d2"}}
	l.append(2*time.Hour, recovered)
	l.runPart("d1")
	require.Equal(t, []string{"2h0m0s d1 #1", "2h0m0s d2 #1", "2h0m0s d3 #1"}, l.tries)
	require.Equal(t, []string{`2h0m0s part_passed {"part":"d1","last":"d3","next":"d4"}`}, *reports, "the lane gave it d3 last")
}

// The lane may have been terminated: its parts go on without it.
func TestAPartGoesOnWithoutItsLane(t *testing.T) {
	l := newLane(t)
	l.onChain = func(string, string, any) error { return errors.New("workflow execution already completed") }
	l.append(0, handOver("d1"))
	l.append(time.Hour, place(contract.Chain{Released: true, Next: "d2"}))
	l.runPart("d1")
	require.Equal(t, []string{"1h0m0s d1 #1"}, l.tries)
	require.Len(t, l.handOvers, 1)
}

// Everything is discarded while the lane links a new part: the part still gets the delivery
// that it is named after.
func TestDiscardingAllWhileAPartIsLinked(t *testing.T) {
	l := newLane(t)
	s := newParts(l)
	linked := false
	l.onHandOver = func(in contract.HandOver) error {
		if in.Chain != nil && in.Chain.Next != "" && !linked {
			linked = true
			// The environment gives the signal to the lane before the result of this activity.
			l.SignalWorkflow(contract.SignalDiscard, json.RawMessage(`{"all":true}`))
		}
		return s.handedOver(in)
	}
	l.append(0, large(afterFailing(final(), ids(4)...)))
	for i := 4; i < 24; i += 4 {
		l.append(time.Duration(i)*time.Minute, large(handOver(ids(24)[i:i+4]...)))
	}
	l.run()
	require.True(t, linked)
	require.Contains(t, l.reports[len(l.reports)-1], "lane_drained")
	for _, name := range s.names() {
		require.Equal(t, name, s.given(name)[0])
	}
}

// A part that was released before the lane forwarded its first deliveries is complete with
// them.
func TestAPartMayBeReleasedBeforeItBegins(t *testing.T) {
	l := newLane(t)
	reports := l.reportsToLane()
	l.append(0, place(contract.Chain{Released: true, Incomplete: true})) // as client.Append starts it
	first := handOver("d1", "d2")
	first.Chain = &contract.Chain{Begins: true}
	l.append(time.Minute, first)
	l.runPart("d1")
	require.Equal(t, []string{"1m0s d1 #1", "1m0s d2 #1"}, l.tries)
	require.Equal(t, []string{`1m0s part_passed {"part":"d1","last":"d2"}`}, *reports)
}

// The release found no run of the part, and then signals the one that has begun meanwhile.
func TestALateReleaseDoesNotMakeAPartIncomplete(t *testing.T) {
	l := newLane(t)
	l.reportsToLane()
	first := handOver("d1")
	first.Chain = &contract.Chain{Begins: true}
	l.append(0, first)
	l.append(time.Minute, place(contract.Chain{Released: true, Incomplete: true}))
	l.runPart("d1")
	require.Equal(t, []string{"1m0s d1 #1"}, l.tries)
}

// The first deliveries of a part say that it begins.
func TestTheFirstDeliveriesOfAPartBeginIt(t *testing.T) {
	l := newLane(t)
	s := newParts(l)
	l.append(0, large(afterFailing(final(), ids(4)...)))
	for i := 4; i < 24; i += 4 {
		l.append(time.Duration(i)*time.Minute, large(handOver(ids(24)[i:i+4]...)))
	}
	l.signal(time.Hour, contract.SignalRedeliver, ``)
	l.run()
	require.Greater(t, len(s.names()), 1)
	begun := map[string]bool{}
	for _, in := range l.handOvers {
		if len(in.Requests) > 0 {
			require.Equal(t, !begun[in.Part], in.Chain != nil && in.Chain.Begins, in.Part)
			begun[in.Part] = true
		}
	}
}
