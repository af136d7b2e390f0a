package contract_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

// A workflow that continues as new encodes the facts.
func TestAlertFactsSurviveJSON(t *testing.T) {
	facts := contract.AlertFacts{
		Call: "crm", Since: time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600)), FailingFor: 90*time.Second + 400*time.Millisecond,
		Count: 3, Lanes: 2, Parked: 1, Failure: contract.Failure{Class: "http_5xx", Code: 503, Delivery: "d", ContactCenter: "cc", Interaction: "i"},
	}.Fields()
	encoded, err := json.Marshal(facts)
	require.NoError(t, err)
	var read map[string]any
	require.NoError(t, json.Unmarshal(encoded, &read))
	require.Equal(t, facts, read)
	require.Equal(t, "2026-01-02T02:04:05.000000006Z", facts["since"])
	require.Equal(t, 90.0, facts["failing_for"])
	require.Equal(t, "", contract.AlertFacts{}.Fields()["since"], "every field is present at every moment")
}
