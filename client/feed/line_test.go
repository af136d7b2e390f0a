package feed_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/client/feed"
	"segue/interaction"
)

func scan(t *testing.T, text string) (lines []feed.Line, bad []feed.BadLine) {
	err := feed.Scan(strings.NewReader(text), "default", func(l feed.Line) error {
		lines = append(lines, l)
		return nil
	}, func(b feed.BadLine) error {
		bad = append(bad, b)
		return nil
	})
	require.NoError(t, err)
	return lines, bad
}

func TestScanSplitsAddressFromPayload(t *testing.T) {
	lines, bad := scan(t, `{"interaction":"c1","command":"offer","event_id":"e7","agent":{"id":"bea"},"n":1.0}`)
	require.Empty(t, bad)
	require.Equal(t, []feed.Line{{
		Number: 1, Name: client.Name{ContactCenter: "default", ID: "c1"}, Command: "offer", EventID: "e7",
		Payload: json.RawMessage(`{"agent":{"id":"bea"},"event_id":"e7","n":1.0}`),
	}}, lines)
}

func TestALineMayNameItsContactCenter(t *testing.T) {
	lines, _ := scan(t, `{"interaction":"c1","contact_center":"berlin","command":"hold","event_id":"e"}`)
	require.Equal(t, client.Name{ContactCenter: "berlin", ID: "c1"}, lines[0].Name)
}

// The workflow requires both in its input.
func TestScanNamesTheInteractionInItsStart(t *testing.T) {
	lines, _ := scan(t, `{"interaction":"c1","command":"start","channel":"chat"}`)
	require.NotEmpty(t, lines[0].EventID, "of its content, as that of a command")
	require.JSONEq(t, `{"id":"c1","contact_center":"default","channel":"chat","event_id":"`+lines[0].EventID+`"}`, string(lines[0].Payload))
}

func TestScanCountsLinesAndSkipsBlankOnes(t *testing.T) {
	lines, bad := scan(t, "\ufeff{\"interaction\":\"c1\",\"command\":\"a\"}\r\n\r\n  \noops\n{\"interaction\":\"c1\",\"command\":\"b\"}")
	require.Len(t, lines, 2)
	require.Equal(t, 1, lines[0].Number)
	require.Equal(t, 5, lines[1].Number)
	require.Equal(t, 4, bad[0].Number)
}

func TestScanReportsLinesThatCannotBeSent(t *testing.T) {
	for text, reason := range map[string]string{
		`oops`:                                   "not a JSON object",
		`[1]`:                                    "not a JSON object: it has the JSON type array",
		`null`:                                   "not a JSON object",
		`{}`:                                     "interaction: missing",
		`{"a":1} x`:                              "not a JSON object",
		`{"interaction":7,"command":"hold"}`:     "interaction: 7",
		`{"interaction":"","command":"hold"}`:    "interaction: \"\"",
		`{"interaction":"a b","command":"hold"}`: `interaction id "a b"`,
		`{"interaction":"a","command":"hold","contact_center":"x/y"}`: `contact center "x/y"`,
		`{"interaction":"a"}`:                                               "command: missing",
		`{"interaction":"a","command":["hold"]}`:                            "command: [",
		`{"interaction":"a","command":"x","p":"` + big(feed.MaxLine) + `"}`: "over 1048576 bytes",
	} {
		lines, bad := scan(t, text+"\n"+`{"interaction":"next","command":"hold"}`)
		require.Len(t, bad, 1, "%.80s", text)
		require.Contains(t, bad[0].Reason, reason)
		require.Len(t, lines, 1, "the next line is read nevertheless")
	}
}

func big(n int) string { return strings.Repeat("x", n) }

func TestScanDerivesEventIDsFromTheContent(t *testing.T) {
	text := `{"interaction":"c1","command":"hold"}
{"interaction":"c1","command":"hold"}
{"interaction":"c2","command":"hold"}
{"interaction":"c1","command":"retrieve","agent":"bea"}`
	first, _ := scan(t, text)
	again, _ := scan(t, text)
	require.Equal(t, first, again)

	seen := map[string]bool{}
	for _, line := range first {
		require.NotEmpty(t, line.EventID)
		require.False(t, seen[line.EventID], "each line has its own id")
		seen[line.EventID] = true
		var payload struct {
			EventID string `json:"event_id"`
		}
		require.NoError(t, json.Unmarshal(line.Payload, &payload))
		require.Equal(t, line.EventID, payload.EventID)
	}
	require.JSONEq(t, `{"event_id":"`+first[3].EventID+`","agent":"bea"}`, string(first[3].Payload))
}

// A nested event_id is data, and an empty one counts as missing.
func TestScanDerivesAnEventIDForALineWithOnlyANestedOne(t *testing.T) {
	for _, text := range []string{
		`{"interaction":"fe-1","command":"survey","answers":{"event_id":"7","csat":"5"}}`,
		`{"interaction":"fe-1","command":"update_user_data","user_data":{"last":[{"event_id":"x"}]}}`,
		`{"interaction":"fe-1","command":"queue_event","event":"\"event_id\":"}`,
		`{"interaction":"fe-1","command":"hold","event_id":""}`,
		`{"interaction":"fe-1","command":"hold","event_id":null,"agent":{"event_id":1,"id":"a"}}`,
	} {
		first, _ := scan(t, text)
		again, _ := scan(t, text)
		require.Regexp(t, "^feed-", first[0].EventID, text)
		require.Equal(t, first, again)
		command, err := interaction.Decode(first[0].Command, first[0].Payload)
		require.NoError(t, err, text)
		require.Equal(t, first[0].EventID, command.EventID)
	}
}

// The interaction refuses an invalid event_id.
func TestScanKeepsAnInvalidEventID(t *testing.T) {
	lines, bad := scan(t, `{"interaction":"c1","command":"hold","event_id":7}`)
	require.Empty(t, bad)
	require.Empty(t, lines[0].EventID)
	require.JSONEq(t, `{"event_id":7}`, string(lines[0].Payload))
}

func TestScanStopsAtTheErrorOfACall(t *testing.T) {
	stop := errors.New("enough")
	calls := 0
	err := feed.Scan(strings.NewReader(strings.Repeat(`{"interaction":"c1","command":"hold"}`+"\n", 5)), "default", func(feed.Line) error {
		calls++
		return stop
	}, nil)
	require.ErrorIs(t, err, stop)
	require.Equal(t, 1, calls)
}
