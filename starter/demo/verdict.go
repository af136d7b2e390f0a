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
	// Status is the final answer that the receiver must give it.
	Status int
	// Lane is interaction and call: inside it, Sequence is the order of arrival.
	Lane     string
	Sequence int64
	// Later is the same delivery if a fault that came before it has taken its event's
	// number, so that its bytes say the next one: when that is, depends on the receiver.
	// nil where none can.
	Later *Expected
}

// FaultKind is a way in which what arrived is not what should have.
type FaultKind string

// The kinds of fault.
const (
	// FaultLost: no final answer was ever given.
	FaultLost FaultKind = "lost"
	// FaultAnswer: the final answer was another than expected.
	FaultAnswer FaultKind = "wrong_answer"
	// FaultBytes: an arrival has other bytes, path, method or key than it should.
	FaultBytes FaultKind = "different"
	// FaultOrder: it was delivered before one that comes before it in its lane.
	FaultOrder FaultKind = "order"
	// FaultUnexpected: nothing of the kind should have arrived.
	FaultUnexpected FaultKind = "unexpected"
)

// Fault is one thing that is wrong.
type Fault struct {
	Kind   FaultKind `json:"kind"`
	ID     string    `json:"id"`
	Detail string    `json:"detail"`
}

func (f Fault) String() string { return fmt.Sprintf("%s: %s: %s", f.Kind, f.ID, f.Detail) }

// Verdict is the comparison of what arrived with what should have.
type Verdict struct {
	Expected int `json:"expected"`
	// Delivered got a 2xx, Refused a final 400, Retried more than one attempt
	// before either.
	Delivered int `json:"delivered"`
	Refused   int `json:"refused"`
	Retried   int `json:"retried"`
	// Arrivals counts every request, Duplicates those after a final answer.
	Arrivals   int     `json:"arrivals"`
	Duplicates int     `json:"duplicates"`
	Faults     []Fault `json:"faults"`
}

// Exact tells whether everything arrived once and as it should; with duplicates
// allowed, identical repeats are no flaw: a worker that was killed cannot know
// what its receiver has seen.
func (v Verdict) Exact(allowDuplicates bool) bool {
	return len(v.Faults) == 0 && (allowDuplicates || v.Duplicates == 0)
}

// asTheyCame chooses of each delivery the later one, if that is what came first: every
// repeat has to be like it.
func asTheyCame(arrivals []Arrival, expected []Expected) []Expected {
	came := make(map[string]Arrival, len(arrivals))
	for _, a := range arrivals {
		if _, again := came[a.ID]; !again {
			came[a.ID] = a
		}
	}
	chosen := slices.Clone(expected)
	for i := range chosen {
		for e := &expected[i]; e != nil; e = e.Later {
			if a, ok := came[e.ID]; ok && e.isLike(a) {
				chosen[i] = *e
				break
			}
		}
	}
	return chosen
}

// isLike tells whether an arrival is the delivery's request.
func (e *Expected) isLike(a Arrival) bool {
	return a.Method == e.Method && a.Endpoint == e.Endpoint && a.Body == e.Body
}

// Judge compares arrivals, in their order, with what was expected.
func Judge(arrivals []Arrival, expected []Expected) Verdict {
	expected = asTheyCame(arrivals, expected)
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
		j.arrival(i, a)
	}
	for _, e := range expected {
		j.outcome(e, arrivals)
	}
	j.order(expected)
	return j.verdict
}

type judgement struct {
	verdict Verdict
	due     map[string]Expected
	final   map[string]int // the place of the first final answer, by id
	tries   map[string]int // arrivals up to and with the first final answer, by id
}

func (j *judgement) fault(kind FaultKind, id, format string, args ...any) {
	j.verdict.Faults = append(j.verdict.Faults, Fault{Kind: kind, ID: id, Detail: fmt.Sprintf(format, args...)})
}

func (j *judgement) arrival(place int, a Arrival) {
	e, known := j.due[a.ID]
	if !known {
		j.fault(FaultUnexpected, a.ID, "%s %s was never to be sent", a.Method, a.Endpoint)
		return
	}
	switch {
	case a.Key != a.ID:
		j.fault(FaultBytes, a.ID, "Idempotency-Key is %q", a.Key)
	case a.Method != e.Method || a.Endpoint != e.Endpoint:
		j.fault(FaultBytes, a.ID, "came as %s %s, not %s %s", a.Method, a.Endpoint, e.Method, e.Endpoint)
	case a.Body != e.Body:
		j.fault(FaultBytes, a.ID, "%s has another body than event %d of %s gives", a.Endpoint, e.Sequence, e.Lane)
	}
	if _, done := j.final[a.ID]; done {
		j.verdict.Duplicates++
		return
	}
	j.tries[a.ID]++
	if a.isFinal() {
		j.final[a.ID] = place
	}
}

func (j *judgement) outcome(e Expected, arrivals []Arrival) {
	place, done := j.final[e.ID]
	if !done {
		j.fault(FaultLost, e.ID, "event %d of %s got no final answer in %d attempts", e.Sequence, e.Lane, j.tries[e.ID])
		return
	}
	if j.tries[e.ID] > 1 {
		j.verdict.Retried++
	}
	status := arrivals[place].Status
	if status != e.Status {
		j.fault(FaultAnswer, e.ID, "event %d of %s was answered %d, not %d", e.Sequence, e.Lane, status, e.Status)
	}
	if status == 400 {
		j.verdict.Refused++
	} else {
		j.verdict.Delivered++
	}
}

// order checks each lane: the first final answers must come in the order of the
// events.
func (j *judgement) order(expected []Expected) {
	sorted := slices.Clone(expected)
	slices.SortStableFunc(sorted, func(a, b Expected) int {
		return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Sequence, b.Sequence))
	})
	lane, last := "", -1
	for _, e := range sorted {
		place, done := j.final[e.ID]
		if !done {
			continue
		}
		if e.Lane == lane && place < last {
			j.fault(FaultOrder, e.ID, "event %d of %s came before one that precedes it", e.Sequence, e.Lane)
			continue
		}
		lane, last = e.Lane, place
	}
}
