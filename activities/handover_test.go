package activities_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"segue/contract"
	"segue/metrics/metricstest"
)

// lanesStarted are the calls that started a lane's workflow.
func (f *fixture) lanesStarted() []mock.Call {
	return slices.DeleteFunc(slices.Clone(f.temporal.Calls), func(c mock.Call) bool { return c.Method != "SignalWithStartWorkflow" })
}

func (f *fixture) handOver(in contract.HandOver) error {
	_, err := f.ExecuteActivity(contract.ActivityHandOver, in)
	return err
}

func TestHandOverStartsLanesOnTheActivitysOwnTaskQueue(t *testing.T) {
	f := newFixture(t)
	f.expectAppend("crm", nil).Once()
	require.NoError(t, f.handOver(contract.HandOver{Owner: owner, Call: "crm", Requests: []contract.Request{{ID: "1"}}}))
	require.NotEmpty(t, f.lanesStarted()[0].Arguments.Get(4).(client.StartWorkflowOptions).TaskQueue)
}

func TestHandOverStartsLanesOnTheConfiguredTaskQueue(t *testing.T) {
	f := newFixture(t)
	f.TaskQueue = "deliveries"
	f.expectAppend("crm", nil).Once()
	require.NoError(t, f.handOver(contract.HandOver{Owner: owner, Call: "crm", Requests: []contract.Request{{ID: "1"}}}))
	require.Equal(t, "deliveries", f.lanesStarted()[0].Arguments.Get(4).(client.StartWorkflowOptions).TaskQueue)
}

func TestHandOverCountsWhatTemporalHas(t *testing.T) {
	f := newFixture(t)
	p := metricstest.New(t)
	f.Metrics = p.Instruments
	in := contract.HandOver{Owner: owner, Call: "crm"}
	for _, id := range []string{"1", "2", "3"} {
		in.Requests = append(in.Requests, contract.Request{ID: id, Body: strings.Repeat("x", 120<<10)})
	}
	f.expectAppend("crm", nil).Once()
	f.expectAppend("crm", errors.New("unavailable")).Once()
	require.ErrorContains(t, f.handOver(in), "appending 1 requests to delivery/default/i-1/crm: unavailable")
	require.Equal(t, map[string]float64{"call=crm": 2}, p.Values("segue_deliveries_handed_over_total"))
}
