package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
	"segue/workflows"
)

// turnOf returns the turn of a command with events of these sequence numbers.
func turnOf(command string, sequences ...int64) interaction.Turn {
	var turn interaction.Turn
	for _, sequence := range sequences {
		turn.Events = append(turn.Events, interaction.Event{Sequence: sequence, Command: command})
	}
	return turn
}

func TestTheSummaryOfADispatchNamesItsCommandsAndEvents(t *testing.T) {
	for want, in := range map[string]contract.DispatchInput{
		"accept: 4 events, 11 to 14": {Turns: []interaction.Turn{turnOf("accept", 11, 12, 13, 14)}, After: 10},
		"accept: event 14":           {Turns: []interaction.Turn{turnOf("accept", 11, 12, 13, 14)}, After: 13},
		"dtmf: 2 events, 1 to 2":     {Turns: []interaction.Turn{turnOf("dtmf", 1), turnOf("dtmf", 2)}},
		"start, place_in_queue, offer, 2 more: 5 events, 1 to 5": {Turns: []interaction.Turn{
			turnOf("start", 1), turnOf("place_in_queue", 2), turnOf("offer", 3), turnOf("accept", 4), turnOf("complete", 5),
		}},
	} {
		require.Equal(t, want, workflows.DispatchSummary(&in))
	}
}

func TestTheSummariesOfAttemptsAndHandOversNameTheirCall(t *testing.T) {
	one := []contract.Request{{Sequence: 3, Moment: "interaction_starts"}}
	some := append(one, contract.Request{Sequence: 11})
	require.Equal(t, "crm: interaction_starts, event 3", workflows.AttemptSummary("crm", one))
	require.Equal(t, "crm: 2 events, 3 to 11", workflows.AttemptSummary("crm", some))
	for want, in := range map[string]contract.HandOver{
		"crm: 2 events, 3 to 11 to the lane workflow":      {Requests: some},
		"crm: event 3 to the lane workflow after HTTP 503": {Requests: one, Failed: &contract.Outcome{Code: 503, Class: "http_5xx"}},
		"crm: event 3 to the lane workflow after refused":  {Requests: one, Failed: &contract.Outcome{Class: "refused"}},
	} {
		in.Call = "crm"
		require.Equal(t, want, workflows.HandOverSummary(in))
	}
}
