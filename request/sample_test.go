package request_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"segue/contract"
	"segue/interaction"
	"segue/request"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var at = time.Date(2020, 4, 22, 10, 11, 12, 130_000_000, time.UTC)

// tree parses a body as it is in a configuration.
func tree(t testing.TB, text string) *yaml.Node {
	t.Helper()
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(text), &document))
	return document.Content[0]
}

// call returns a valid call with a JSON body, after some changes.
func call(t testing.TB, body string, change ...func(*request.Spec)) request.Spec {
	s := request.Spec{Name: "crm", Method: "POST", URL: "https://crm.example.com/calls"}
	if body != "" {
		s.JSON = tree(t, body)
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func compiled(t testing.TB, s request.Spec) *request.Template {
	t.Helper()
	template, err := request.Compile(s)
	require.NoError(t, err)
	return template
}

// view returns an inbound call that an agent handles.
func view() *interaction.View {
	return &interaction.View{
		Interaction: interaction.Facts{ID: "i-1", ContactCenter: "acme", Channel: interaction.ChannelInbound, Direction: "inbound",
			State: interaction.StateHandling, Queue: "sales", ANI: "+15550100123", DNIS: "+15550100999", StartedAt: at,
			Customer: map[string]any{"id": "c-1", "vip": true}},
		Agent:     &interaction.Agent{ID: "a-1", Name: "Ada Lovelace", Fields: map[string]any{"team": "blue"}},
		UserData:  map[string]any{"tier": "gold", "score": 7.5, "count": 3.0, "empty": "", "tags": []any{"a", "b"}, "nested": map[string]any{"b": 1.0, "a": "x"}},
		Durations: interaction.Durations{Queue: 12.4, Handle: 95, Total: 131.5},
	}
}

func event() *interaction.Event {
	return &interaction.Event{Sequence: 4, Moment: interaction.MomentSegmentChange, At: at, Command: "accept",
		Segment: interaction.SegmentHandling, Leg: interaction.LegAgent, From: interaction.SegmentOffered, To: interaction.SegmentHandling,
		Fields: map[string]any{"reason": "manual", "digits": "12#"}}
}

// pairs are named values: name, value, name, value …
func pairs(list ...string) []request.Pair {
	var out []request.Pair
	for i := 0; i < len(list); i += 2 {
		out = append(out, request.Pair{Name: list[i], Value: list[i+1]})
	}
	return out
}

// received returns a request as an HTTP server reads it.
func received(t *testing.T, r contract.Request) (*http.Request, []byte) {
	t.Helper()
	out, err := http.NewRequest(r.Method, r.URL, strings.NewReader(r.Body))
	require.NoError(t, err)
	for _, h := range r.Headers {
		out.Header.Add(h.Name, h.Value)
	}
	var wire bytes.Buffer
	require.NoError(t, out.Write(&wire))
	in, err := http.ReadRequest(bufio.NewReader(&wire))
	require.NoError(t, err)
	body, err := io.ReadAll(in.Body)
	require.NoError(t, err)
	require.Zero(t, wire.Len(), "nothing may follow the request on the wire")
	return in, body
}
