package body_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/body"
)

func TestAnObjectKeepsItsBytes(t *testing.T) {
	for given, want := range map[string]string{
		``:     `{"event_id":"k"}`,
		"  \n": `{"event_id":"k"}`,
		`{}`:   `{"event_id":"k"}`,
		`{"b":1.50,"a":12345678901234567890,"c":{"z":1e400}}`: `{"b":1.50,"a":12345678901234567890,"c":{"z":1e400},"event_id":"k"}`,
		`{"event_id":"old", "x":"ü\u00e9"}`:                   `{"event_id":"k","x":"ü\u00e9"}`,
	} {
		got, err := changed([]byte(given), "event_id", "k")
		require.NoError(t, err, given)
		require.Equal(t, want, string(got))
	}
}

func TestWhatIsNoObjectIsRefused(t *testing.T) {
	for given, says := range map[string]string{
		`[]`: "one JSON object", `7`: "one JSON object", `null`: "one JSON object", `{`: "not JSON", `{} {}`: "not JSON", `{"a":1,}`: "not JSON",
		`{"a":1,"a":2}`: "twice", `{"a":{"b":1,"b":1}}`: "twice", `{"a":[{"b":1,"b":1}]}`: "twice", `{"a":1,"\u0061":2}`: "twice", "{\"a\":\"\xff\"}": "UTF-8",
		strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40): "nested deeper", `{"a":` + strings.Repeat(`[`, 100000) + strings.Repeat(`]`, 100000) + `}`: "",
	} {
		_, err := changed([]byte(given), "event_id", "k")
		require.ErrorContains(t, err, says, "%.60s", given)
	}
}

func FuzzObjects(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"event_id":null}`, `{"a":{"b":[1,2,{"c":"\ud800"}]}}`, `{"":""}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := changed(data, "event_id", "k")
		if err != nil {
			return
		}
		var before, after map[string]any
		if len(bytes.TrimSpace(data)) > 0 {
			require.NoError(t, numbers(data, &before), "what is read is JSON")
		}
		require.NoError(t, numbers(got, &after))
		if before == nil {
			before = map[string]any{}
		}
		before["event_id"] = "k"
		require.Equal(t, before, after)
	})
}

// changed reads an object and writes it again, with a member added.
func changed(data []byte, name string, value any) (json.RawMessage, error) {
	o, err := body.ReadObject(data)
	if err != nil {
		return nil, err
	}
	if err := o.Set(name, value); err != nil {
		return nil, err
	}
	return o.Encode(), nil
}

// numbers decodes JSON with the digits of its numbers.
func numbers(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(into)
}
