package lanes_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/client/lanes"
	"segue/contract"
)

// list lists the lanes of the namespace, three at a time whatever is asked.
func (n *namespace) list(_ context.Context, query string, _ int, page []byte) ([]client.Listed, []byte, error) {
	n.query = query
	begin, _ := strconv.Atoi(string(page))
	end := min(begin+3, len(n.lanes))
	var rows []client.Listed
	for _, lane := range n.lanes[begin:end] {
		rows = append(rows, client.Listed{Name: lane.Name, Call: lane.Call, WorkflowID: lane.WorkflowID, Parked: int64(len(n.records[lane.WorkflowID]))})
	}
	if end == len(n.lanes) {
		return rows, nil, nil
	}
	return rows, []byte(strconv.Itoa(end)), nil
}

// pagesOf reads all pages, and returns the ids of each.
func (n *namespace) pagesOf(t *testing.T, p lanes.Pages, limit int) [][]string {
	t.Helper()
	p.List = n.list
	var all [][]string
	for from := (lanes.Place{}); ; {
		found, next, err := p.Find(t.Context(), n, limit, from, nil)
		require.NoError(t, err)
		require.LessOrEqual(t, len(found.Deliveries), limit)
		all = append(all, ids(found))
		if next == nil {
			return all
		}
		from = *next
		require.Less(t, len(all), 100)
	}
}

func TestPagesHaveEveryDeliveryOnce(t *testing.T) {
	n := newNamespace()
	var want []string
	for i := range 8 {
		statuses := make([]contract.DeliveryStatus, i%4)
		for d := range statuses {
			statuses[d] = contract.StatusParked
			want = append(want, fmt.Sprintf("i%d-d%d", i, d+1))
		}
		n.add(fmt.Sprintf("i%d", i), statuses...)
	}
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		for _, page := range n.pagesOf(t, lanes.Pages{Filter: lanes.Filter{ContactCenter: "cc", Parked: true}}, limit) {
			got = append(got, page...)
		}
		require.Equal(t, want, got, "limit %d", limit)
	}
}

func TestPagesNarrowTheSelection(t *testing.T) {
	n := newNamespace()
	n.add("i1", contract.StatusParked, contract.StatusWaiting, contract.StatusAttempting)
	waiting := func(r contract.DeliveryRecord) bool { return r.Status == contract.StatusWaiting }
	require.Equal(t, [][]string{{"i1-d2"}}, n.pagesOf(t, lanes.Pages{Match: waiting}, 10))
}

func TestPagesHaveNoOtherContactCenter(t *testing.T) {
	n := newNamespace()
	n.add("i1", contract.StatusParked)
	require.Equal(t, [][]string{{}}, n.pagesOf(t, lanes.Pages{Filter: lanes.Filter{ContactCenter: "other"}}, 10), "although the list has it")
}

func TestAPlaceWhoseLaneHasClosedLosesNothing(t *testing.T) {
	n := newNamespace()
	for i := range 3 {
		n.add(fmt.Sprintf("i%d", i), contract.StatusParked)
	}
	p := lanes.Pages{List: n.list}
	found, next, err := p.Find(t.Context(), n, 2, lanes.Place{}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"i0-d1", "i1-d1"}, ids(found))
	n.lanes = append(n.lanes[:1:1], n.lanes[2])
	found, next, err = p.Find(t.Context(), n, 2, *next, nil)
	require.NoError(t, err)
	require.Nil(t, next)
	require.Equal(t, []string{"i0-d1", "i2-d1"}, ids(found))
}

func TestEnoughEndsAPageEarly(t *testing.T) {
	n := newNamespace()
	for i := range 5 {
		n.add(fmt.Sprintf("i%d", i), contract.StatusParked)
	}
	enough := make(chan struct{})
	close(enough)
	p := lanes.Pages{List: n.list}
	found, next, err := p.Find(t.Context(), n, 10, lanes.Place{}, enough)
	require.NoError(t, err)
	require.Len(t, found.Deliveries, 3)
	found, next, err = p.Find(t.Context(), n, 10, *next, enough)
	require.NoError(t, err)
	require.Len(t, found.Deliveries, 2)
	require.Nil(t, next)
}

func TestPagesNameTheLanesThatDoNotAnswer(t *testing.T) {
	n := newNamespace()
	lost, gone := n.add("i0", contract.StatusParked), n.add("i1")
	n.add("i2", contract.StatusParked)
	n.failedQueries[lost.WorkflowID], n.failedQueries[gone.WorkflowID] = errors.New("busy"), client.ErrCompleted
	delete(n.records, lost.WorkflowID)
	p := lanes.Pages{List: n.list}
	found, _, err := p.Find(t.Context(), n, 10, lanes.Place{}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"i2-d1"}, ids(found))
	require.Equal(t, []lanes.Failure{{WorkflowID: lost.WorkflowID, Reason: "busy"}}, found.Failures)
	n.failedQueries[gone.WorkflowID] = client.ErrNoWorker
	_, _, err = p.Find(t.Context(), n, 10, lanes.Place{}, nil)
	require.ErrorIs(t, err, client.ErrNoWorker)
}

func TestAWalkVisitsEveryRow(t *testing.T) {
	n := newNamespace()
	for i := range 7 {
		n.add(fmt.Sprintf("i%d", i), contract.StatusParked)
	}
	var visited []string
	require.NoError(t, lanes.Walk(t.Context(), n.list, "q", 3, func(row client.Listed) { visited = append(visited, row.ID) }))
	require.Equal(t, []string{"i0", "i1", "i2", "i3", "i4", "i5", "i6"}, visited)
	failed := errors.New("busy")
	failing := func(context.Context, string, int, []byte) ([]client.Listed, []byte, error) { return nil, nil, failed }
	require.ErrorIs(t, lanes.Walk(t.Context(), failing, "q", 3, func(client.Listed) { t.Fatal("nothing was listed") }), failed)
}
