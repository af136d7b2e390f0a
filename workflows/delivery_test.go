package workflows_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

func TestALaneTriesInOrderOnItsSchedule(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{retry(5 * time.Minute), retry(30 * time.Minute), retry(2 * time.Hour)}
	l.append(0, afterFailing(retry(5*time.Second), "d1", "d2"))
	l.append(time.Minute, handOver("d3"))
	l.run()
	require.Equal(t, []string{
		"5s d1 #2", "5m5s d1 #3", "35m5s d1 #4", "2h35m5s d1 #5", "2h35m5s d2 #1", "2h35m5s d3 #1",
	}, l.tries)
	require.Equal(t, []string{"2h35m5s lane_drained d1:delivered d2:delivered d3:delivered last=d3"}, l.reports)
	require.Empty(t, l.parked)
}

func TestWhatCameOfADeliveryIsTold(t *testing.T) {
	l := newLane(t)
	ok := contract.Outcome{Verdict: contract.VerdictDelivered, Code: 201, Class: "ok", Returns: map[string]any{"tier": "gold"}}
	l.answers["d1"] = []contract.Outcome{ok}
	l.append(0, handOver("d1"))
	l.run()
	require.Equal(t, []map[string]any{{
		"id": "d1", "status": "delivered", "code": 201.0, "class": "ok", "returns": map[string]any{"tier": "gold"},
		"at": l.begin.UTC().Format(time.RFC3339Nano),
	}}, l.last)
}

func TestAFreeOutcomeTakesNoStepOfTheSchedule(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{free(10 * time.Second), retry(5 * time.Minute), free(time.Second)}
	l.append(0, afterFailing(free(10*time.Second), "d1"))
	l.run()
	require.Equal(t, []string{"10s d1 #1", "20s d1 #1", "5m20s d1 #2", "5m21s d1 #2"}, l.tries)
}

// The activity's own end says nothing of the receiver; it is as an attempt that
// nobody answered.
func TestAnAttemptWithoutOutcomeIsTriedAgain(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{{}}
	l.append(0, handOver("d1", "d2"))
	l.at(30*time.Second, func() {
		records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
		require.Equal(t, contract.StatusWaiting, records[0].Status)
		require.Equal(t, "timeout", records[0].Class)
	})
	l.run()
	require.Equal(t, []string{"0s d1 #1", "1m0s d1 #2", "1m0s d2 #1"}, l.tries)
}

func TestAFinalOutcomeParksAndBlocksTheLane(t *testing.T) {
	for name, start := range map[string]func(l *laneEnv) contract.HandOver{
		"by the interaction's attempt": func(*laneEnv) contract.HandOver {
			return afterFailing(final(), "d1", "d2")
		},
		"by the lane's own": func(l *laneEnv) contract.HandOver {
			l.answers["d1"] = []contract.Outcome{final()}
			return handOver("d1", "d2")
		},
		"by the end of the schedule": func(l *laneEnv) contract.HandOver {
			l.answers["d1"] = []contract.Outcome{retry(time.Second), final()}
			return handOver("d1", "d2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLane(t)
			l.append(0, start(l))
			l.append(time.Hour, handOver("d3"))
			before := 0
			l.at(1000*time.Hour, func() {
				before = len(l.tries)
				require.Equal(t, "d1:parked d2:waiting d3:waiting", l.statuses())
				require.Equal(t, []int64{1}, l.parked)
			})
			l.signal(1000*time.Hour+time.Second, contract.SignalRedeliver, `{}`)
			l.run()
			require.Equal(t, []string{"1000h0m1s d1 #1", "1000h0m1s d2 #1", "1000h0m1s d3 #1"}, l.tries[before:])
			require.Equal(t, []int64{1, 0}, l.parked)
		})
	}
}

func TestAParkedDeliveryIsToldAtOnce(t *testing.T) {
	l := newLane(t)
	l.answers["d2"] = []contract.Outcome{final()}
	l.append(0, handOver("d1", "d2", "d3"))
	l.signal(time.Hour, contract.SignalDiscard, ``)
	l.run()
	require.Equal(t, []string{
		"0s lane_result d1:delivered d2:parked last=d3",
		"1h0m0s lane_drained d2:discarded d3:delivered last=d3",
	}, l.reports)
}

func TestTheOrderPolicySaysWhatPassesAFailure(t *testing.T) {
	for name, test := range map[string]struct {
		first contract.Outcome
		tries []string
	}{
		"block: nothing passes a parked one": {
			ordered("block", final()), []string{"0s d1 #1", "10h0m0s d1 #1", "10h0m0s d2 #1", "10h0m0s d3 #1"},
		},
		"skip: a parked one lets the others pass": {
			ordered("skip", final()), []string{"0s d1 #1", "0s d2 #1", "0s d3 #1", "10h0m0s d1 #1"},
		},
		"skip: one that is tried again does not": {
			ordered("skip", retry(time.Hour)), []string{"0s d1 #1", "1h0m0s d1 #2", "1h0m0s d2 #1", "1h0m0s d3 #1"},
		},
		"unordered: a parked one lets the others pass": {
			ordered("unordered", final()), []string{"0s d1 #1", "0s d2 #1", "0s d3 #1", "10h0m0s d1 #1"},
		},
		"unordered: so does one that is tried again": {
			ordered("unordered", retry(time.Hour)), []string{"0s d1 #1", "0s d2 #1", "0s d3 #1", "1h0m0s d1 #2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLane(t)
			l.answers["d1"] = []contract.Outcome{test.first}
			l.append(0, handOver("d1", "d2", "d3"))
			l.signal(10*time.Hour, contract.SignalRedeliver, ``)
			l.run()
			require.Equal(t, test.tries, l.tries)
		})
	}
}

func TestUnorderedDeliveriesGoWhenTheyAreDue(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{ordered("unordered", retry(time.Hour))}
	l.answers["d2"] = []contract.Outcome{ordered("unordered", retry(time.Minute)), ordered("unordered", retry(5*time.Minute))}
	l.append(0, handOver("d1", "d2"))
	l.run()
	require.Equal(t, []string{"0s d1 #1", "0s d2 #1", "1m0s d2 #2", "6m0s d2 #3", "1h0m0s d1 #2"}, l.tries)
}

func TestAnOperatorRedelivers(t *testing.T) {
	for name, test := range map[string]struct {
		wish  string
		tries []string
		told  string
	}{
		"all":           {`{}`, []string{"d1 #1", "d3 #1"}, "d1:delivered d3:delivered last=d4"},
		"all, no input": {``, []string{"d1 #1", "d3 #1"}, "d1:delivered d3:delivered last=d4"},
		"one":           {`{"id":"d3"}`, []string{"d3 #1"}, "d1:discarded last=d4"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLane(t)
			for _, id := range []string{"d1", "d3"} {
				l.answers[id] = []contract.Outcome{ordered("skip", retry(time.Second)), ordered("skip", final())}
			}
			l.append(0, handOver(ids(4)...))
			before := 0
			l.at(time.Hour, func() {
				before = len(l.tries)
				require.Equal(t, "d1:parked d2:delivered d3:parked d4:delivered", l.statuses())
			})
			l.signal(2*time.Hour, contract.SignalRedeliver, test.wish)
			l.signal(3*time.Hour, contract.SignalDiscard, `{"id":"d1"}`) // what is left
			l.run()
			var again []string
			for _, try := range l.tries[before:] {
				require.True(t, strings.HasPrefix(try, "2h0m0s "), try)
				again = append(again, strings.TrimPrefix(try, "2h0m0s "))
			}
			require.Equal(t, test.tries, again)
			require.Contains(t, l.reports[len(l.reports)-1], test.told)
		})
	}
}

// A redelivered one that fails again goes through its whole schedule.
func TestARedeliveryStartsTheScheduleAnew(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{retry(time.Second), final(), retry(5 * time.Second), retry(5 * time.Minute)}
	l.append(0, handOver("d1"))
	l.signal(time.Hour, contract.SignalRedeliver, `{"id":"d1"}`)
	l.run()
	require.Equal(t, []string{"0s d1 #1", "1s d1 #2", "1h0m0s d1 #1", "1h0m5s d1 #2", "1h5m5s d1 #3"}, l.tries)
	require.Equal(t, []int64{1, 0}, l.parked)
}

func TestAnOperatorNeedNotWaitForTheNextAttempt(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{retry(24 * time.Hour)}
	l.append(0, handOver("d1"))
	l.signal(time.Hour, contract.SignalRedeliver, `{}`) // nothing is parked
	l.signal(2*time.Hour, contract.SignalRedeliver, `{"id":"d1"}`)
	l.run()
	require.Equal(t, []string{"0s d1 #1", "2h0m0s d1 #1"}, l.tries)
}

func TestAnOperatorDiscards(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{retry(24 * time.Hour)}
	l.append(0, handOver("d1", "d2", "d3"))
	l.signal(time.Hour, contract.SignalDiscard, `{"id":"d2"}`)
	l.at(2*time.Hour, func() { require.Equal(t, "d1:waiting d2:discarded d3:waiting", l.statuses()) })
	l.signal(3*time.Hour, contract.SignalDiscard, `{"id":"d1"}`)
	l.run()
	require.Equal(t, []string{"0s d1 #1", "3h0m0s d3 #1"}, l.tries)
	require.Contains(t, l.reports[len(l.reports)-1], "d1:discarded d3:delivered last=d3")
}

func TestADeliveryIsDiscardedWhileItIsAttempted(t *testing.T) {
	for name, outcome := range map[string]contract.Outcome{"delivered": delivered("d1"), "failed": retry(time.Hour), "final": final()} {
		t.Run(name, func(t *testing.T) {
			l := newLane(t)
			l.answers["d1"] = []contract.Outcome{outcome}
			l.during = func(in contract.AttemptInput) {
				if in.Requests[0].ID == "d1" {
					l.SignalWorkflow(contract.SignalDiscard, map[string]string{"id": "d1"})
				}
			}
			l.append(0, handOver("d1", "d2"))
			l.run()
			require.Equal(t, []string{"0s d1 #1", "0s d2 #1"}, l.tries)
			told := map[string]string{"delivered": "delivered"}[name] // the receiver has it: that is told
			require.Equal(t, []string{"0s lane_drained d1:" + cmp.Or(told, "discarded") + " d2:delivered last=d2"}, l.reports)
		})
	}
}

// There are more of them than settled ones are kept.
func TestAllParkedDeliveriesAreDiscardedOrRedeliveredTogether(t *testing.T) {
	const n = 120
	for _, signal := range []string{contract.SignalDiscard, contract.SignalRedeliver} {
		t.Run(signal, func(t *testing.T) {
			l := newLane(t)
			for _, id := range ids(n) {
				l.answers[id] = []contract.Outcome{ordered("skip", final())}
			}
			l.append(0, handOver(ids(n)...))
			l.signal(time.Hour, signal, ``)
			l.at(2*time.Hour, func() { t.Fatal("some are left: ", l.statuses()) })
			l.run()
			require.EqualValues(t, 0, l.parked[len(l.parked)-1])
			settled := map[string]bool{}
			for _, told := range l.reports {
				for _, word := range strings.Fields(told) {
					if id, status, ok := strings.Cut(word, ":"); ok && status != "parked" {
						require.False(t, settled[id], id)
						settled[id] = true
					}
				}
			}
			require.Len(t, settled, n)
		})
	}
}

func TestRetentionEndsAParkedDelivery(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{kept(48*time.Hour, final())}
	l.append(0, handOver("d1"))
	l.run()
	require.Equal(t, []string{"0s lane_result d1:parked last=d1", "48h0m0s lane_drained d1:discarded last=d1"}, l.reports)
	require.Equal(t, "expired", l.last[0]["class"])
	require.Equal(t, []int64{1, 0}, l.parked)
}

func TestTheEndOfARetentionLetsTheOthersGo(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{kept(48*time.Hour, final())}
	l.answers["d3"] = []contract.Outcome{kept(time.Hour, final())}
	l.append(0, handOver("d1", "d2", "d3", "d4"))
	l.at(100*time.Hour, func() { t.Fatal("the lane is stuck: ", l.statuses()) })
	l.run()
	require.Equal(t, []string{"0s d1 #1", "48h0m0s d2 #1", "48h0m0s d3 #1", "49h0m0s d4 #1"}, l.tries)
}

func TestARetentionDoesNotHoldUpWhatPasses(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{kept(time.Hour, ordered("skip", final()))}
	l.answers["d2"] = []contract.Outcome{retry(30 * time.Minute), retry(5 * time.Hour)}
	l.append(0, handOver("d1", "d2"))
	l.run()
	require.Equal(t, []string{"0s d1 #1", "0s d2 #1", "30m0s d2 #2", "5h30m0s d2 #3"}, l.tries)
	require.Equal(t, []string{
		"0s lane_result d1:parked last=d2", "1h0m0s lane_result d1:discarded last=d2", "5h30m0s lane_drained d2:delivered last=d2",
	}, l.reports)
}

func TestARedeliveredOneDoesNotExpire(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{kept(48*time.Hour, final()), retry(72 * time.Hour)}
	l.append(0, handOver("d1"))
	l.signal(time.Hour, contract.SignalRedeliver, ``)
	l.run()
	require.Equal(t, []string{"0s d1 #1", "1h0m0s d1 #1", "73h0m0s d1 #2"}, l.tries)
	require.Contains(t, l.reports[len(l.reports)-1], "d1:delivered")
}
