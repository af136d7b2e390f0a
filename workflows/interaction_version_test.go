package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
)

func TestDeliveriesHaveTheVersionOfTheConfiguration(t *testing.T) {
	e := newEnv(t)
	e.onDispatch = func(in *contract.DispatchInput, result *contract.DispatchResult) {
		if in.After > 0 {
			return
		}
		inline := delivered("d1")
		result.Deliveries = []contract.Delivery{
			{ID: "d1", Call: "crm", Sequence: 1, Status: contract.StatusDelivered, Outcome: &inline},
			{ID: "d2", Call: "bi", Sequence: 1, Status: contract.StatusWaiting, Request: &contract.Request{ID: "d2", Call: "bi"}},
			{ID: "d3", Call: "erp", Sequence: 1, Status: contract.StatusInLane},
		}
	}
	e.onAttempt = func(in contract.AttemptInput) contract.AttemptResult {
		outcome := delivered(in.Requests[0].ID)
		outcome.Version = "v2"
		return contract.AttemptResult{Outcomes: []contract.Outcome{outcome}}
	}
	e.signals(time.Minute, [2]string{"lane_result", `{"call":"erp","results":[{"id":"d3","status":"delivered","class":"ok","version":"v3"}]}`})
	e.signals(2*time.Minute, [2]string{"abandon", `{}`})
	e.start(`{"id":"i-1","contact_center":"cc","channel":"inbound"}`)
	versions := map[string]string{}
	for _, record := range query[[]contract.DeliveryRecord](e, contract.QueryDeliveries) {
		versions[record.ID] = record.Version
	}
	require.Equal(t, map[string]string{"d1": "v1", "d2": "v2", "d3": "v3"}, versions)
}

func TestAttemptsOfALaneHaveTheVersionOfTheConfiguration(t *testing.T) {
	l := newLane(t)
	first, second := retry(time.Minute), delivered("d1")
	first.Version, second.Version = "v2", "v3"
	l.answers["d1"] = []contract.Outcome{first, second}
	in := handOver("d1", "d2")
	in.Requests[0].Version, in.Requests[1].Version = "v1", "v1"
	l.append(0, in)
	l.at(30*time.Second, func() {
		records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
		require.Equal(t, "v2", records[0].Version)
		require.Equal(t, "v1", records[1].Version, "not attempted yet: the version that rendered it")
	})
	l.run()
	records := query[[]contract.DeliveryRecord](l.env, contract.QueryDeliveries)
	require.Equal(t, []string{"v2", "v3"}, []string{records[0].Attempts[0].Version, records[0].Attempts[1].Version})
	require.Equal(t, "v3", l.last[0]["version"])
}
