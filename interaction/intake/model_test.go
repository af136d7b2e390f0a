package intake_test

import (
	"errors"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/contract"
	"segue/interaction"
	"segue/interaction/intake"
	"segue/trigger"
)

// The model test: a source numbers its commands, and the network reorders, delays, repeats
// and loses them. The intake is compared with a model without buffers, which computes from
// the arrival times when each number is delivered, sorts, and applies.

const (
	window = 2 * time.Second
	cases  = 10_000
)

// scenarios end differently when their commands are out of order.
var scenarios = [][]string{
	{`place_in_queue {"queue":"sales"}`, `offer {"agent":"a1"}`, `accept {"agent":"a1"}`, `hold`, `retrieve`, `disconnect`, `set_disposition {"code":"SOLD"}`, `complete`},
	{`place_in_queue {"queue":"sales"}`, `offer {"agents":["a1","a2"]}`, `reject {"agent":"a1"}`, `accept {"agent":"a2"}`, `consult {"to":{"agent":"a3"}}`, `transfer {"mode":"consult","wrap_up":true}`, `complete`},
	{`attach_user_data {"user_data":{"a":{"b":1}}}`, `update_user_data {"user_data":{"a":{"b":2}}}`, `delete_user_data {"keys":["a"]}`, `attach_user_data {"user_data":{"a":3}}`, `survey {"answers":{"q":1}}`, `abandon`},
	{`place_in_queue {"queue":"sales"}`, `place_in_queue {"queue":"backup"}`, `accept {"agent":"a1"}`, `conference {"agent":"a2"}`, `leave {"agent":"a1"}`, `transfer {"to":{"agent":"a1"},"mode":"offer"}`, `reject {"agent":"a1"}`, `cancel`},
	{`engage {"ixnProfile":{"v":1}}`, `engagement_result {"result":"accepted","agent":"a1"}`, `dtmf {"digits":"1"}`, `transfer {"to":{"queue":"sales"}}`, `offer {"agent":"a2"}`, `abandon`},
	{`signal_added {"name":"s"}`, `signal_removed {"name":"s"}`, `set_attributes {"ani":"+1"}`, `set_attributes {"ani":"+2"}`, `script_signal {"p1":"x"}`, `complete {"disposition":{"code":"X"}}`, `set_disposition {"code":"Y"}`},
}

// message is a command on its way, and when it arrives.
type message struct {
	number  int64
	id      string // the event id, "" for none
	line    string
	at      time.Duration // when the source sent it
	arrives time.Duration
	awaited bool // its sender waits for the answer
}

func (m message) arrival(t require.TestingT) *intake.Arrival {
	name, payload, _ := strings.Cut(m.line, " ")
	fields := []string{fmt.Sprintf(`"at":%q`, begin.Add(m.at).Format(time.RFC3339Nano))}
	if m.number > 0 {
		fields = append(fields, fmt.Sprintf(`"source_sequence":%d`, m.number))
	}
	if m.id != "" {
		fields = append(fields, fmt.Sprintf(`"event_id":%q`, m.id))
	}
	if inner := strings.Trim(payload, " "); inner != "" {
		fields = append(fields, strings.TrimSuffix(strings.TrimPrefix(inner, "{"), "}"))
	}
	a, err := intake.Read(name, []byte("{"+strings.Join(fields, ",")+"}"), "")
	require.NoError(t, err)
	return a
}

// disorder is what may happen to messages.
type disorder struct {
	delay      time.Duration // the longest
	lost       bool
	conflicts  bool // other commands with numbers that are taken
	unnumbered bool // commands without a number between the others
}

// drawMessages draws what a source sends and how it arrives, by time of arrival.
func drawMessages(rt *rapid.T, d disorder) []message {
	scenario := rapid.SampledFrom(scenarios).Draw(rt, "scenario")
	var all []message
	clock := time.Duration(0)
	deliver := func(m message) {
		m.awaited = rapid.Bool().Draw(rt, "awaited")
		delay := rapid.IntRange(0, int(d.delay/time.Millisecond)-1).Draw(rt, "delay ms")
		// No two things happen at the same time, so that only one order is right.
		m.arrives = m.at + time.Duration(delay)*time.Millisecond + time.Duration(len(all))*time.Microsecond
		all = append(all, m)
	}
	length := rapid.IntRange(2, len(scenario)).Draw(rt, "length")
	for n, line := range scenario[:length] {
		clock += time.Duration(rapid.IntRange(0, 600).Draw(rt, "pause ms")) * time.Millisecond
		m := message{number: int64(n + 1), line: line, at: clock}
		if rapid.Bool().Draw(rt, "with id") {
			m.id = fmt.Sprintf("e%d", n)
		}
		if !d.lost || rapid.IntRange(0, 9).Draw(rt, "lost") > 0 {
			deliver(m)
		}
		if rapid.IntRange(0, 4).Draw(rt, "repeated") == 0 {
			deliver(m)
		}
		if d.conflicts && rapid.IntRange(0, 9).Draw(rt, "conflict") == 0 {
			deliver(message{number: m.number, id: fmt.Sprintf("x%d", n), line: `queue_event {"event":"x"}`, at: clock})
		}
		if d.unnumbered && rapid.IntRange(0, 4).Draw(rt, "unnumbered") == 0 {
			deliver(message{line: rapid.SampledFrom(scenario).Draw(rt, "line"), at: clock})
		}
	}
	slices.SortFunc(all, func(a, b message) int { return int(a.arrives - b.arrives) })
	return all
}

// result is how an interaction ended.
type result struct {
	status interaction.Status
	turns  []interaction.Turn
	lanes  map[string][]string // the deliveries by call, in order
}

var (
	everything = []string{"audit", "crm", "billing"}
	triggers   = compiled([]trigger.Spec{
		{Moments: []string{"segment_change"}, Legs: []string{"agent"}, Call: "crm"},
		{Moments: []string{"interaction_starts", "interaction_ends", "internal_transfer", "user_data_changed", "survey"}, Call: "audit"},
		{Moments: []string{"segment_change"}, Segments: []string{"wrap_up", "agent_selecting"}, Call: "audit"},
		{Moments: []string{"interaction_ends"}, Call: "billing"},
	})
	owner = contract.Owner{ContactCenter: "cc", Interaction: "i1", FirstRunID: "r1"}
)

func compiled(specs []trigger.Spec) *trigger.Set {
	set, err := trigger.Compile(specs, everything)
	if err != nil {
		panic(err)
	}
	return set
}

func (r *result) add(t require.TestingT, turn interaction.Turn) {
	r.turns = append(r.turns, turn)
	if r.lanes == nil {
		r.lanes = map[string][]string{}
	}
	for n := range turn.Events {
		firings, failed := triggers.Match(&turn.View, &turn.Events[n])
		require.Empty(t, failed)
		for _, f := range firings {
			id := contract.DeliveryID(owner, &turn.Events[n], f.Call)
			r.lanes[f.Call] = append(r.lanes[f.Call], id)
		}
	}
}

// modeled computes the result by the model. Number n is delivered at
//
//	T(n) = max(a(n), for every m < n: min(a(m), for every h > m: a(h) + window))
//
// where a(n) is when the first with that number arrives, if ever. A missing number is
// waited for until it arrives, or until a later one has waited for the window. It is late
// if it arrives after that.
func modeled(t require.TestingT, start string, arrivals []message) (result, map[int64]bool) {
	const never = time.Duration(1 << 62)
	first := map[int64]message{}
	last := int64(0)
	for _, m := range arrivals {
		if _, known := first[m.number]; m.number > 0 && !known {
			first[m.number] = m
			last = max(last, m.number)
		}
	}
	a := func(n int64) time.Duration {
		if m, ok := first[n]; ok {
			return m.arrives
		}
		return never
	}
	givenUp := func(m int64) time.Duration {
		at := never
		for h := m + 1; h <= last; h++ {
			if _, ok := first[h]; ok {
				at = min(at, a(h)+window)
			}
		}
		return at
	}
	late := map[int64]bool{}
	type delivery struct {
		message
		at time.Duration
	}
	var deliveries []delivery
	for n := int64(1); n <= last; n++ {
		m, ok := first[n]
		if !ok {
			continue
		}
		if givenUp(n) < a(n) {
			late[n] = true
			continue
		}
		at := a(n)
		for earlier := int64(1); earlier < n; earlier++ {
			at = max(at, min(a(earlier), givenUp(earlier)))
		}
		deliveries = append(deliveries, delivery{m, at})
	}
	for _, m := range arrivals {
		if m.number == 0 {
			deliveries = append(deliveries, delivery{m, m.arrives})
		}
	}
	slices.SortStableFunc(deliveries, func(a, b delivery) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return int(a.number - b.number)
	})
	i, opening := openedCall(t, start)
	var r result
	r.add(t, opening.Turn)
	for _, d := range deliveries {
		effect, err := i.Apply(d.arrival(t).Command(), begin.Add(d.at))
		if err == nil {
			r.add(t, effect.Turn)
		}
	}
	r.status = i.Status()
	return r, late
}

func openedCall(t require.TestingT, start string) (*interaction.Interaction, interaction.Effect) {
	decoded, err := interaction.DecodeStart([]byte(start))
	require.NoError(t, err)
	i, effect, err := interaction.Open(decoded, begin)
	require.NoError(t, err)
	return i, effect
}

// played lets an intake take the messages as they arrive, and ends waits when they are over.
func played(rt *rapid.T, start string, arrivals []message) (result, *intake.Intake, map[int64]bool) {
	i, opening := openedCall(rt, start)
	in := &intake.Intake{Interaction: i}
	var r result
	r.add(rt, opening.Turn)
	late, verdicts, answered, awaited := map[int64]bool{}, 0, 0, 0
	delivered := int64(0)
	note := func(judged intake.Judged) {
		for a, v := range judged {
			verdicts++
			if a.Awaited {
				answered++
			}
			refused := (*intake.OrderError)(nil)
			switch {
			case errors.As(v.Err, &refused):
				if refused.Reason == intake.Late {
					late[a.Number] = true
				}
			case a.Number > 0 && !v.Duplicate:
				// An awaited duplicate of a buffered command is refused when that is refused.
				require.True(rt, a.Number > delivered || v.Err != nil && a.Number == delivered, "numbers are delivered in order")
				delivered = a.Number
			}
			if v.Err == nil && !v.Duplicate {
				r.add(rt, v.Effect.Turn)
			}
		}
	}
	release := func(until time.Time) {
		for {
			since, waits := in.Sequence.Since()
			if !waits || since.Add(window).After(until) {
				return
			}
			note(in.Release(since, since.Add(window)))
		}
	}
	for _, m := range arrivals {
		now := begin.Add(m.arrives)
		release(now)
		a := m.arrival(rt)
		if a.Awaited = m.awaited; a.Awaited {
			awaited++
		}
		note(in.Take(a, true, now))
		if answered == awaited && rapid.IntRange(0, 19).Draw(rt, "carried over") == 0 {
			in = carried(rt, in)
		}
	}
	release(begin.Add(time.Hour))
	require.Empty(rt, in.Sequence.Buffered, "nothing waits forever")
	require.Equal(rt, len(arrivals), verdicts, "every message is judged, once")
	require.Equal(rt, awaited, answered, "every awaited message is answered")
	r.status = in.Interaction.Status()
	return r, in, late
}

// requireSame compares results as JSON if they differ otherwise: an intake that was carried
// over has, for example, an empty list where the other has none.
func requireSame(t require.TestingT, want, got result) {
	if reflect.DeepEqual(want, got) {
		return
	}
	require.Equal(t, asJSON(t, want.turns), asJSON(t, got.turns))
	require.Equal(t, asJSON(t, want.status), asJSON(t, got.status))
	require.Equal(t, want.lanes, got.lanes)
}

// checkCases checks n cases, whatever rapid's own default is; -rapid.checks=N and
// -rapid.seed take precedence.
func checkCases(t *testing.T, n int, property func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue {
		require.NoError(t, checks.Value.Set(fmt.Sprint(n)))
		defer func() { require.NoError(t, checks.Value.Set(before)) }()
	}
	rapid.Check(t, property)
}

// TestDisorderWithinTheWindowChangesNothing: with any permutation, repetition and delay
// within the window, the final state and the deliveries are those of the order in which
// the source sent.
func TestDisorderWithinTheWindowChangesNothing(t *testing.T) {
	checkCases(t, cases, func(rt *rapid.T) {
		start := rapid.SampledFrom([]string{call, `{"id":"i1","contact_center":"cc","channel":"chat"}`}).Draw(rt, "start")
		arrivals := drawMessages(rt, disorder{delay: window})
		got, in, late := played(rt, start, arrivals)

		sorted := slices.SortedStableFunc(slices.Values(arrivals), func(a, b message) int { return int(a.number - b.number) })
		i, opening := openedCall(rt, start)
		var want result
		want.add(rt, opening.Turn)
		for n, m := range sorted {
			if n > 0 && sorted[n-1].number == m.number {
				continue
			}
			if effect, err := i.Apply(m.arrival(rt).Command(), begin.Add(m.at)); err == nil {
				want.add(rt, effect.Turn)
			}
		}
		want.status = i.Status()
		requireSame(rt, want, got)
		require.Empty(rt, late)
		require.Zero(rt, in.Sequence.Gaps)
	})
}

// TestDisorderBeyondTheWindowFollowsTheModel: with losses, delays of several windows,
// numbers that are used twice and commands without numbers, every command is applied
// when the model says, and those that arrive too late, and no others, are refused as late.
func TestDisorderBeyondTheWindowFollowsTheModel(t *testing.T) {
	checkCases(t, cases*3/10, func(rt *rapid.T) {
		arrivals := drawMessages(rt, disorder{delay: 4 * window, lost: true, conflicts: true, unnumbered: true})
		want, wantLate := modeled(rt, call, arrivals)
		got, in, late := played(rt, call, arrivals)
		requireSame(rt, want, got)
		for n := range wantLate {
			require.True(rt, late[n], "%d is recorded as late", n)
		}
		missing := map[int64]bool{}
		for _, gap := range in.Sequence.Missing {
			for n := gap.From; n <= gap.To; n++ {
				missing[n] = true
			}
		}
		for n := range late {
			require.True(rt, missing[n], "%d was given up before it was late", n)
		}
		require.Len(rt, in.Sequence.Missing, in.Sequence.Gaps)
		require.Equal(rt, len(arrivals) > 0 && len(missing) > 0, in.Sequence.Gaps > 0)
	})
}
