package feed_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/client"
	"segue/client/feed"
)

// linesOf returns a start and commands of each interaction. The lines of the interactions alternate.
func linesOf(commands int, ids ...string) string {
	var b strings.Builder
	for n := range commands + 1 {
		for _, id := range ids {
			line := fmt.Sprintf(`"command":"c%d","event_id":"%s-%d"`, n, id, n)
			if n == 0 {
				line = `"command":"start","channel":"chat"`
			}
			fmt.Fprintf(&b, `{"interaction":%q,%s}`+"\n", id, line)
		}
	}
	return b.String()
}

func TestLinesThatWaitTogetherAreOneMessage(t *testing.T) {
	for mode, want := range map[feed.Mode][]string{
		feed.ModeSignal: {"start+6", "start+6", "start+6"},
		feed.ModeUpdate: {"start+0", "start+0", "start+0", "update+6", "update+6", "update+6"},
	} {
		t.Run(string(mode), func(t *testing.T) {
			c := newCenter()
			result, err := feed.Run(t.Context(), c, strings.NewReader(linesOf(6, "a", "b", "c")), feed.Options{ContactCenter: "default", Mode: mode})
			require.NoError(t, err)
			require.Equal(t, 21, result.Accepted)
			slices.Sort(c.messages)
			require.Equal(t, want, c.messages)
		})
	}
}

func TestALineDoesNotWaitForTheNextOne(t *testing.T) {
	c := newCenter()
	read, write := io.Pipe()
	sent := make(chan struct{})
	done := make(chan feed.Result)
	go func() {
		result, err := feed.Run(t.Context(), c, read, feed.Options{ContactCenter: "default", Progress: func() { sent <- struct{}{} }})
		if err != nil {
			t.Error(err)
		}
		done <- result
	}()
	for line := range strings.Lines(linesOf(2, "a")) {
		_, err := io.WriteString(write, line)
		require.NoError(t, err)
		<-sent
	}
	require.NoError(t, write.Close())
	require.Equal(t, 3, (<-done).Accepted)
	require.Equal(t, []string{"start+0", "signal+1", "signal+1"}, c.messages)
}

// gated is lines that can be read when the start of the interaction "gate" waits. It opens the gate when all are read.
type gated struct {
	io.Reader
	c *center
}

func (g gated) Read(p []byte) (int, error) {
	<-g.c.waits
	n, err := g.Reader.Read(p)
	if err != nil {
		close(g.c.gate)
	}
	return n, err
}

// waiting sends lines that all wait behind the start of another interaction.
func waiting(t *testing.T, c *center, mode feed.Mode, lines string) feed.Result {
	c.waits, c.gate = make(chan struct{}), make(chan struct{})
	first := strings.NewReader(`{"interaction":"gate","command":"start","channel":"chat"}` + "\n")
	result, err := feed.Run(t.Context(), c, io.MultiReader(first, gated{strings.NewReader(lines), c}), feed.Options{ContactCenter: "default", Parallel: 1, Mode: mode})
	require.NoError(t, err)
	c.messages = slices.DeleteFunc(c.messages, func(m string) bool { return m == "start+0" && mode == feed.ModeSignal })
	return result
}

func TestAGroupIsBounded(t *testing.T) {
	for name, test := range map[string]struct {
		lines int
		field string
		want  []string
	}{
		"by lines":     {250, "", []string{"start+100", "signal+100", "signal+50"}},
		"by bytes":     {7, strings.Repeat("x", 12<<10), []string{"start+2", "signal+2", "signal+2", "signal+1"}},
		"by long ones": {2, strings.Repeat("x", 40<<10), []string{"start+1", "signal+1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCenter()
			var b strings.Builder
			b.WriteString(`{"interaction":"a","command":"start","channel":"chat"}` + "\n")
			for n := range test.lines {
				fmt.Fprintf(&b, `{"interaction":"a","command":"c%d","field":%q}`+"\n", n, test.field)
			}
			result := waiting(t, c, feed.ModeSignal, b.String())
			require.Equal(t, test.lines+2, result.Accepted)
			require.Equal(t, test.want, c.messages)
			for n, command := range c.interactions[client.Name{ContactCenter: "default", ID: "a"}].commands {
				require.Equal(t, fmt.Sprintf("c%d", n), command)
			}
		})
	}
}

// hostile are groups in which not every line is what it should be. lines are those of one interaction, rejected the
// numbers of the rejected ones.
var hostile = map[string]struct {
	lines                string
	accepted, duplicates int
	rejected             []int
	applied              []string
}{
	"a refused command in the middle": {
		`start {"channel":"chat"};one {"event_id":"1"};bad {"event_id":"2"};two {"event_id":"3"}`, 3, 0, []int{4}, []string{"one", "two"},
	},
	"a repeat in the group": {
		`start {"channel":"chat"};one {"event_id":"1"};one {"event_id":"1"};two {}`, 3, 1, nil, []string{"one", "two"},
	},
	"equal lines without event id": {
		`start {"channel":"chat"};one {};one {};one {}`, 4, 0, nil, []string{"one", "one", "one"},
	},
	"a refused start": {`start {"channel":"fax"};one {};two {}`, 0, 0, []int{2, 3, 4}, nil},
	"a second start": {
		`start {"channel":"chat"};one {};start {"channel":"chat"};two {}`, 3, 1, nil, []string{"one", "two"},
	},
	"a start behind commands": {`one {};start {"channel":"chat"};two {}`, 2, 0, []int{2}, []string{"two"}},
	"more behind the end":     {`start {"channel":"chat"};end {};one {"event_id":"1"}`, 2, 0, []int{4}, []string{"end"}},
	"an event id that is none": {
		`start {"channel":"chat"};one {"event_id":7};one {"event_id":null};one {"event_id":""}`, 3, 0, []int{3}, []string{"one", "one"},
	},
	"names of messages": {
		`start {"channel":"chat"};commands {};<\u0022&,{}[] {};start\u0000 {}`, 4, 0, nil, []string{"commands", `<"&,{}[]`, "start\x00"},
	},
}

// linesFor returns lines of the interaction a: a command and its payload, separated by ";".
func linesFor(text string) string {
	var b strings.Builder
	for _, line := range strings.Split(text, ";") {
		at := strings.LastIndex(line, " {")
		fields := strings.Replace(","+line[at+2:], ",}", "}", 1)
		fmt.Fprintf(&b, `{"interaction":"a","command":"%s"%s`+"\n", line[:at], fields)
	}
	return b.String()
}

func TestEveryLineOfAGroupHasItsOwnOutcome(t *testing.T) {
	for name, test := range hostile {
		for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate} {
			t.Run(name+" by "+string(mode), func(t *testing.T) {
				c := newCenter()
				result := waiting(t, c, mode, linesFor(test.lines))
				require.Equal(t, test.accepted+1, result.Accepted)
				require.Equal(t, test.duplicates, result.Duplicates)
				require.Zero(t, result.Unknown)
				var rejected []int
				for _, r := range result.Rejected {
					rejected = append(rejected, r.Line)
				}
				require.Equal(t, test.rejected, rejected)
				if i := c.interactions[client.Name{ContactCenter: "default", ID: "a"}]; i != nil {
					require.Equal(t, test.applied, i.commands)
				}
			})
		}
	}
}

// A feed that broke off has sent any part of a group. Run again, it sends the rest, and nothing twice.
func TestAFeedThatBrokeOffWithinAGroupGoesOn(t *testing.T) {
	text := linesOf(6, "a", "b", "c")
	for _, mode := range []feed.Mode{feed.ModeSignal, feed.ModeUpdate} {
		for cut := range strings.Count(text, "\n") {
			c := newCenter()
			lines := strings.SplitAfter(text, "\n")
			_, err := feed.Run(t.Context(), c, strings.NewReader(strings.Join(lines[:cut], "")), feed.Options{ContactCenter: "default", Mode: mode})
			require.NoError(t, err)
			result, err := feed.Run(t.Context(), c, strings.NewReader(text), feed.Options{ContactCenter: "default", Mode: mode})
			require.NoError(t, err)
			require.Equal(t, cut, result.Duplicates)
			require.Equal(t, 21-cut, result.Accepted)
			for _, i := range c.interactions {
				require.Equal(t, []string{"c1", "c2", "c3", "c4", "c5", "c6"}, i.commands)
			}
		}
	}
}

func TestAFeedGoesOnAfterAnOutageBetweenMessages(t *testing.T) {
	text := linesOf(6, "a", "b", "c")
	for mode, messages := range map[feed.Mode]int{feed.ModeSignal: 3, feed.ModeUpdate: 6} {
		for after := range messages {
			c := newCenter()
			c.fail, c.failAfter = client.ErrUnreachable, after
			_, err := feed.Run(t.Context(), c, strings.NewReader(text), feed.Options{ContactCenter: "default", Mode: mode})
			require.ErrorIs(t, err, client.ErrUnreachable)
			c.fail = nil
			result, err := feed.Run(t.Context(), c, strings.NewReader(text), feed.Options{ContactCenter: "default", Mode: mode})
			require.NoError(t, err)
			require.Equal(t, 21, result.Accepted+result.Duplicates)
			for _, i := range c.interactions {
				require.Equal(t, []string{"c1", "c2", "c3", "c4", "c5", "c6"}, i.commands)
			}
		}
	}
}

// TestGroupsChangeNoOutcome compares a feed whose lines are all grouped with one whose lines arrive one after the other.
// Nothing follows an end there: alone, such a line meets a closed workflow, whose record does not tell a refused event id
// from an applied one.
func TestGroupsChangeNoOutcome(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		commands := []string{"start", "one", "two", "bad"}
		var b strings.Builder
		b.WriteString(linesOf(0, "a", "b"))
		for range rapid.IntRange(1, 30).Draw(rt, "lines") {
			id := rapid.SampledFrom([]string{`"a"`, `"b"`}).Draw(rt, "interaction")
			command := rapid.SampledFrom(commands).Draw(rt, "command")
			event := rapid.SampledFrom([]string{`"1"`, `"2"`, `"3"`, `null`, `7`}).Draw(rt, "event id")
			fmt.Fprintf(&b, `{"interaction":%s,"command":%q,"event_id":%s,"channel":"chat"}`+"\n", id, command, event)
		}
		mode := rapid.SampledFrom([]feed.Mode{feed.ModeSignal, feed.ModeUpdate}).Draw(rt, "mode")
		together, alone := newCenter(), newCenter()
		for range 2 { // the second time, everything was sent before
			want, err := feed.Run(t.Context(), alone, iotest.OneByteReader(strings.NewReader(b.String())), feed.Options{ContactCenter: "default", Mode: mode})
			require.NoError(rt, err)
			got, err := feed.Run(t.Context(), together, strings.NewReader(b.String()), feed.Options{ContactCenter: "default", Mode: mode})
			require.NoError(rt, err)
			for i := range want.Rejected {
				want.Rejected[i].Reason = ""
			}
			for i := range got.Rejected {
				got.Rejected[i].Reason = ""
			}
			require.Equal(rt, want, got)
		}
		for name, i := range alone.interactions {
			require.Equal(rt, i.commands, together.interactions[name].commands)
		}
	})
}
