package contract_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
	"segue/interaction/intake"
)

func TestStateEncodesAsOneObject(t *testing.T) {
	late := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	state := contract.State{
		Status:        interaction.Status{Facts: interaction.Facts{ID: "i1"}, Sequence: 7},
		RejectedCount: 1, Duplicates: 2, Undelivered: 3, Runs: 4, LateUntil: &late,
		Gaps: 1, Missing: []intake.Gap{{From: 2, To: 3, At: late}},
	}
	encoded, err := json.Marshal(state)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(encoded, &fields))
	require.Subset(t, fields, map[string]any{
		"id": "i1", "sequence": 7.0, "rejected_count": 1.0, "duplicates": 2.0, "undelivered": 3.0, "runs": 4.0,
		"late_until": "2026-03-01T09:00:00Z", "gaps": 1.0,
		"missing": []any{map[string]any{"from": 2.0, "to": 3.0, "at": "2026-03-01T09:00:00Z"}},
	}, "one flat object")
}

func TestAStateKeepsTheDigitsOfNumbers(t *testing.T) {
	var read contract.State
	require.NoError(t, json.Unmarshal([]byte(`{"id":"i1","sequence":7,"user_data":{"account":12345678901234567,"score":1.5},"workbin":{"id":1}}`), &read))
	require.Equal(t, map[string]any{"account": json.Number("12345678901234567"), "score": 1.5}, read.UserData)
	require.Equal(t, map[string]any{"id": 1.0}, read.Workbin)
	require.EqualValues(t, 7, read.Sequence)
	encoded, err := json.Marshal(read)
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"account":12345678901234567,`)
}
