package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"

	"segue/contract"
	"segue/interaction"
)

// The recording's URL and the survey follow the end by seconds, also if the disposition came
// with the end. The state shows until when the workflow takes them.
func TestLateDataIsTakenUntilTheTimerFires(t *testing.T) {
	for name, c := range map[string]struct {
		commands [][2]string
		late     time.Duration
		open     bool
	}{
		"with a disposition": {[][2]string{{"accept", `{"agent":"ada"}`}, {"complete", `{"disposition":{"code":"SOLD"}}`}}, 15 * time.Minute, true},
		"without":            {[][2]string{{"accept", `{"agent":"ada"}`}, {"complete", `{}`}}, 15 * time.Minute, true},
		"from the queue":     {[][2]string{{"accept", `{"agent":"ada"}`}, {"place_in_queue", `{"queue":"sales"}`}, {"abandon", `{}`}}, 15 * time.Minute, true},
		"no agent":           {[][2]string{{"place_in_queue", `{"queue":"sales"}`}, {"abandon", `{}`}}, 15 * time.Minute, false},
		"off":                {[][2]string{{"accept", `{"agent":"ada"}`}, {"complete", `{}`}}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			ruled(e, timeouts(contract.Timeouts{LateEvents: c.late, Lifetime: time.Hour}))
			begin := e.Now()
			e.signals(time.Second, c.commands...)
			if c.open {
				until := begin.Add(time.Second).Add(c.late)
				e.RegisterDelayedCallback(func() {
					ends := e.moments()
					require.Equal(t, "interaction_ends", ends[len(ends)-1], "the end triggers do not wait")
					status := query[contract.State](e, contract.QueryState)
					require.Equal(t, interaction.StateCompleted, status.State)
					require.WithinDuration(t, until, *status.LateUntil, 900*time.Millisecond)
					details := query[*sdkpb.WorkflowMetadata](e, "__temporal_workflow_metadata").GetCurrentDetails()
					require.Contains(t, details, "takes disposition, survey and user data until "+status.LateUntil.Format("2006-01-02 15:04:05")+" UTC")
				}, 2*time.Second)
				e.signals(3*time.Second, [2]string{"update_user_data", `{"user_data":{"recording_url":"https://rec.example.com/1.wav"}}`}, [2]string{"survey", `{"answers":{"csat":5}}`})
				e.signals(10*time.Minute, [2]string{"set_disposition", `{"code":"SOLD"}`})
			}
			e.start(startInbound)
			require.NoError(t, e.GetWorkflowError())
			var last contract.State
			require.NoError(t, e.GetWorkflowResult(&last))
			require.Zero(t, last.RejectedCount)
			require.Nil(t, last.LateUntil)
			if !c.open {
				require.Less(t, e.Now().Sub(begin), 2*time.Second)
				return
			}
			require.InDelta(t, c.late.Seconds()+1, e.Now().Sub(begin).Seconds(), 1)
			require.Equal(t, map[string]any{"csat": 5.0}, last.Survey)
			require.Equal(t, map[string]any{"recording_url": "https://rec.example.com/1.wav"}, last.UserData)
			require.Equal(t, "SOLD", last.Disposition.Code)
			require.Contains(t, e.moments(), "user_data_changed")
			require.Contains(t, e.moments(), "survey")
		})
	}
}
