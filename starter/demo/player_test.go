package demo_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/client/feed"
	"segue/starter/demo"
)

const shortDay = `{"interaction":"a","command":"start","channel":"chat"}
{"interaction":"a","command":"hold","event_id":"a-1"}

{"interaction":"b","command":"start","channel":"chat"}
oops
`

// play plays shortDay by a program that prints a text.
func play(t *testing.T, output string) (feed.Result, error) {
	t.Helper()
	t.Setenv("OUTPUT", output)
	return demo.Player{
		Program: `cat >/dev/null; printf '%s' "$OUTPUT"`, ContactCenter: "cc", Stderr: io.Discard, Progress: func() {},
	}.Play(t.Context(), []byte(shortDay))
}

func TestAPlayerCountsWhatItsProgramReports(t *testing.T) {
	result, err := play(t, `{"line":5,"status":"rejected","problem":{"title":"no JSON"}}
{"line":1,"interaction":"a","status":"accepted","answer":{"state":"started"}}
{"line":2,"interaction":"a","event_id":"a-1","status":"rejected","problem":{"title":"illegal","detail":"hold is not legal"}}

{"line":4,"interaction":"b","status":"unknown","problem":{"title":"later"}}
{"summary":{"lines":4}}
`)
	require.NoError(t, err)
	require.Equal(t, feed.Result{
		Lines: 4, Interactions: 2, Accepted: 1, Unknown: 1, Runs: map[client.Name]string{},
		Rejected: []feed.Rejection{
			{Line: 2, Interaction: "cc/a", Command: "hold", EventID: "a-1", Reason: "hold is not legal"},
			{Line: 5, Reason: "no JSON"},
		},
		Unanswered: []feed.Unanswered{{Interaction: "cc/b", Lines: []int{4}, Reason: "later"}},
	}, result)
}

func TestAPlayerCountsRepeats(t *testing.T) {
	result, err := play(t, `{"line":1,"interaction":"a","status":"duplicate","answer":{"duplicate":true}}
{"line":2,"interaction":"a","status":"accepted","answer":{"waiting":true}}
{"line":4,"interaction":"b","status":"accepted"}
{"line":5,"status":"rejected"}
{"summary":{}}`)
	require.NoError(t, err)
	require.Equal(t, 1, result.Duplicates)
	require.Equal(t, 2, result.Accepted)
	require.Equal(t, []feed.Rejection{{Line: 5, Reason: "no reason given"}}, result.Rejected)
}

func TestAPlayerRefusesOutputThatIsNoResult(t *testing.T) {
	for name, c := range map[string]struct{ output, want string }{
		"empty":             {"", "stdout ended without a summary"},
		"text":              {"ready\n", "stdout has a line that is no result: ready"},
		"unknown line":      {`{"line":3,"status":"accepted"}`, "a result has line 3, and the day has no such line"},
		"other interaction": {`{"line":1,"interaction":"b","status":"accepted"}`, `the result of line 1 has interaction "b", the line "a"`},
		"no status":         {`{"line":1,"interaction":"a"}`, `the result of line 1 has status ""; use accepted, duplicate, rejected or unknown`},
		"twice":             {`{"line":5,"status":"rejected"}` + "\n" + `{"line":5,"status":"rejected"}`, "line 5 has two results"},
		"missing":           {`{"line":5,"status":"rejected"}` + "\n" + `{"summary":{}}`, "3 of 4 lines have no result; the first is line 1"},
		"after the end":     {`{"summary":{}}` + "\n" + `{"line":5,"status":"rejected"}`, `stdout continues after the summary: {"line":5,"status":"rejected"}`},
		"no end":            {`{"line":5,"status":"rejected"}`, "stdout ended without a summary"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := play(t, c.output)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestAPlayerStopsAProgramThatWritesNoResults(t *testing.T) {
	_, err := demo.Player{Program: "echo ready; exec sleep 600", Stderr: io.Discard}.Play(t.Context(), []byte(shortDay))
	require.ErrorContains(t, err, "no result: ready")
}
