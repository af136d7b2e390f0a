package demo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/config"
	"segue/contract"
	"segue/examples"
	"segue/starter/demo"
	"segue/starter/demo/day"
)

func planOfDay(t *testing.T) *demo.Plan {
	plan, err := demo.NewPlan(examples.Day, "demo")
	require.NoError(t, err)
	return plan
}

func TestPlanRejectsExactlyTheBadLinesOfTheGenerator(t *testing.T) {
	plan := planOfDay(t)
	accepted, duplicates := 0, 0
	for i, line := range day.Generate(day.DefaultSeed).Lines {
		_, rejected := plan.Rejected[i+1]
		switch line.Kind {
		case day.Good:
			accepted++
			require.False(t, rejected, "line %d: %s", i+1, plan.Rejected[i+1])
		case day.Duplicate:
			duplicates++
			require.False(t, rejected, "line %d: %s", i+1, plan.Rejected[i+1])
		default:
			require.True(t, rejected, "line %d (%s): %s", i+1, line.Kind, line.Text)
		}
	}
	require.Equal(t, accepted, plan.Accepted)
	require.Equal(t, duplicates, plan.Duplicates)
}

func TestEveryInteractionOfTheDayCompletes(t *testing.T) {
	outcomes := planOfDay(t).Outcomes()
	require.Zero(t, outcomes["open"])
	for _, outcome := range []string{
		"handled", "abandoned", "canceled", "rejected", "overflowed", "not_reached", "not_engaged", "sent",
	} {
		require.Positive(t, outcomes[outcome], outcome)
	}
}

func TestTheDayEntersEverySegment(t *testing.T) {
	segments := planOfDay(t).Segments()
	for _, segment := range []string{
		"interaction_starts", "offered", "handling", "interaction_ends", "agent_selecting", "consulting", "in_conference",
		"wrap_up", "dialing", "rejected", "overflow", "missed", "preview", "abandoned", "handled",
	} {
		require.Positive(t, segments[segment], segment)
	}
}

func TestExpectedDeliveriesHaveUniqueIDsAndAscendInTheirLane(t *testing.T) {
	receivers := listen(t)
	text, err := receivers.Config()
	require.NoError(t, err)
	set, err := config.Parse("demo.yaml", text)
	require.NoError(t, err)

	plan := planOfDay(t)
	runs := map[client.Name]string{}
	for _, planned := range plan.Interactions {
		runs[planned.Name] = "run of " + planned.Name.ID
	}
	expected, err := plan.Expect(set, receivers, runs)
	require.NoError(t, err)
	require.Greater(t, len(expected), 1000)

	refused, lanes, ids := 0, map[string]int64{}, map[string]bool{}
	for _, e := range expected {
		require.False(t, ids[e.ID], "an event and a call give one delivery")
		ids[e.ID] = true
		require.Greater(t, e.Sequence, lanes[e.Lane], "a lane has the order of its events")
		lanes[e.Lane] = e.Sequence
		if e.Status == 400 {
			refused++
		}
	}
	require.Positive(t, refused)

	first := plan.Interactions[0]
	id := contract.DeliveryID(contract.Owner{
		ContactCenter: "demo", Interaction: first.Name.ID, FirstRunID: runs[first.Name],
	}, &first.Turns[0].Events[len(first.Turns[0].Events)-1], "crm")
	require.True(t, ids[id], "interaction_starts of %s is sent to the CRM", first.Name)
}

func TestExpectRefusesAnInteractionWithoutARun(t *testing.T) {
	receivers := listen(t)
	text, err := receivers.Config()
	require.NoError(t, err)
	set, err := config.Parse("demo.yaml", text)
	require.NoError(t, err)
	_, err = planOfDay(t).Expect(set, receivers, nil)
	require.ErrorContains(t, err, "was not started by this demo")
}

func TestGeneratorAndEngagementBackendHaveTheSameRefusedVisitors(t *testing.T) {
	require.Equal(t, demo.RefusedVisitor, day.RefusedVisitor)
}
