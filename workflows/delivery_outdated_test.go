package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/workflows"
)

func outdated() contract.Outcome {
	return contract.Outcome{Verdict: contract.VerdictOutdated, Class: "outdated", Message: "not sent: the attempt is over", Of: 3, Order: "skip"}
}

// invitation makes the deliveries of a hand-over callbacks of engage.
func invitation(in contract.HandOver) contract.HandOver {
	for i := range in.Requests {
		in.Requests[i].Call = contract.CallEngage
		in.Requests[i].Engagement = &contract.EngagementAttempt{Interaction: "i-1", FirstRunID: "first", Number: i + 1}
	}
	return in
}

func TestALaneDiscardsWhatIsOutdated(t *testing.T) {
	for name, redelivered := range map[string]bool{"on its schedule": false, "redelivered": true} {
		t.Run(name, func(t *testing.T) {
			l := newLane(t)
			first := retry(time.Minute)
			if redelivered {
				first = ordered("skip", final())
				l.signal(time.Minute, contract.SignalRedeliver, `{}`)
			}
			l.answers["d1"] = []contract.Outcome{first, outdated()}
			l.append(0, invitation(handOver("d1")))
			l.append(time.Hour, handOver("d2"))
			l.run()
			records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
			require.Equal(t, contract.StatusDiscarded, records[0].Status)
			require.Equal(t, "not sent: the attempt is over", records[0].Why)
			require.Equal(t, contract.DiscardedAsOutdated, records[0].Discarded.By)
			require.Equal(t, 1, records[0].Sent, "the receiver did not get it again")
			require.Equal(t, "outdated", records[0].Attempts[1].Class)
			require.Contains(t, l.reports, "1m0s lane_drained d1:discarded last=d1")
			require.Equal(t, "discarded", l.outcomes[0])
		})
	}
}

// A later invitation ends the attempt of the one before: that one is tried at once, and found to be outdated.
func TestALaterInvitationDoesNotWaitForTheScheduleOfAnEarlierOne(t *testing.T) {
	l := newLane(t)
	l.answers["d1"] = []contract.Outcome{retry(5 * time.Hour), outdated()}
	l.append(0, invitation(handOver("d1")))
	l.append(time.Minute, invitation(handOver("d2")))
	l.run()
	require.Equal(t, []string{"0s d1 #1", "1m0s d1 #2", "1m0s d2 #1"}, l.tries)

	l = newLane(t) // those that an earlier version has rendered keep their schedule
	l.answers["d1"] = []contract.Outcome{retry(5 * time.Hour)}
	l.append(0, handOver("d1"))
	l.append(time.Minute, handOver("d2"))
	l.run()
	require.Equal(t, []string{"0s d1 #1", "5h0m0s d1 #2", "5h0m0s d2 #1"}, l.tries)
}

// The interaction's own attempt finds it, too: nothing is handed over, and nothing fires.
func TestAnInteractionDiscardsWhatIsOutdated(t *testing.T) {
	e := newEnv(t)
	fire(e, interaction.MomentEngage, "engage")
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		outcome := outdated()
		outcome.ID = in.Requests[0].ID
		return contract.AttemptResult{Outcomes: []contract.Outcome{outcome}}
	}
	e.signals(time.Second, [2]string{"engage", profile}, [2]string{"noengage", `{"cancelData":{}}`})
	e.start(startWeb)
	require.NoError(t, e.GetWorkflowError())
	require.Empty(t, e.handOvers)
	require.Zero(t, count(e.moments(), "fault"))
	records := query[[]contract.DeliveryRecord](e, contract.QueryDeliveries)
	require.Len(t, records, 1)
	require.Equal(t, []any{contract.StatusDiscarded, "outdated", "not sent: the attempt is over"}, []any{records[0].Status, records[0].Class, records[0].Why})
	require.Zero(t, query[contract.State](e, contract.QueryState).Undelivered)
}

// While an older worker runs next to a newer one, it gets outcomes that it does not know. The replay of what it did issues the
// same commands: a lane has parked the delivery, and kept the schedule of the one before a later invitation.
func TestAnOlderVersionParkedWhatIsOutdated(t *testing.T) {
	l := newLane(t)
	l.OnGetVersion(workflows.ChangeOutdatedCallback, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	l.answers["d1"] = []contract.Outcome{retry(5 * time.Hour), outdated()}
	l.append(0, invitation(handOver("d1")))
	l.append(time.Minute, invitation(handOver("d2")))
	l.signal(6*time.Hour, contract.SignalDiscard, `{"by":"ada"}`)
	l.run()
	require.Equal(t, []string{"0s d1 #1", "5h0m0s d1 #2", "5h0m0s d2 #1"}, l.tries)
	records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
	require.Equal(t, contract.StatusDiscarded, records[0].Status)
	require.Equal(t, "ada", records[0].Discarded.By, "it was parked until then")
}

// An interaction has handed it over.
func TestAnOlderVersionHandedOverWhatIsOutdated(t *testing.T) {
	e := newEnv(t)
	e.OnGetVersion(workflows.ChangeOutdatedCallback, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	fire(e, interaction.MomentEngage, "engage")
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		outcome := outdated()
		outcome.ID = in.Requests[0].ID
		return contract.AttemptResult{Outcomes: []contract.Outcome{outcome}}
	}
	e.signals(time.Second, [2]string{"engage", profile}, [2]string{"noengage", `{"cancelData":{}}`})
	e.start(startWeb)
	require.NoError(t, e.GetWorkflowError())
	require.Len(t, e.handOvers, 1)
	require.Equal(t, contract.VerdictOutdated, e.handOvers[0].Failed.Verdict)
}
