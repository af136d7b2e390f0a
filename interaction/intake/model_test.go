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

// The model test: a source numbers its commands, something between it and the
// product reorders, delays, repeats and loses them, and the desk is held against
// a model that knows nothing of buffers: it computes from the arrival times when
// each number's turn comes, sorts, and applies.

const (
	window = 2 * time.Second
	cases  = 10_000
)

// stories are lives that end up differently when their commands are disordered.
var stories = [][]string{
	{`place_in_queue {"queue":"sales"}`, `offer {"agent":"a1"}`, `accept {"agent":"a1"}`, `hold`, `retrieve`, `disconnect`, `set_disposition {"code":"SOLD"}`, `complete`},
	{`place_in_queue {"queue":"sales"}`, `offer {"agents":["a1","a2"]}`, `reject {"agent":"a1"}`, `accept {"agent":"a2"}`, `consult {"to":{"agent":"a3"}}`, `transfer {"mode":"consult","wrap_up":true}`, `complete`},
	{`attach_user_data {"user_data":{"a":{"b":1}}}`, `update_user_data {"user_data":{"a":{"b":2}}}`, `delete_user_data {"keys":["a"]}`, `attach_user_data {"user_data":{"a":3}}`, `survey {"answers":{"q":1}}`, `abandon`},
	{`place_in_queue {"queue":"sales"}`, `place_in_queue {"queue":"backup"}`, `accept {"agent":"a1"}`, `conference {"agent":"a2"}`, `leave {"agent":"a1"}`, `transfer {"to":{"agent":"a1"},"mode":"offer"}`, `reject {"agent":"a1"}`, `cancel`},
	{`engage {"ixnProfile":{"v":1}}`, `engagement_result {"result":"accepted","agent":"a1"}`, `dtmf {"digits":"1"}`, `transfer {"to":{"queue":"sales"}}`, `offer {"agent":"a2"}`, `abandon`},
	{`signal_added {"name":"s"}`, `signal_removed {"name":"s"}`, `set_attributes {"ani":"+1"}`, `set_attributes {"ani":"+2"}`, `script_signal {"p1":"x"}`, `complete {"disposition":{"code":"X"}}`, `set_disposition {"code":"Y"}`},
}

// sent is one message on its way: a command, and when it arrives.
type sent struct {
	number  int64
	id      string // the event id, "" for none
	line    string
	at      time.Duration // when the source sent it
	arrives time.Duration
	asked   bool // its sender waits for the answer
}

func (m sent) arrival(t require.TestingT) *intake.Arrival {
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

// weather is what may happen to messages.
type weather struct {
	delay     time.Duration // the longest
	lost      bool
	impostors bool // other commands under numbers that are taken
	strangers bool // commands without a number between the others
}

// journey draws what a source sends and how it arrives, by time of arrival.
func journey(rt *rapid.T, w weather) []sent {
	story := rapid.SampledFrom(stories).Draw(rt, "story")
	var all []sent
	clock := time.Duration(0)
	deliver := func(m sent) {
		m.asked = rapid.Bool().Draw(rt, "asked")
		delay := rapid.IntRange(0, int(w.delay/time.Millisecond)-1).Draw(rt, "delay ms")
		// No two things happen at the same time, so that only one order is right.
		m.arrives = m.at + time.Duration(delay)*time.Millisecond + time.Duration(len(all))*time.Microsecond
		all = append(all, m)
	}
	length := rapid.IntRange(2, len(story)).Draw(rt, "length")
	for n, line := range story[:length] {
		clock += time.Duration(rapid.IntRange(0, 600).Draw(rt, "pause ms")) * time.Millisecond
		m := sent{number: int64(n + 1), line: line, at: clock}
		if rapid.Bool().Draw(rt, "with id") {
			m.id = fmt.Sprintf("e%d", n)
		}
		if !w.lost || rapid.IntRange(0, 9).Draw(rt, "lost") > 0 {
			deliver(m)
		}
		if rapid.IntRange(0, 4).Draw(rt, "repeated") == 0 {
			deliver(m)
		}
		if w.impostors && rapid.IntRange(0, 9).Draw(rt, "impostor") == 0 {
			deliver(sent{number: m.number, id: fmt.Sprintf("x%d", n), line: `queue_event {"event":"x"}`, at: clock})
		}
		if w.strangers && rapid.IntRange(0, 4).Draw(rt, "stranger") == 0 {
			deliver(sent{line: rapid.SampledFrom(story).Draw(rt, "line"), at: clock})
		}
	}
	slices.SortFunc(all, func(a, b sent) int { return int(a.arrives - b.arrives) })
	return all
}

// life is what an interaction came to.
type life struct {
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

func (l *life) enter(t require.TestingT, turn interaction.Turn) {
	l.turns = append(l.turns, turn)
	if l.lanes == nil {
		l.lanes = map[string][]string{}
	}
	for n := range turn.Events {
		firings, failed := triggers.Match(&turn.View, &turn.Events[n])
		require.Empty(t, failed)
		for _, f := range firings {
			id := contract.DeliveryID(owner, &turn.Events[n], f.Call)
			l.lanes[f.Call] = append(l.lanes[f.Call], id)
		}
	}
}

// modeled lives the life by the model. Numbers take their turn at
//
//	T(n) = max(a(n), for every m < n: min(a(m), for every h > m: a(h) + window))
//
// where a(n) is when the first with that number arrives, if ever: whoever is
// missing is waited for until it comes, or until somebody has waited a window for
// it. It is late if it comes after that.
func modeled(t require.TestingT, start string, arrivals []sent) (life, map[int64]bool) {
	const never = time.Duration(1 << 62)
	first := map[int64]sent{}
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
	type turn struct {
		sent
		at time.Duration
	}
	var turns []turn
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
		for before := int64(1); before < n; before++ {
			at = max(at, min(a(before), givenUp(before)))
		}
		turns = append(turns, turn{m, at})
	}
	for _, m := range arrivals {
		if m.number == 0 {
			turns = append(turns, turn{m, m.arrives})
		}
	}
	slices.SortStableFunc(turns, func(a, b turn) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return int(a.number - b.number)
	})
	i, opening := openedCall(t, start)
	var l life
	l.enter(t, opening.Turn)
	for _, turn := range turns {
		effect, err := i.Apply(turn.arrival(t).Command(), begin.Add(turn.at))
		if err == nil {
			l.enter(t, effect.Turn)
		}
	}
	l.status = i.Status()
	return l, late
}

func openedCall(t require.TestingT, start string) (*interaction.Interaction, interaction.Effect) {
	decoded, err := interaction.DecodeStart([]byte(start))
	require.NoError(t, err)
	i, effect, err := interaction.Open(decoded, begin)
	require.NoError(t, err)
	return i, effect
}

// lived lets a desk take the arrivals as they come, and end waits when they are over.
func lived(rt *rapid.T, start string, arrivals []sent) (life, *intake.Intake, map[int64]bool) {
	i, opening := openedCall(rt, start)
	d := &intake.Intake{Interaction: i}
	var l life
	l.enter(rt, opening.Turn)
	late, verdicts, heard, asked := map[int64]bool{}, 0, 0, 0
	taken := int64(0)
	judge := func(a *intake.Arrival, v intake.Verdict) {
		verdicts++
		refused := (*intake.OrderError)(nil)
		switch {
		case errors.As(v.Err, &refused):
			if refused.Reason == intake.Late {
				late[a.Number] = true
			}
		case a.Number > 0 && !v.Duplicate:
			// The repeat of one that waits hears of its refusal when that is refused.
			require.True(rt, a.Number > taken || v.Err != nil && a.Number == taken, "turns are taken in order")
			taken = a.Number
		}
		if v.Err == nil && !v.Duplicate {
			l.enter(rt, v.Effect.Turn)
		}
	}
	release := func(until time.Time) {
		for {
			since, waits := d.Sequence.Since()
			if !waits || since.Add(window).After(until) {
				return
			}
			d.Release(since, since.Add(window), judge)
		}
	}
	for _, m := range arrivals {
		now := begin.Add(m.arrives)
		release(now)
		a := m.arrival(rt)
		if m.asked {
			asked++
			a.Judged = func(intake.Verdict) { heard++ }
		}
		d.Take(a, true, now, judge)
		if heard == asked && rapid.IntRange(0, 19).Draw(rt, "carried over") == 0 {
			d = carried(rt, d)
		}
	}
	release(begin.Add(time.Hour))
	require.Empty(rt, d.Sequence.Held, "nobody waits for ever")
	require.Equal(rt, len(arrivals), verdicts, "everybody is judged, once")
	require.Equal(rt, asked, heard, "whoever asked heard")
	l.status = d.Interaction.Status()
	return l, d, late
}

// requireSameLife compares as JSON what is not the same at first sight: a desk that
// was carried over has, say, an empty list where the other has none.
func requireSameLife(t require.TestingT, want, got life) {
	if reflect.DeepEqual(want, got) {
		return
	}
	require.Equal(t, asJSON(t, want.turns), asJSON(t, got.turns))
	require.Equal(t, asJSON(t, want.status), asJSON(t, got.status))
	require.Equal(t, want.lanes, got.lanes)
}

// checkCases checks that many cases whatever rapid's own default is; -rapid.checks=N
// and -rapid.seed go first.
func checkCases(t *testing.T, n int, property func(*rapid.T)) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if before := checks.Value.String(); before == checks.DefValue {
		require.NoError(t, checks.Value.Set(fmt.Sprint(n)))
		defer func() { require.NoError(t, checks.Value.Set(before)) }()
	}
	rapid.Check(t, property)
}

// TestDisorderWithinTheWindowChangesNothing: any permutation, repetition and delay
// within the window gives the final state and the deliveries of the order in which
// the source sent.
func TestDisorderWithinTheWindowChangesNothing(t *testing.T) {
	checkCases(t, cases, func(rt *rapid.T) {
		start := rapid.SampledFrom([]string{call, `{"id":"i1","contact_center":"cc","channel":"chat"}`}).Draw(rt, "start")
		arrivals := journey(rt, weather{delay: window})
		got, d, late := lived(rt, start, arrivals)

		sorted := slices.SortedStableFunc(slices.Values(arrivals), func(a, b sent) int { return int(a.number - b.number) })
		i, opening := openedCall(rt, start)
		var want life
		want.enter(rt, opening.Turn)
		for n, m := range sorted {
			if n > 0 && sorted[n-1].number == m.number {
				continue
			}
			if effect, err := i.Apply(m.arrival(rt).Command(), begin.Add(m.at)); err == nil {
				want.enter(rt, effect.Turn)
			}
		}
		want.status = i.Status()
		requireSameLife(rt, want, got)
		require.Empty(rt, late)
		require.Zero(rt, d.Sequence.Gaps)
	})
}

// TestDisorderBeyondTheWindowBreaksNothing: with losses, delays of several windows,
// numbers that are used twice and commands without numbers, every command takes the
// turn the model gives it, and what comes too late is refused as late and no other.
func TestDisorderBeyondTheWindowBreaksNothing(t *testing.T) {
	checkCases(t, cases*3/10, func(rt *rapid.T) {
		arrivals := journey(rt, weather{delay: 4 * window, lost: true, impostors: true, strangers: true})
		want, wantLate := modeled(rt, call, arrivals)
		got, d, late := lived(rt, call, arrivals)
		requireSameLife(rt, want, got)
		for n := range wantLate {
			require.True(rt, late[n], "%d is recorded as late", n)
		}
		missing := map[int64]bool{}
		for _, gap := range d.Sequence.Missing {
			for n := gap.From; n <= gap.To; n++ {
				missing[n] = true
			}
		}
		for n := range late {
			require.True(rt, missing[n], "%d was given up before it was late", n)
		}
		require.Len(rt, d.Sequence.Missing, d.Sequence.Gaps)
		require.Equal(rt, len(arrivals) > 0 && len(missing) > 0, d.Sequence.Gaps > 0)
	})
}
