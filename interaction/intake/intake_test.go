package intake_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/interaction"
	"segue/interaction/intake"
)

var begin = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

const call = `{"id":"i1","contact_center":"cc","channel":"inbound","queue":"sales"}`

// source sends commands to an intake and logs the verdict of each.
type source struct {
	t   require.TestingT
	in  *intake.Intake
	now time.Time
	log []string
}

func newSource(t require.TestingT, start string) *source {
	decoded, err := interaction.DecodeStart([]byte(start))
	require.NoError(t, err)
	opened, _, err := interaction.Open(decoded, begin)
	require.NoError(t, err)
	in := &intake.Intake{Interaction: opened}
	in.Sequence.Passed = decoded.SourceSequence
	return &source{t: t, in: in, now: begin}
}

func read(t require.TestingT, line string) *intake.Arrival {
	name, payload, _ := strings.Cut(line, " ")
	a, err := intake.Read(name, []byte(payload), "")
	require.NoError(t, err, line)
	return a
}

// note logs "number: result" of every arrival that is judged.
func (s *source) note(judged intake.Judged) {
	for a, v := range judged {
		s.log = append(s.log, fmt.Sprintf("%d: %s", a.Number, resultOf(v)))
	}
}

func resultOf(v intake.Verdict) string {
	switch refused := (*intake.OrderError)(nil); {
	case v.Duplicate:
		return "duplicate"
	case v.Err == nil:
		return "applied"
	case errors.As(v.Err, &refused):
		return string(refused.Reason)
	default:
		return "illegal"
	}
}

func (s *source) send(lines ...string) {
	for _, line := range lines {
		s.note(s.in.Take(read(s.t, line), true, s.now))
	}
}

// dtmf is a numbered command that is legal everywhere.
func dtmf(number int64) string {
	return fmt.Sprintf(`dtmf {"digits":"1","source_sequence":%d}`, number)
}

func TestCommandsAreAppliedInTheOrderOfTheirNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		start string
		lines []string
		want  string
		waits int
	}{
		"in order":                           {call, []string{dtmf(1), dtmf(2)}, "1: applied, 2: applied", 0},
		"reversed":                           {call, []string{dtmf(3), dtmf(2), dtmf(1)}, "1: applied, 2: applied, 3: applied", 0},
		"a gap is waited for":                {call, []string{dtmf(1), dtmf(3), dtmf(4)}, "1: applied", 2},
		"one gap is filled, another is left": {call, []string{dtmf(3), dtmf(5), dtmf(1), dtmf(2)}, "1: applied, 2: applied, 3: applied", 1},
		"no number never waits":              {call, []string{dtmf(2), `dtmf {"digits":"1"}`, dtmf(1)}, "0: applied, 1: applied, 2: applied", 0},
		"a refused one has used its number":  {call, []string{dtmf(2), `hold {"source_sequence":1}`}, "1: illegal, 2: applied", 0},
		"the start has a number":             {`{"source_sequence":4,` + call[1:], []string{dtmf(6), dtmf(5), dtmf(4)}, "5: applied, 6: applied, 4: repeated", 0},
		"a repeat without id":                {call, []string{dtmf(1), dtmf(1)}, "1: applied, 1: duplicate", 0},
		"a repeat of one that waits":         {call, []string{dtmf(2), dtmf(2), dtmf(1)}, "2: duplicate, 1: applied, 2: applied", 0},
		"another command, the same number":   {call, []string{dtmf(1), `queue_event {"event":"x","source_sequence":1}`}, "1: applied, 1: repeated", 0},
		"the same while the first waits":     {call, []string{dtmf(2), `queue_event {"event":"x","source_sequence":2}`, dtmf(1)}, "2: repeated, 1: applied, 2: applied", 0},
		"another id, the same number": {call, []string{`dtmf {"digits":"1","source_sequence":1,"event_id":"a"}`, `dtmf {"digits":"1","source_sequence":1,"event_id":"b"}`},
			"1: applied, 1: repeated", 0},
		"the same id under a new number uses that number": {call, []string{`dtmf {"digits":"1","event_id":"a"}`, dtmf(2), `dtmf {"digits":"1","source_sequence":1,"event_id":"a"}`},
			"0: applied, 1: duplicate, 2: applied", 0},
		"a refused one does not use up its id": {call, []string{`hold {"source_sequence":1,"event_id":"a"}`, `dtmf {"digits":"1","source_sequence":2,"event_id":"a"}`},
			"1: illegal, 2: applied", 0},
		"a stray number spoils nothing": {call, []string{dtmf(9007199254740991), dtmf(10002), dtmf(1)}, "9007199254740991: ahead, 10002: ahead, 1: applied", 0},
		"as far ahead as is allowed":    {call, []string{dtmf(10001), dtmf(1)}, "1: applied", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, c.start)
			s.send(c.lines...)
			require.Equal(t, c.want, strings.Join(s.log, ", "))
			require.Len(t, s.in.Sequence.Buffered, c.waits)
			require.Zero(t, s.in.Sequence.Gaps)
		})
	}
}

func TestReleaseGivesUpWhatIsMissing(t *testing.T) {
	s := newSource(t, call)
	_, waits := s.in.Sequence.Since()
	require.False(t, waits)
	s.send(dtmf(5))
	s.now = begin.Add(time.Second)
	s.send(dtmf(3), dtmf(8))
	since, waits := s.in.Sequence.Since()
	require.True(t, waits)
	require.Equal(t, begin, since)

	s.note(s.in.Release(begin, begin.Add(2*time.Second))) // what arrived at the beginning, and all before it
	require.Equal(t, "3: applied, 5: applied", strings.Join(s.log, ", "))
	at := begin.Add(2 * time.Second)
	require.Equal(t, []intake.Gap{{From: 1, To: 2, At: at}, {From: 4, To: 4, At: at}}, s.in.Sequence.Missing)
	require.Equal(t, 2, s.in.Sequence.Gaps)
	require.Equal(t, []string{"1 to 2", "4"}, []string{s.in.Sequence.Missing[0].String(), s.in.Sequence.Missing[1].String()})

	s.log = nil
	s.send(dtmf(4), dtmf(4), dtmf(3), dtmf(7), dtmf(6))
	require.Equal(t, "4: late, 4: late, 3: duplicate, 6: applied, 7: applied, 8: applied", strings.Join(s.log, ", "))
}

func TestOrderErrorsNameTheNumberAndTheRemedy(t *testing.T) {
	s := newSource(t, call)
	var refused []string
	note := func(judged intake.Judged) {
		for _, v := range judged {
			if v.Err != nil {
				refused = append(refused, v.Err.Error())
			}
		}
	}
	for _, number := range []int64{3, 20000} {
		note(s.in.Take(read(t, dtmf(number)), true, begin))
	}
	note(s.in.Release(begin, begin))
	for _, line := range []string{dtmf(2), `queue_event {"event":"x","source_sequence":3}`} {
		note(s.in.Take(read(t, line), true, begin))
	}
	require.Equal(t, []string{
		"ahead: source_sequence 20000 (next is 1) is more than 10000 ahead; count from 1 for each interaction",
		"late: source_sequence 2 (next is 4) arrived after Segue had stopped waiting for it; send the command without source_sequence if it still counts",
		"repeated: source_sequence 3 (next is 4) was used already; give each command a number of its own",
	}, refused)
}

func TestAnAwaitedDuplicateGetsTheVerdictOfTheFirst(t *testing.T) {
	s := newSource(t, call)
	names := map[*intake.Arrival]string{}
	var answers []string
	request := func(name, line string) {
		a := read(t, line)
		a.Awaited, names[a] = true, name
		for a, v := range s.in.Take(a, true, s.now) {
			answers = append(answers, fmt.Sprint(names[a], " ", v.Duplicate, " ", v.Err == nil))
		}
	}
	request("second", dtmf(2))
	request("its repeat", dtmf(2))
	request("refused", `hold {"source_sequence":3}`)
	request("repeat of the refused", `hold {"source_sequence":3}`)
	require.Empty(t, answers)
	request("first", dtmf(1))
	require.Equal(t, []string{"first false true", "second false true", "its repeat true true", "refused false false", "repeat of the refused false false"}, answers)
	require.Equal(t, 2, s.in.Duplicates)
}

func TestAVerdictFindsTheStateThatItsArrivalLeft(t *testing.T) {
	s := newSource(t, call)
	var states []interaction.State
	for _, line := range []string{`accept {"agent":"a1","source_sequence":3}`, `offer {"agent":"a1","source_sequence":2}`, `place_in_queue {"queue":"sales","source_sequence":1}`} {
		for range s.in.Take(read(t, line), true, s.now) {
			states = append(states, s.in.Interaction.Facts().State)
		}
	}
	require.Equal(t, []interaction.State{interaction.StateQueued, interaction.StateOffered, interaction.StateHandling}, states)
}

func TestABreakThatWouldLoseAVerdictPanics(t *testing.T) {
	s := newSource(t, call)
	s.send(dtmf(2))
	require.Panics(t, func() {
		for range s.in.Take(read(t, dtmf(1)), true, s.now) {
			break
		}
	})
}

func TestTheBufferIsBounded(t *testing.T) {
	s := newSource(t, call)
	for n := range int64(1000) {
		s.send(dtmf(n + 2))
	}
	require.Len(t, s.in.Sequence.Buffered, 1000)
	s.send(dtmf(2000))
	require.Len(t, s.log, 1000, "the wait for the first ended early")
	require.Len(t, s.in.Sequence.Buffered, 1, "the wait for the rest has just begun")
	require.Equal(t, 1, s.in.Sequence.Gaps)
	s.send(dtmf(1))
	require.Equal(t, "1: late", s.log[1000])

	s = newSource(t, call)
	large := strings.Repeat("x", 60<<10)
	for n := range int64(4) {
		s.send(fmt.Sprintf(`attach_user_data {"user_data":{"a":%q},"source_sequence":%d}`, large, 10*(n+1)))
	}
	require.Empty(t, s.log)
	s.send(fmt.Sprintf(`attach_user_data {"user_data":{"a":%q},"source_sequence":5}`, large))
	require.Equal(t, []string{"5: applied"}, s.log, "bytes count as well")

	for n := range int64(100) {
		s.send(dtmf(100 * (n + 1)))
		s.note(s.in.Release(s.now, s.now))
	}
	require.Len(t, s.in.Sequence.Missing, 64)
	require.Greater(t, s.in.Sequence.Gaps, 64)
	require.Less(t, len(asJSON(t, s.in)), 100<<10)
	s.log = nil
	s.send(dtmf(150))
	require.Equal(t, []string{"150: repeated"}, s.log, "a forgotten gap is refused, too")
}

func TestNumbersAreNotWaitedForWhereTheOrderIsOff(t *testing.T) {
	s := newSource(t, call)
	unordered := func(line string) { s.note(s.in.Take(read(t, line), false, s.now)) }
	unordered(dtmf(3))
	unordered(dtmf(1))
	unordered(dtmf(9007199254740991))
	require.Equal(t, "3: applied, 1: applied, 9007199254740991: applied", strings.Join(s.log, ", "))
	require.Zero(t, s.in.Sequence.Gaps)
	s.send(dtmf(4)) // turned on: continues where the source is
	require.Equal(t, "4: applied", s.log[3])

	s.send(dtmf(6))
	unordered(dtmf(7)) // turned off while one is buffered
	s.note(s.in.Release(s.now, s.now))
	require.Equal(t, []string{"7: applied", "6: applied"}, s.log[4:])
	require.EqualValues(t, 8, s.in.Sequence.Next())
}

func TestBufferedCommandsAreCarriedOver(t *testing.T) {
	s := newSource(t, call)
	s.send(`dtmf {"digits":"1","event_id":"a"}`, `attach_user_data {"user_data":{"n":12345678901234567890,"h":"<&>"},"source_sequence":2,"event_id":"b"}`, dtmf(4))
	s.in = carried(t, s.in)
	since, _ := s.in.Sequence.Since()
	require.Equal(t, begin, since)
	s.send(`dtmf {"digits":"1","source_sequence":2,"event_id":"c"}`, dtmf(4), `dtmf {"digits":"1","source_sequence":1,"event_id":"a"}`)
	require.Equal(t, "0: applied, 2: repeated, 4: duplicate, 1: duplicate, 2: applied", strings.Join(s.log, ", "))
	require.Equal(t, map[string]any{"n": json.Number("12345678901234567890"), "h": "<&>"}, s.in.Interaction.Status().UserData)

	// A command that a later version of Segue does not know.
	s.send(dtmf(6))
	again := strings.ReplaceAll(asJSON(t, s.in), `"name":"dtmf"`, `"name":"dtfm"`)
	require.NoError(t, json.Unmarshal([]byte(again), s.in))
	s.log = nil
	s.note(s.in.Release(s.now, s.now))
	require.Equal(t, []string{"4: illegal", "6: illegal"}, s.log)
	require.Error(t, json.Unmarshal([]byte(strings.Replace(again, `"number":4`, `"number":"4"`, 1)), s.in))
}

func TestOnlyTheLastEventIDsAreRemembered(t *testing.T) {
	s := newSource(t, call)
	for n := range 4097 {
		s.send(fmt.Sprintf(`dtmf {"digits":"1","event_id":"e%d"}`, n))
	}
	s.in = carried(t, s.in)
	require.False(t, s.in.Seen.Has("e0"))
	require.True(t, s.in.Seen.Has("e1"))
	require.True(t, s.in.Seen.Has("e4096"))
	require.Error(t, json.Unmarshal([]byte(`{"seen":7}`), s.in))
}

// carried returns the intake as the next run gets it.
func carried(t require.TestingT, in *intake.Intake) *intake.Intake {
	var next intake.Intake
	require.NoError(t, json.Unmarshal([]byte(asJSON(t, in)), &next))
	require.Equal(t, asJSON(t, in), asJSON(t, &next))
	return &next
}

func asJSON(t require.TestingT, value any) string {
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return string(encoded)
}

func TestARepeatIsFoundByItsIDAlone(t *testing.T) {
	s := newSource(t, call)
	s.send(`accept {"agent":"a1","event_id":"a"}`, dtmf(1), dtmf(4))
	for line, want := range map[string]string{
		`hold {"event_id":"a"}`:                                       "0: duplicate",
		`dtmf {"digits":"1","event_id":"a","source_sequence":1}`:      "1: duplicate",
		`dtmf {"digits":"1","event_id":"a","source_sequence":4}`:      "4: duplicate", // 4 waits, and has another id
		`dtmf {"digits":"1","event_id":"a","source_sequence":999999}`: "999999: duplicate",
		`dtmf {"digits":"1","event_id":"b","source_sequence":4}`:      "4: repeated",
	} {
		s.log = nil
		s.send(line)
		require.Equal(t, []string{want}, s.log, line)
	}
	for payload, known := range map[string]bool{
		`{"event_id":"a"}`: true, `{"event_id":"a","by":7,"queue":7}`: true, `{"event_id":"b"}`: false, `{"event_id":7}`: false, `7`: false, `{`: false, ``: false,
	} {
		_, isRepeat := s.in.Repeat("hold", []byte(payload), "")
		require.Equal(t, known, isRepeat, payload)
	}
	repeat, isRepeat := s.in.Repeat("hold", []byte(`{"by":{"id":"a1","role":"agent"}}`), "a")
	require.True(t, isRepeat, "the id of the message counts")
	require.Equal(t, &interaction.Actor{ID: "a1", Role: interaction.RoleAgent}, repeat.Command().By)
}

func TestTheDraftOfAReplyIsRemembered(t *testing.T) {
	s := newSource(t, call)
	s.send(`accept {"agent":"a1"}`)
	child := func(line string) (ids []string) {
		for _, v := range s.in.Take(read(t, line), true, s.now) {
			ids = append(ids, v.Child)
		}
		return ids
	}
	require.Equal(t, []string{"i1~1"}, child(`reply {"event_id":"r1"}`))
	require.Equal(t, []string{"i1~2"}, child(`reply {}`))
	require.Equal(t, []string{"i1~3"}, child(`reply {"source_sequence":1}`))
	require.Equal(t, []string{""}, child(`hold {"event_id":"h"}`))
	s.in = carried(t, s.in)
	require.Equal(t, []string{"i1~1"}, child(`hold {"event_id":"r1"}`))
	require.Equal(t, []string{"i1~3"}, child(`reply {"source_sequence":1}`))
	require.Len(t, s.in.Drafts, 2)
}

func TestTheFieldsOfAnElementAreNotTheCommands(t *testing.T) {
	for field, want := range map[string]bool{`true`: true, `false`: false, `null`: false} {
		a, err := intake.ReadElement("dtmf", []byte(`{"command":"dtmf","digits":"1","source_sequence":3,"no_wait":`+field+`}`), "")
		require.NoError(t, err)
		require.Equal(t, want, a.NoWait)
		require.Equal(t, map[string]any{"digits": "1"}, a.Command().Fields)
	}
	_, err := intake.ReadElement("dtmf", []byte(`{"digits":"1","no_wait":"true"}`), "")
	require.EqualError(t, err, "dtmf: no_wait: not a boolean; send true or false")

	s := newSource(t, call)
	a, err := intake.ReadElement("dtmf", []byte(`{"command":"dtmf","digits":"1","source_sequence":3}`), "")
	require.NoError(t, err)
	s.note(s.in.Take(a, true, s.now))
	s.in = carried(t, s.in)
	require.Equal(t, map[string]any{"digits": "1"}, s.in.Sequence.Buffered[0].Command().Fields)

	alone := read(t, `dtmf {"digits":"1","source_sequence":4,"command":"x","no_wait":1}`)
	require.Equal(t, map[string]any{"digits": "1", "command": "x", "no_wait": 1.0}, alone.Command().Fields, "fields of the platform's own")
}
