package lanes_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/client/lanes"
	"segue/contract"
)

// namespace is a namespace in memory with lanes.
type namespace struct {
	mu            sync.Mutex
	lanes         []client.Lane
	records       map[string][]contract.DeliveryRecord
	failedQueries map[string]error // by workflow id
	failedSignals map[string]error
	query         string
	sent          []string
	onSent        func(n int)
}

func newNamespace() *namespace {
	return &namespace{records: map[string][]contract.DeliveryRecord{}, failedQueries: map[string]error{}, failedSignals: map[string]error{}}
}

// add adds a lane of an interaction with one delivery for each status: d1, d2 and so on.
func (n *namespace) add(interaction string, statuses ...contract.DeliveryStatus) client.Lane {
	lane := client.LaneOf(client.Name{ContactCenter: "cc", ID: interaction}, "crm")
	n.lanes = append(n.lanes, lane)
	for i, status := range statuses {
		n.records[lane.WorkflowID] = append(n.records[lane.WorkflowID], contract.DeliveryRecord{
			ID: fmt.Sprintf("%s-d%d", interaction, i+1), Call: "crm", Status: status, Class: "gone", At: "2026-01-31T08:00:00.000Z",
		})
	}
	return lane
}

func (n *namespace) Lanes(_ context.Context, query string, visit func(client.Lane) error) error {
	n.query = query
	for _, lane := range n.lanes {
		if err := visit(lane); err != nil {
			return err
		}
	}
	return nil
}

func (n *namespace) LaneDeliveries(_ context.Context, l client.Lane) ([]contract.DeliveryRecord, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.records[l.WorkflowID], n.failedQueries[l.WorkflowID]
}

func (n *namespace) SignalLane(_ context.Context, l client.Lane, signal string, request contract.OperatorRequest) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.failedSignals[l.WorkflowID]; err != nil {
		return err
	}
	text := signal + " " + request.ID
	if request.Rerender {
		text += " rerender"
	}
	n.sent = append(n.sent, text)
	if n.onSent != nil {
		n.onSent(len(n.sent))
	}
	return nil
}

func (n *namespace) find(t *testing.T, f lanes.Filter) lanes.Found {
	t.Helper()
	found, err := lanes.Find(t.Context(), n, f, 1000, func() {})
	require.NoError(t, err)
	return found
}

func ids(found lanes.Found) []string {
	got := []string{}
	for _, d := range found.Deliveries {
		got = append(got, d.ID)
	}
	return got
}

var parked = lanes.Filter{Parked: true}

func redelivery(perSecond float64) lanes.Operation {
	return lanes.Operation{Signal: contract.SignalRedeliver, Rate: perSecond, Done: func() {}}
}

func TestTheQueryHasAConditionForEveryFieldThatIsSet(t *testing.T) {
	query := lanes.Filter{ContactCenter: "cc", Interaction: "i", Call: "crm", Parked: true}.Query()
	require.Equal(t, "WorkflowType = 'Delivery' AND ExecutionStatus = 'Running' AND SegueContactCenter = 'cc'"+
		" AND SegueInteraction = 'i' AND SegueCall = 'crm' AND SegueParked > 0", query)
	query = lanes.Filter{Parked: true, Retrying: true}.Query()
	require.NotContains(t, query, "SegueParked", "a lane that has nothing parked may retry")
	require.Contains(t, lanes.Filter{Call: `a' OR \'b`}.Query(), ` AND SegueCall = 'a\' OR \\\'b'`)
}

func TestAFilterSelectsDeliveries(t *testing.T) {
	at := time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)
	gone := contract.DeliveryRecord{ID: "d", Call: "crm", Status: contract.StatusParked, Class: "gone", At: at.Format(time.RFC3339Nano)}
	retrying := gone
	retrying.Status, retrying.Due = contract.StatusWaiting, at.Add(time.Hour).Format(time.RFC3339Nano)
	behind := contract.DeliveryRecord{ID: "e", Call: "crm", Status: contract.StatusWaiting, EventAt: gone.At}
	delivered := gone
	delivered.Status = contract.StatusDelivered
	for name, c := range map[string]struct {
		filter lanes.Filter
		record contract.DeliveryRecord
		want   bool
	}{
		"nothing narrows":           {lanes.Filter{}, behind, true},
		"delivered":                 {lanes.Filter{}, delivered, false},
		"delivered, with settled":   {lanes.Filter{Settled: true}, delivered, true},
		"parked":                    {parked, gone, true},
		"not parked":                {parked, retrying, false},
		"retrying":                  {lanes.Filter{Parked: true, Retrying: true}, retrying, true},
		"behind another":            {lanes.Filter{Parked: true, Retrying: true}, behind, false},
		"another call":              {lanes.Filter{Call: "bi"}, gone, false},
		"another class":             {lanes.Filter{Class: "timeout"}, gone, false},
		"another id":                {lanes.Filter{IDs: []string{"x"}}, gone, false},
		"one of the ids":            {lanes.Filter{IDs: []string{"x", "d"}}, gone, true},
		"failed since":              {lanes.Filter{Since: at}, gone, true},
		"failed before":             {lanes.Filter{Since: at.Add(time.Second)}, gone, false},
		"never tried, since event":  {lanes.Filter{Since: at}, behind, true},
		"never tried, an older one": {lanes.Filter{Since: at.Add(time.Second)}, behind, false},
		"attempting is not parked":  {parked, contract.DeliveryRecord{Status: contract.StatusAttempting}, false},
		"attempting is not settled": {lanes.Filter{}, contract.DeliveryRecord{Status: contract.StatusAttempting}, true},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.filter.Match(c.record)) })
	}
}

func TestFindKeepsTheOrderOverManyLanes(t *testing.T) {
	n := newNamespace()
	var want []string
	for i := range 150 {
		n.add(fmt.Sprint("i", i), contract.StatusParked, contract.StatusWaiting)
		want = append(want, fmt.Sprintf("i%d-d1", i))
	}
	require.Equal(t, want, ids(n.find(t, parked)))

	found, err := lanes.Find(t.Context(), n, parked, 70, func() {})
	require.NoError(t, err)
	require.True(t, found.More)
	require.Equal(t, want[:70], ids(found))
	found, err = lanes.Find(t.Context(), n, parked, 150, func() {})
	require.NoError(t, err)
	require.False(t, found.More, "exactly as many as there are")
}

func TestALaneThatDoesNotAnswerHidesNoOther(t *testing.T) {
	n := newNamespace()
	n.add("i1", contract.StatusParked)
	n.failedQueries[n.add("i2").WorkflowID] = errors.New("stuck")
	n.failedQueries[n.add("i3").WorkflowID] = client.ErrCompleted
	n.add("i4", contract.StatusParked)
	found := n.find(t, parked)
	require.Equal(t, []string{"i1-d1", "i4-d1"}, ids(found))
	require.Equal(t, []lanes.Failure{{WorkflowID: "delivery/cc/i2/crm", Reason: "stuck"}}, found.Failures)

	n.failedQueries["delivery/cc/i2/crm"] = client.ErrNoWorker
	_, err := lanes.Find(t.Context(), n, parked, 10, func() {})
	require.ErrorIs(t, err, client.ErrNoWorker, "no worker would answer for the others either")
}

func TestSendKeepsToItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamespace()
		for i := range 11 {
			n.add(fmt.Sprint("i", i), contract.StatusParked)
		}
		begin := time.Now()
		result, err := lanes.Send(t.Context(), n, parked, n.find(t, parked), redelivery(5))
		require.NoError(t, err)
		require.Equal(t, lanes.Result{Matched: 11, Sent: 11}, result)
		require.Equal(t, 2*time.Second, time.Since(begin).Round(time.Millisecond))
		require.Equal(t, "redeliver i0-d1", n.sent[0])
	})
}

func TestADeliveryThatNoLongerWaitsIsSkipped(t *testing.T) {
	n := newNamespace()
	for _, i := range []string{"i1", "i2", "i3", "i4", "i5"} {
		n.add(i, contract.StatusParked)
	}
	found := n.find(t, parked)
	n.records["delivery/cc/i1/crm"] = []contract.DeliveryRecord{{ID: "i1-d1", Status: contract.StatusDelivered}}
	n.records["delivery/cc/i2/crm"] = nil
	n.failedQueries["delivery/cc/i3/crm"] = client.ErrNotFound
	n.failedSignals["delivery/cc/i4/crm"] = client.ErrCompleted
	result, err := lanes.Send(t.Context(), n, parked, found, redelivery(1000))
	require.NoError(t, err)
	require.Equal(t, lanes.Result{Matched: 5, Sent: 1, Skipped: 4}, result)
	require.Equal(t, []string{"redeliver i5-d1"}, n.sent)
}

func TestAFailedSignalStopsNoOther(t *testing.T) {
	n := newNamespace()
	n.add("i1", contract.StatusParked)
	n.add("i2", contract.StatusParked)
	n.failedSignals["delivery/cc/i1/crm"] = errors.New("too many signals")
	result, err := lanes.Send(t.Context(), n, parked, n.find(t, parked), redelivery(1000))
	require.NoError(t, err)
	require.Equal(t, 1, result.Sent)
	require.Equal(t, 1, result.Failed)
	require.Equal(t, []lanes.Failure{{WorkflowID: "delivery/cc/i1/crm", ID: "i1-d1", Reason: "too many signals"}}, result.Failures)
}

func TestOnlyADeliveryWithASourceIsRenderedAgain(t *testing.T) {
	n := newNamespace()
	n.add("i1", contract.StatusParked)
	n.records[n.add("i2", contract.StatusParked).WorkflowID][0].CanRerender = true
	rerender := redelivery(1000)
	rerender.Rerender = true
	result, err := lanes.Send(t.Context(), n, parked, n.find(t, parked), rerender)
	require.NoError(t, err)
	require.Equal(t, []string{"redeliver i2-d1 rerender"}, n.sent)
	require.Equal(t, 1, result.Failed)
	require.Contains(t, result.Failures[0].Reason, "redeliver it as it is")
}

// Send breaks off at an interrupt, or at an outage of Temporal.
func TestTheResultOfABrokenOffSendCountsWhatWasDone(t *testing.T) {
	n := newNamespace()
	for i := range 5 {
		n.add(fmt.Sprint("i", i), contract.StatusParked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n.onSent = func(sent int) {
		if sent == 2 {
			cancel()
		}
	}
	result, err := lanes.Send(ctx, n, parked, n.find(t, parked), redelivery(1000))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, lanes.Result{Matched: 5, Sent: 2}, result)

	n.failedSignals["delivery/cc/i0/crm"] = client.ErrUnreachable
	result, err = lanes.Send(t.Context(), n, parked, n.find(t, parked), redelivery(1000))
	require.ErrorIs(t, err, client.ErrUnreachable)
	require.Zero(t, result.Sent)
}
