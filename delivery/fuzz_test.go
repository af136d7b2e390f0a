package delivery_test

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

// FuzzReturned checks that, whatever a receiver responds, only flat and bounded values of the
// response are returned, and that the message names the others.
func FuzzReturned(f *testing.F) {
	for _, body := range []string{
		"", "null", "{}", `{"tier":"gold"}`, `{"tier":1e400}`, `{"tier":12345678901234567890}`, `{"tier":-0}`, `{"tier":1.5,"tier":true}`,
		`{"tier":{"a":1}}`, `{"tier":[1]}`, `{"tier":null}`, `{"\u0074ier":"\ud800"}`, `{"tier":"` + "\xff" + `"}`, `{"tier":"` + strings.Repeat("x", 5000) + `"}`,
		`{"tier":"x"} trailing`, `[{"tier":1}]`, "\ufeff{}", strings.Repeat(`{"tier":`, 200), `{"tier":0.1e-999999999}`, "<tier>gold</tier>", "tier=gold",
	} {
		f.Add(body, "tier")
	}
	f.Add(`{"a.b":1}`, "a.b")
	f.Add(`{"":1}`, "")
	f.Fuzz(func(t *testing.T, body, from string) {
		values, message := delivery.Returned([]delivery.Return{{From: from, To: "to"}, {From: "another", To: "another"}}, body)
		var object map[string]any
		// An error about a number that no float64 holds leaves the rest in the object.
		if err := json.NewDecoder(strings.NewReader(body)).Decode(&object); object == nil {
			require.Empty(t, values, err)
			require.NotEmpty(t, message)
			return
		}
		for name, value := range values {
			require.Contains(t, []string{"to", "another"}, name)
			switch v := value.(type) {
			case bool:
			case string:
				require.LessOrEqual(t, len(v), 4<<10)
			case float64:
				require.False(t, math.IsInf(v, 0) || math.IsNaN(v))
			default:
				t.Fatalf("%T is not flat", v)
			}
		}
		if value, taken := values["to"]; taken {
			// A number that no float64 holds stays as it is written.
			if _, isText := object[from].(string); isText || fmt.Sprintf("%T", value) != "string" {
				require.Equal(t, object[from], value)
			}
		} else if values != nil {
			require.Contains(t, message, "not returned: ")
		} else {
			require.Contains(t, message, "no values returned: ")
		}
	})
}

var faultCodePattern = regexp.MustCompile(`^[A-Za-z.]{0,100}$`)

// FuzzFault checks that the search for a fault fails for no response, and that the code of a
// fault is a word.
func FuzzFault(f *testing.F) {
	for _, kind := range []string{"text/xml", "text/xml; charset=utf-16", "application/soap+xml; charset=x", ""} {
		for _, body := range []string{
			fmt.Sprintf(fault11, "Client"), fmt.Sprintf(fault12, "Receiver"), fine11, "", "<", "<!DOCTYPE x>", "<a", "<?xml version='1.1'?><a/>",
			utf16LE(fmt.Sprintf(fault11, "Server")), `<?xml version="1.0" encoding="gb18030"?><Envelope/>`,
			`<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><Fault><faultcode><a/>x</faultcode>`,
		} {
			f.Add([]byte(body), kind)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		code, verdict, found := delivery.FaultOf(body, kind)
		if !found {
			return
		}
		require.Regexp(t, faultCodePattern, code)
		require.Contains(t, []contract.Verdict{contract.VerdictRetry, contract.VerdictFinal}, verdict)
		again, _, _ := delivery.FaultOf(body, kind)
		require.Equal(t, code, again)
	})
}
