package workflows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// TestAMonthLongInteraction has 30 days with five commands a day, each applied when it
// arrived, and only one timer in between.
func TestAMonthLongInteraction(t *testing.T) {
	const days, aDay = 30, 5
	e := newEnv(t)
	for day := range days {
		for n := range aDay {
			at := time.Duration(day)*24*time.Hour + time.Duration(n)*3*time.Hour + time.Second
			e.signals(at, [2]string{"attach_user_data", fmt.Sprintf(`{"user_data":{"visit_%d_%d":true}}`, day, n)})
		}
	}
	e.RegisterDelayedCallback(func() {
		status := query[contract.State](e, contract.QueryState)
		require.Len(t, status.UserData, days*aDay)
		require.Zero(t, status.RejectedCount)
	}, (days-1)*24*time.Hour+20*time.Hour)
	e.signals(days*24*time.Hour, [2]string{"complete", `{}`})
	e.start(`{"id":"i-1","contact_center":"cc","channel":"email"}`)
	require.NoError(t, e.GetWorkflowError())
	changes := 0
	for _, event := range e.events {
		if event.Moment == "user_data_changed" {
			changes++
		}
	}
	require.Equal(t, days*aDay, changes)
	require.Len(t, e.inputs, days*aDay+2, "a dispatch for the start, for each command, and for the end")
}
