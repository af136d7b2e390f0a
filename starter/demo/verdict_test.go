package demo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/starter/demo"
)

var expected = []demo.Expected{
	{ID: "a1", Endpoint: "crm /a", Method: "POST", Body: demo.DigestOf([]byte("1")), Status: 200, Lane: "a", Sequence: 1},
	{ID: "a2", Endpoint: "crm /a", Method: "POST", Body: demo.DigestOf([]byte("2")), Status: 200, Lane: "a", Sequence: 2},
	{ID: "b1", Endpoint: "crm /b", Method: "POST", Body: demo.DigestOf([]byte("3")), Status: 200, Lane: "b", Sequence: 1},
	{ID: "e1", Endpoint: "engagement /e", Method: "POST", Body: demo.DigestOf([]byte("4")), Status: 400, Lane: "e", Sequence: 3},
}

// arrival returns the arrival of expected[i] with a status.
func arrival(i, status int) demo.Arrival {
	e := expected[i]
	return demo.Arrival{ID: e.ID, Key: e.ID, Endpoint: e.Endpoint, Method: e.Method, Body: e.Body, Status: status}
}

func changed(a demo.Arrival, change func(*demo.Arrival)) demo.Arrival {
	change(&a)
	return a
}

func TestJudgeFindsEachKindOfFault(t *testing.T) {
	exact := []demo.Arrival{arrival(0, 200), arrival(2, 503), arrival(2, 503), arrival(3, 400), arrival(1, 200), arrival(2, 200)}
	for name, test := range map[string]struct {
		arrivals   []demo.Arrival
		faults     []demo.FaultKind
		duplicates int
	}{
		"exact": {arrivals: exact},
		"an identical repeat after success": {
			arrivals: append([]demo.Arrival{arrival(0, 200)}, exact...), duplicates: 1,
		},
		"a repeat with other bytes": {
			arrivals: append(exact[:6:6], changed(arrival(0, 200), func(a *demo.Arrival) { a.Body = "x" })),
			faults:   []demo.FaultKind{demo.FaultBytes}, duplicates: 1,
		},
		"another attempt with other bytes": {
			arrivals: append([]demo.Arrival{changed(arrival(2, 503), func(a *demo.Arrival) { a.Body = "x" })}, exact...),
			faults:   []demo.FaultKind{demo.FaultBytes},
		},
		"another path": {
			arrivals: append([]demo.Arrival{changed(arrival(0, 503), func(a *demo.Arrival) { a.Endpoint = "crm /z" })}, exact...),
			faults:   []demo.FaultKind{demo.FaultBytes},
		},
		"another method": {
			arrivals: append([]demo.Arrival{changed(arrival(0, 503), func(a *demo.Arrival) { a.Method = "PUT" })}, exact...),
			faults:   []demo.FaultKind{demo.FaultBytes},
		},
		"another idempotency key": {
			arrivals: append([]demo.Arrival{changed(arrival(0, 503), func(a *demo.Arrival) { a.Key = "other" })}, exact...),
			faults:   []demo.FaultKind{demo.FaultBytes},
		},
		"lost": {arrivals: exact[1:], faults: []demo.FaultKind{demo.FaultLost}},
		"no final response": {
			arrivals: exact[:5], faults: []demo.FaultKind{demo.FaultLost},
		},
		"wrong answer": {
			arrivals: append(exact[:3:3], arrival(3, 200), arrival(1, 200), arrival(2, 200)),
			faults:   []demo.FaultKind{demo.FaultAnswer},
		},
		"wrong order": {
			arrivals: []demo.Arrival{arrival(1, 200), arrival(0, 200), arrival(2, 200), arrival(3, 400)},
			faults:   []demo.FaultKind{demo.FaultOrder},
		},
		"order counts final answers, not attempts": {
			arrivals: []demo.Arrival{arrival(1, 503), arrival(0, 200), arrival(1, 200), arrival(2, 200), arrival(3, 400)},
		},
		"unexpected": {
			arrivals: append([]demo.Arrival{{ID: "ghost", Key: "ghost", Status: 200}}, exact...),
			faults:   []demo.FaultKind{demo.FaultUnexpected},
		},
	} {
		t.Run(name, func(t *testing.T) {
			verdict := demo.Judge(test.arrivals, expected)
			var kinds []demo.FaultKind
			for _, fault := range verdict.Faults {
				kinds = append(kinds, fault.Kind)
				require.NotEmpty(t, fault.Detail)
			}
			require.Equal(t, test.faults, kinds)
			require.Equal(t, test.duplicates, verdict.Duplicates)
			require.Equal(t, len(test.faults) == 0, verdict.Exact(true))
			require.Equal(t, len(test.faults) == 0 && test.duplicates == 0, verdict.Exact(false))
		})
	}
}

// A fault event that precedes an event takes its sequence number, or not.
func TestADeliveryMayArriveAsItsAlternative(t *testing.T) {
	alternative := demo.Expected{ID: "a2", Endpoint: "crm /a", Method: "POST", Body: demo.DigestOf([]byte("2, as event 3")), Status: 200, Lane: "a", Sequence: 3}
	either := append([]demo.Expected{}, expected...)
	either[1].Alternative = &alternative
	shifted := changed(arrival(1, 200), func(a *demo.Arrival) { a.Body = alternative.Body })
	rest := []demo.Arrival{arrival(0, 200), arrival(2, 200), arrival(3, 400)}
	require.True(t, demo.Judge(append(rest[:3:3], arrival(1, 200)), either).Exact(false))
	require.True(t, demo.Judge(append(rest[:3:3], shifted), either).Exact(false))
	require.Equal(t, demo.FaultBytes, demo.Judge(append(rest[:3:3], arrival(1, 200), shifted), either).Faults[0].Kind)
	require.Equal(t, demo.FaultLost, demo.Judge(rest, either).Faults[0].Kind)
	require.Equal(t, demo.FaultBytes, demo.Judge(append(rest[:3:3], shifted), expected).Faults[0].Kind)
}

func TestJudgeCounts(t *testing.T) {
	verdict := demo.Judge([]demo.Arrival{
		arrival(0, 200), arrival(2, 503), arrival(2, 503), arrival(2, 200), arrival(3, 400), arrival(1, 200), arrival(1, 200),
	}, expected)
	require.Equal(t, demo.Verdict{
		Expected: 4, Delivered: 3, Refused: 1, Retried: 1, Arrivals: 7, Duplicates: 1, Faults: []demo.Fault{},
	}, verdict)
}
