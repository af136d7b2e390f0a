package demo

import (
	"cmp"
	"fmt"
	"slices"
)

// Expected is one delivery that must arrive.
type Expected struct {
	ID       string
	Endpoint string
	Method   string
	Body     Digest
	// Status is the final status that the receiver must answer.
	Status int
	// Lane is the interaction and the call. Within a lane, deliveries must arrive in the order of Sequence.
	Lane     string
	Sequence int64
	// Alternative is the same delivery with the next sequence number in its bytes, in case a fault event takes the number
	// of its event. Whether it does depends on when the receiver answers. nil if no fault can precede the event.
	Alternative *Expected
}

// FaultKind is a kind of difference between the arrivals and the expected deliveries.
type FaultKind string

// The kinds of fault.
const (
	// FaultLost means that a delivery has no final response.
	FaultLost FaultKind = "lost"
	// FaultAnswer means that the final status differs from the expected one.
	FaultAnswer FaultKind = "wrong_answer"
	// FaultBytes means that an arrival has another body, path, method or key than expected.
	FaultBytes FaultKind = "different"
	// FaultOrder means that a delivery arrived before an earlier one of its lane.
	FaultOrder FaultKind = "order"
	// FaultUnexpected means that no delivery with this id is expected.
	FaultUnexpected FaultKind = "unexpected"
)

// Fault is one difference.
type Fault struct {
	Kind   FaultKind `json:"kind"`
	ID     string    `json:"id"`
	Detail string    `json:"detail"`
}

func (f Fault) String() string { return fmt.Sprintf("%s: %s: %s", f.Kind, f.ID, f.Detail) }

// Verdict is the result of comparing the arrivals with the expected deliveries.
type Verdict struct {
	Expected int `json:"expected"`
	// Delivered counts the deliveries with a final 2xx, Refused those with a final 400, and Retried those that needed
	// more than one attempt.
	Delivered int `json:"delivered"`
	Refused   int `json:"refused"`
	Retried   int `json:"retried"`
	// Arrivals counts all requests, Duplicates those after the final response of their delivery.
	Arrivals   int     `json:"arrivals"`
	Duplicates int     `json:"duplicates"`
	Faults     []Fault `json:"faults"`
}

// Exact reports whether every delivery arrived once and as expected. allowDuplicates accepts identical repeats: a worker
// that is killed may repeat a request whose response it did not see.
func (v Verdict) Exact(allowDuplicates bool) bool {
	return len(v.Faults) == 0 && (allowDuplicates || v.Duplicates == 0)
}

// chooseVariants replaces each delivery by its alternative if the first arrival matches the alternative. Every repeat
// must then match it as well.
func chooseVariants(arrivals []Arrival, expected []Expected) []Expected {
	first := make(map[string]Arrival, len(arrivals))
	for _, a := range arrivals {
		if _, repeated := first[a.ID]; !repeated {
			first[a.ID] = a
		}
	}
	chosen := slices.Clone(expected)
	for i := range chosen {
		for e := &expected[i]; e != nil; e = e.Alternative {
			if a, ok := first[e.ID]; ok && e.matches(a) {
				chosen[i] = *e
				break
			}
		}
	}
	return chosen
}

// matches reports whether an arrival is the request of the delivery.
func (e *Expected) matches(a Arrival) bool {
	return a.Method == e.Method && a.Endpoint == e.Endpoint && a.Body == e.Body
}

// Judge compares the arrivals, in their order, with the expected deliveries.
func Judge(arrivals []Arrival, expected []Expected) Verdict {
	expected = chooseVariants(arrivals, expected)
	j := judgement{
		verdict: Verdict{Expected: len(expected), Arrivals: len(arrivals), Faults: []Fault{}},
		due:     make(map[string]Expected, len(expected)),
		final:   map[string]int{},
		tries:   map[string]int{},
	}
	for _, e := range expected {
		j.due[e.ID] = e
	}
	for i, a := range arrivals {
		j.judgeArrival(i, a)
	}
	for _, e := range expected {
		j.judgeOutcome(e, arrivals)
	}
	j.judgeOrder(expected)
	return j.verdict
}

type judgement struct {
	verdict Verdict
	due     map[string]Expected
	final   map[string]int // index of the arrival with the first final response, by id
	tries   map[string]int // arrivals up to and including it, by id
}

func (j *judgement) addFault(kind FaultKind, id, format string, args ...any) {
	j.verdict.Faults = append(j.verdict.Faults, Fault{Kind: kind, ID: id, Detail: fmt.Sprintf(format, args...)})
}

func (j *judgement) judgeArrival(index int, a Arrival) {
	e, known := j.due[a.ID]
	if !known {
		j.addFault(FaultUnexpected, a.ID, "%s %s is not an expected delivery", a.Method, a.Endpoint)
		return
	}
	switch {
	case a.Key != a.ID:
		j.addFault(FaultBytes, a.ID, "Idempotency-Key is %q", a.Key)
	case a.Method != e.Method || a.Endpoint != e.Endpoint:
		j.addFault(FaultBytes, a.ID, "arrived as %s %s, expected %s %s", a.Method, a.Endpoint, e.Method, e.Endpoint)
	case a.Body != e.Body:
		j.addFault(FaultBytes, a.ID, "the body at %s differs from the one of event %d of %s", a.Endpoint, e.Sequence, e.Lane)
	}
	if _, done := j.final[a.ID]; done {
		j.verdict.Duplicates++
		return
	}
	j.tries[a.ID]++
	if a.isFinal() {
		j.final[a.ID] = index
	}
}

func (j *judgement) judgeOutcome(e Expected, arrivals []Arrival) {
	index, done := j.final[e.ID]
	if !done {
		j.addFault(FaultLost, e.ID, "event %d of %s has no final response after %d attempts", e.Sequence, e.Lane, j.tries[e.ID])
		return
	}
	if j.tries[e.ID] > 1 {
		j.verdict.Retried++
	}
	status := arrivals[index].Status
	if status != e.Status {
		j.addFault(FaultAnswer, e.ID, "event %d of %s was answered %d, expected %d", e.Sequence, e.Lane, status, e.Status)
	}
	if status == 400 {
		j.verdict.Refused++
	} else {
		j.verdict.Delivered++
	}
}

// judgeOrder checks that the first final responses of each lane are in the order of the events.
func (j *judgement) judgeOrder(expected []Expected) {
	sorted := slices.Clone(expected)
	slices.SortStableFunc(sorted, func(a, b Expected) int {
		return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Sequence, b.Sequence))
	})
	lane, last := "", -1
	for _, e := range sorted {
		index, done := j.final[e.ID]
		if !done {
			continue
		}
		if e.Lane == lane && index < last {
			j.addFault(FaultOrder, e.ID, "event %d of %s arrived before an earlier one", e.Sequence, e.Lane)
			continue
		}
		lane, last = e.Lane, index
	}
}
