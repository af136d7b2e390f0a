package workflows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

func TestARepeatedAppendAddsNothing(t *testing.T) {
	l := newLane(t)
	l.answers["d2"] = []contract.Outcome{retry(time.Hour)}
	first := handOver("d1", "d2")
	l.append(0, first)
	l.append(0, first)
	l.append(time.Minute, afterFailing(final(), "d2", "d3")) // overlaps, with another word of d2
	l.append(time.Minute, first)
	l.append(2*time.Minute, handOver("d1", "d4", "d4"))
	l.run()
	require.Equal(t, []string{"0s d1 #1", "0s d2 #1", "1h0m0s d2 #2", "1h0m0s d3 #1", "1h0m0s d4 #1"}, l.tries)
}

func TestMalformedSignalsOfALaneChangeNothing(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{final()}
	l.append(0, handOver("d1", "d2"))
	for i, bad := range [][2]string{
		{contract.SignalAppend, `7`}, {contract.SignalAppend, `["d3"]`}, {contract.SignalAppend, `{"requests":{"id":"d3"}}`},
		{contract.SignalAppend, `{"requests":[{"id":7}]}`}, {contract.SignalAppend, ``}, {contract.SignalAppend, `{}`},
		{contract.SignalRedeliver, `{"id":7}`}, {contract.SignalRedeliver, `["d1"]`}, {contract.SignalRedeliver, `{"id":"nobody"}`},
		{contract.SignalDiscard, `"d1"`}, {contract.SignalDiscard, `{"id":"nobody"}`},
		{"pause", `{}`}, {"accept", `{"agent":"a1"}`}, {strings.Repeat("x", 1000), `{}`},
	} {
		l.signal(time.Duration(i+1)*time.Minute, bad[0], bad[1])
	}
	l.at(time.Hour, func() {
		require.Equal(t, "d1:parked d2:waiting", l.statuses())
		require.Len(t, l.tries, 1)
		l.SignalWorkflow(contract.SignalRedeliver, nil)
	})
	l.run()
	require.Equal(t, []string{"0s d1 #1", "1h0m0s d1 #1", "1h0m0s d2 #1"}, l.tries)
}

func TestABusyLaneTellsOfManyAtOnce(t *testing.T) {
	l := newLane(t)
	l.append(0, handOver(ids(45)...))
	l.run()
	require.Len(t, l.reports, 3)
	require.Equal(t, 20, strings.Count(l.reports[0], ":delivered"))
	require.Equal(t, 20, strings.Count(l.reports[1], ":delivered"))
	require.Contains(t, l.reports[0], "lane_result d1:delivered")
	require.Contains(t, l.reports[2], "lane_drained d41:delivered")
}

func TestALaneGoesOnWhenItsInteractionIsGone(t *testing.T) {
	l := newLane(t)
	l.gone = true
	l.answers["d2"] = []contract.Outcome{final(), final()}
	l.append(0, handOver("d1", "d2", "d3"))
	l.signal(time.Hour, contract.SignalRedeliver, ``)
	l.signal(2*time.Hour, contract.SignalRedeliver, ``)
	l.run()
	require.Equal(t, []string{"0s d1 #1", "0s d2 #1", "1h0m0s d2 #1", "2h0m0s d2 #1", "2h0m0s d3 #1"}, l.tries)
	require.Len(t, l.reports, 1, "it is asked once")
}

func TestAnAppendDuringTheLastReportIsNotLost(t *testing.T) {
	for _, gone := range []bool{false, true} {
		t.Run(fmt.Sprintf("gone: %t", gone), func(t *testing.T) {
			l := newLane(t)
			l.gone = gone
			more := []string{"d2", "d3"}
			l.onReport = func(signal string) {
				if signal == "lane_drained" && len(more) > 0 {
					l.SignalWorkflow(contract.SignalAppend, handOver(more[0]))
					more = more[1:]
				}
			}
			l.append(0, handOver("d1"))
			l.run()
			want := []string{"0s d1 #1", "0s d2 #1", "0s d3 #1"}
			if gone {
				want = want[:2] // nobody is told of d2, so nothing comes meanwhile
			}
			require.Equal(t, want, l.tries)
			require.Contains(t, l.reports[0], "lane_drained d1:delivered last=d1")
		})
	}
}

func TestTheQueryTellsEveryAttempt(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{retry(time.Minute)}
	for range 30 {
		l.answers["d2"] = append(l.answers["d2"], retry(time.Minute))
	}
	l.append(0, handOver("d1", "d2", "d3"))
	l.at(90*time.Second, func() {
		records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
		stamp := func(after time.Duration) string { return l.begin.Add(after).UTC().Format(time.RFC3339Nano) }
		require.Equal(t, contract.DeliveryRecord{
			ID: "d1", Call: "crm", Moment: "inbound.dtmf", Sequence: 1, Status: contract.StatusDelivered, Code: 200, Class: "ok", At: stamp(time.Minute),
			Attempts: []contract.AttemptRecord{{At: stamp(0), Code: 503, Class: "http_5xx", MS: 7}, {At: stamp(time.Minute), Code: 200, Class: "ok"}},
			Sent:     2,
		}, records[0])
		require.Equal(t, contract.DeliveryRecord{ID: "d3", Call: "crm", Moment: "inbound.dtmf", Sequence: 3, Status: contract.StatusWaiting}, records[2])
	})
	l.during = func(in contract.AttemptInput) {
		if in.Requests[0].ID == "d3" {
			require.Equal(t, "d1:delivered d2:delivered d3:attempting", l.statuses())
		}
	}
	l.run()
	records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
	require.Len(t, records[1].Attempts, 20, "the last ones")
	require.Equal(t, "ok", records[1].Attempts[19].Class)
}

func TestALaneShowsABoundedPast(t *testing.T) {
	l := newLane(t)
	l.append(0, handOver(ids(200)...))
	l.run()
	records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
	require.Len(t, records, 50)
	require.Equal(t, "d200", records[49].ID)
}

func TestALongLaneContinuesAsNewWithEverythingItHas(t *testing.T) {
	l := newLane(t)
	l.answers["d2"] = []contract.Outcome{kept(48*time.Hour, ordered("skip", final()))}
	l.answers["d3"] = []contract.Outcome{retry(5 * time.Minute), retry(30 * time.Minute)}
	l.append(0, handOver("d1", "d2", "d3", "d4"))
	l.at(10*time.Minute, func() { l.SetContinueAsNewSuggested(true) })
	l.append(11*time.Minute, handOver("d5"))
	carried := l.runOn()
	require.Equal(t, 11*time.Minute, l.elapsed())
	require.Equal(t, []string{"0s d1 #1", "0s d2 #1", "0s d3 #1", "5m0s d3 #2"}, l.tries)

	next := newLane(t)
	next.append(time.Minute, handOver(ids(5)...)) // all known
	next.at(2*time.Minute, func() {
		require.Equal(t, "d1:delivered d2:parked d3:waiting d4:waiting d5:waiting", next.statuses())
		records := query[[]contract.DeliveryRecord](next.env, contract.QueryDeliveries)
		require.Len(t, records[2].Attempts, 2)
	})
	next.goOn(l, carried)
	require.Equal(t, []string{"35m0s d3 #3", "35m0s d4 #1", "35m0s d5 #1"}, next.tries)
	require.Equal(t, []int64{1, 0}, next.parked)
	require.Equal(t, 48*time.Hour, next.elapsed())
	require.Equal(t, "0s lane_result d1:delivered d2:parked last=d4", l.reports[0])
	require.True(t, strings.HasSuffix(next.reports[len(next.reports)-1], " d2:discarded last=d5"), next.reports)
}

func TestWhatALaneHasNotToldYetIsCarried(t *testing.T) {
	l := newLane(t)
	l.answers["d2"] = []contract.Outcome{retry(time.Hour)}
	l.append(0, handOver("d1", "d2"))
	l.at(time.Minute, func() { l.SetContinueAsNewSuggested(true) })
	l.signal(time.Minute, contract.SignalDiscard, `{"id":"d2"}`) // settled in the last task of the run
	carried := l.runOn()
	next := newLane(t)
	next.goOn(l, carried)
	require.Empty(t, next.tries)
	told := strings.Join(append(l.reports, next.reports...), ", ")
	require.Equal(t, 1, strings.Count(told, "d1:delivered"), told)
	require.Equal(t, 1, strings.Count(told, "d2:discarded"), told)
	require.Contains(t, next.reports[len(next.reports)-1], "lane_drained")
}

func TestALaneWithoutInteractionStaysSoOverItsRuns(t *testing.T) {
	l := newLane(t)
	l.gone = true
	l.answers["d2"] = []contract.Outcome{final()}
	l.append(0, handOver("d1", "d2"))
	l.at(time.Minute, func() { l.SetContinueAsNewSuggested(true) })
	l.signal(2*time.Minute, contract.SignalRedeliver, `{"id":"nobody"}`) // even a refused signal lets it look
	carried := l.runOn()
	require.Len(t, l.reports, 1)
	next := newLane(t)
	next.signal(time.Hour, contract.SignalRedeliver, ``)
	next.goOn(l, carried)
	require.Equal(t, []string{"1h2m0s d2 #1"}, next.tries)
	require.Empty(t, next.reports)
}

func TestALaneTellsAgainOnceItsInteractionAppends(t *testing.T) {
	l := newLane(t)
	l.gone = true
	l.answers["d1"] = []contract.Outcome{final()}
	l.append(0, afterFailing(ordered("skip", final()), "d1"))
	l.at(time.Minute, func() { l.gone = false }) // reopened
	l.append(2*time.Minute, handOver("d2"))
	l.signal(3*time.Minute, contract.SignalDiscard, ``)
	l.run()
	require.Contains(t, l.reports[len(l.reports)-1], "lane_drained d1:discarded")
}

// The Temporal UI offers a cancellation first. It must not lose what was never tried.
func TestACanceledLaneGivesNothingUp(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{final()}
	l.append(0, handOver("d1", "d2"))
	l.at(time.Minute, l.CancelWorkflow)
	l.at(time.Hour, func() {
		require.Equal(t, "d1:parked d2:waiting", l.statuses())
		require.Contains(t, l.details(), "A cancellation was requested at ")
		require.Contains(t, l.details(), "It changed nothing")
		require.Contains(t, l.details(), "send the signal `discard`")
	})
	l.append(90*time.Minute, handOver("d3"))
	l.signal(2*time.Hour, contract.SignalRedeliver, ``)
	l.run()
	require.Equal(t, []string{"0s d1 #1", "2h0m0s d1 #1", "2h0m0s d2 #1", "2h0m0s d3 #1"}, l.tries)
	require.Contains(t, l.reports[len(l.reports)-1], "lane_drained d1:delivered d2:delivered d3:delivered")
}

func TestACanceledLaneContinuesAsNewWithEverythingItHas(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{final()}
	l.append(0, handOver("d1", "d2"))
	l.at(time.Minute, l.CancelWorkflow)
	l.at(2*time.Minute, func() { l.SetContinueAsNewSuggested(true) })
	l.append(3*time.Minute, handOver("d3"))
	carried := l.runOn()
	require.Len(t, carried.Items, 3)

	next := newLane(t)
	next.at(time.Minute, func() { require.Contains(t, next.details(), "cancellation was requested") })
	next.signal(time.Hour, contract.SignalRedeliver, ``)
	next.goOn(l, carried)
	require.Contains(t, next.reports[len(next.reports)-1], "d1:delivered d2:delivered d3:delivered")
}

func TestAllOfALaneIsGivenUpOnRequest(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{final()}
	l.append(0, handOver("d1", "d2", "d3"))
	l.signal(time.Hour, contract.SignalDiscard, `{"all":true,"by":"bea@ops"}`)
	l.run()
	require.Equal(t, []string{"0s d1 #1"}, l.tries)
	require.Contains(t, l.reports[len(l.reports)-1], "lane_drained d1:discarded d2:discarded d3:discarded")
	for _, record := range query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries) {
		require.Equal(t, &contract.Discarding{At: l.begin.Add(time.Hour).UTC().Format(time.RFC3339Nano), By: "bea@ops"}, record.Discarded, record.ID)
	}
	require.Contains(t, l.details(), "0 to deliver, 0 of them parked. 3 were discarded.")
	require.Contains(t, l.details(), "`d2`: discarded at ")
	require.Contains(t, l.details(), " by bea@ops")
	require.Equal(t, []string{"discarded"}, l.outcomes)
}

// What was given up is listed longer than what has arrived.
func TestALaneShowsWhatWasDiscardedAmongMuchThatArrived(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{kept(time.Hour, ordered("skip", final()))}
	l.append(0, handOver(ids(200)...))
	l.run()
	records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
	require.Len(t, records, 51)
	require.Equal(t, contract.StatusDiscarded, records[0].Status)
	require.Equal(t, "retention", records[0].Discarded.By)
	require.Equal(t, []string{"discarded"}, l.outcomes)
}

func TestThePageOfALaneTellsOneAttemptFromAnother(t *testing.T) {
	l := newLane(t)
	answering := func(text string) contract.Outcome {
		outcome := final()
		outcome.Excerpt = text
		return outcome
	}
	l.answers["d1"] = []contract.Outcome{retry(time.Minute), answering("no such `customer`\n\n# 7"), answering("no such customer")}
	l.append(0, handOver("d1"))
	stamp := func(after time.Duration) string { return l.begin.Add(after).UTC().Format("2006-01-02 15:04:05 UTC") }
	l.at(time.Second, func() {
		require.Contains(t, l.details(), "`d1`: waiting, 1 attempt, last at "+stamp(0)+": HTTP 503; next at "+stamp(time.Minute))
	})
	l.at(time.Hour, func() {
		require.Contains(t, l.details(), "`d1`: parked, 2 attempts, last at "+stamp(time.Minute)+": HTTP 400, the response begins with `no such 'customer' # 7`")
		record := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)[0]
		require.Equal(t, 2, record.Sent)
		require.Equal(t, "no such `customer`\n\n# 7", record.Answer)
	})
	l.signal(2*time.Hour, contract.SignalRedeliver, ``)
	l.at(3*time.Hour, func() {
		require.Contains(t, l.details(), "`d1`: parked, 3 attempts, redelivered 1×, last at "+stamp(2*time.Hour)+": HTTP 400, the response begins with `no such customer`")
	})
	l.signal(4*time.Hour, contract.SignalDiscard, ``)
	l.run()
}

func TestASignalThatIsRefusedLeavesATraceOnThePage(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{final()}
	l.append(0, handOver("d1", "d2"))
	for i, bad := range [][2]string{
		{"Redeliver", ``}, {"x`y", ``}, {contract.SignalRedeliver, `{"id":"nobody"}`}, {contract.SignalRedeliver, `{"id":"d1","rerender":true}`},
		{contract.SignalDiscard, `"d1"`}, {"resend", `{}`},
	} {
		l.signal(time.Duration(i+1)*time.Minute, bad[0], bad[1])
	}
	l.at(time.Hour, func() {
		details := l.details()
		require.NotContains(t, details, "`Redeliver`", "the last five")
		for _, part := range []string{
			"Signals that changed nothing:", "`x'y` at ", `has no open delivery "nobody"`, "can be rendered again", "`resend` at ", "unknown signal; send redeliver or discard",
		} {
			require.Contains(t, details, part)
		}
		l.SetContinueAsNewSuggested(true)
	})
	l.signal(61*time.Minute, "Redeliver", ``)
	carried := l.runOn()
	require.Equal(t, "Redeliver", carried.Refused[4].Command)
}

func TestALaneRenewsItselfByItsOwnCounters(t *testing.T) {
	for name, grow := range map[string]func(l *laneEnv){
		"events": func(l *laneEnv) { l.at(time.Minute, func() { l.SetCurrentHistoryLength(7000) }) },
		"signals": func(l *laneEnv) {
			for i := range 8 { // the environment takes less than 1,000 at once
				l.at(time.Minute+time.Duration(i)*time.Second, func() {
					for range 500 {
						l.SignalWorkflowSkippingWorkflowTask("nonsense", nil)
					}
				})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLane(t)
			l.answers["d1"] = []contract.Outcome{final()}
			l.append(0, handOver("d1", "d2"))
			grow(l)
			l.signal(2*time.Minute, contract.SignalRedeliver, `{"id":"d2"}`) // it is looked at when something happens
			carried := l.runOn()
			require.Len(t, carried.Items, 2)
		})
	}
}

// A lane that is never idle must renew itself as well: a history has its limits.
func TestALaneWithABacklogContinuesAsNew(t *testing.T) {
	l := newLane(t)
	l.during = func(in contract.AttemptInput) {
		if in.Requests[0].ID == "d30" {
			l.at(0, func() { l.SetContinueAsNewSuggested(true) })
		}
	}
	l.append(0, handOver(ids(100)...))
	carried := l.runOn()
	require.Len(t, l.tries, 30)
	next := newLane(t)
	next.goOn(l, carried)
	require.Len(t, next.tries, 70)
	require.Equal(t, "0s d31 #1", next.tries[0])
}

// An interaction waits for what its receiver returns; it is not to wait for
// another delivery's schedule as well.
func TestALaneTellsWhatItHasBeforeItWaits(t *testing.T) {
	l := newLane(t)
	l.answers["d2"] = []contract.Outcome{retry(5 * time.Hour)}
	l.append(0, handOver("d1", "d2"))
	l.run()
	require.Equal(t, []string{"0s lane_result d1:delivered last=d2", "5h0m0s lane_drained d2:delivered last=d2"}, l.reports)
}

// Behind a delivery that waits for days thousands may be appended.
func TestWhatIsAppendedCostsAWaitingLaneNoTimer(t *testing.T) {
	l := newLane(t)
	var timers []time.Duration
	l.SetOnTimerScheduledListener(func(_ string, after time.Duration) { timers = append(timers, after) })
	l.append(0, afterFailing(retry(time.Hour), "d1"))
	for i, id := range ids(20)[1:] {
		l.append(time.Duration(i+1)*time.Minute, handOver(id))
	}
	l.run()
	require.Equal(t, []time.Duration{time.Hour}, timers)
	require.Len(t, l.tries, 20)
}
