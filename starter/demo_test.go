package main_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// The whole day, as a user runs it, checked against the arrivals at the receivers.
func TestDemoDeliversTheWholeDay(t *testing.T) {
	t.Parallel()
	result := segue(t, "demo", "--exit", "--json", "--timeout", "5m", "--temporal-port", "0", "--ui-port", "0", "--http-port", "0")
	var day struct {
		OK                               bool
		Interactions, Commands, Rejected int
		Outcomes, Segments               map[string]int
		Deliveries                       struct{ Expected, Delivered, Refused, Retried, Parked, Duplicates int }
		Engagements                      struct{ Started, Canceled, Refused int }
		Faults                           []string
		ElapsedS                         float64 `json:"elapsed_s"`
		TemporalUI                       string  `json:"temporal_ui"`
	}
	require.NoError(t, json.Unmarshal([]byte(result.out), &day), result.errs)
	require.Empty(t, day.Faults)
	require.Equal(t, 0, result.code, result.errs)
	require.True(t, day.OK)

	require.GreaterOrEqual(t, day.Interactions, 200)
	require.GreaterOrEqual(t, day.Commands, 1500)
	require.Positive(t, day.Rejected)
	require.Zero(t, day.Outcomes["open"])
	require.Positive(t, day.Deliveries.Retried)
	require.Positive(t, day.Deliveries.Parked)
	require.Equal(t, day.Deliveries.Expected, day.Deliveries.Delivered+day.Deliveries.Parked)
	require.Equal(t, day.Deliveries.Refused, day.Deliveries.Parked)
	require.Zero(t, day.Deliveries.Duplicates)
	require.Positive(t, day.Engagements.Started)
	require.Positive(t, day.Engagements.Canceled)
	require.Positive(t, day.Engagements.Refused)
	require.Positive(t, day.ElapsedS)
	require.NotEmpty(t, day.TemporalUI)
}
