package view_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/contract"
	"segue/gateway/gws/view"
	"segue/gateway/parts"
	"segue/interaction"
)

func shown(t require.TestingT, r *view.Resource) map[string]any {
	encoded, err := json.Marshal(r)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(encoded, &fields))
	return fields
}

func TestAnEmailShowsWhoWritesToWhom(t *testing.T) {
	for name, row := range map[string]struct {
		more              string
		subject, from, to any
	}{
		"nothing known":                {to: []any{}},
		"user data of GWS":             {more: `"user_data":{"Subject":"s","FromAddress":"f","To":"t"}`, subject: "s", from: "f", to: []any{"t"}},
		"several receivers":            {more: `"user_data":{"to":["t1",2,"t2"]}`, to: []any{"t1", "t2"}},
		"the customer writes":          {more: `"customer":{"email":"c","subject":"s"},"dnis":"d"`, subject: "s", from: "c", to: []any{"d"}},
		"an address as the number":     {more: `"ani":"a"`, from: "a", to: []any{}},
		"the customer's own fields":    {more: `"customer":{"from":"f","to":["t"],"email":"c"}`, from: "f", to: []any{"t"}},
		"to the customer":              {more: `"direction":"outbound","customer":{"email":"c"},"destination":"d"`, to: []any{"c"}},
		"to a destination":             {more: `"direction":"outbound","destination":"d"`, to: []any{"d"}},
		"to whom the draft says":       {more: `"direction":"outbound","destination":"d","user_data":{"to":"t","from":"f"}`, from: "f", to: []any{"t"}},
		"an answer, from where it was": {more: `"direction":"outbound","customer":{"from":"c","to":["us"]}`, from: "us", to: []any{"c"}},
		"empty texts":                  {more: `"user_data":{"to":"","subject":"","from":1}`, to: []any{}},
	} {
		t.Run(name, func(t *testing.T) {
			more := []string{}
			if row.more != "" {
				more = append(more, row.more)
			}
			fields := shown(t, view.Of(look(t, start("email", more...)), "", base))
			require.Equal(t, []any{row.subject, row.from, row.to}, []any{fields["subject"], fields["from"], fields["to"]})
		})
	}
}

func TestTheCustomerIsAParticipant(t *testing.T) {
	number := func(n, digits, e164 string) map[string]any {
		return map[string]any{"type": "Customer", "phoneNumber": n, "digits": digits, "formattedPhoneNumber": n, "e164Number": e164, "held": false}
	}
	for name, row := range map[string]struct {
		start string
		lines []string
		want  []any
	}{
		"a caller":                 {start: start("inbound", `"ani":"+49 30"`), want: []any{number("+49 30", "49 30", "")}},
		"a caller without number":  {start: start("inbound"), want: []any{}},
		"who is called":            {start: start("outbound", `"destination":"+4930"`, `"ani":"5001"`), want: []any{number("+4930", "4930", "+4930")}},
		"who is called by dnis":    {start: start("outbound", `"dnis":"30"`), want: []any{number("30", "30", "")}},
		"who has hung up":          {start: start("inbound", `"ani":"1"`), lines: wrapping, want: []any{}},
		"who hung up in the queue": {start: start("inbound", `"ani":"1"`), lines: []string{`abandon`}, want: []any{}},
		"a chatting customer":      {start: start("chat", `"customer":{"firstName":"Zoe","lastName":"Z"}`), want: []any{map[string]any{"type": "Customer", "nickname": "Zoe Z", "held": false}}},
		"nobody known":             {start: start("chat", `"customer":{"id":1}`), want: []any{}},
		"an email has none":        {start: start("email", `"ani":"a"`), want: []any{}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, row.want, shown(t, view.Of(look(t, row.start, row.lines...), "a1", base))["participants"])
		})
	}
}

func TestAnAgentWithTwoLegsIsOneParticipant(t *testing.T) {
	l := look(t, start("inbound"), after(handling, `a1: transfer {"to":{"agent":"a2"},"wrap_up":true}`, `a2: consult {"to":{"agent":"a1"}}`)...)
	require.Len(t, l.State.Participants, 3)
	require.Len(t, shown(t, view.Of(l, "a2", base))["participants"], 1)
	require.Equal(t, parts.Consulted, parts.Of(l.State, "a1").Part)
	require.Len(t, shown(t, view.Of(l, "a1", base))["participants"], 1, "the owner, not the agent itself")
	require.Len(t, shown(t, view.Of(l, "", base))["participants"], 2)
}

func TestAnElementOfAWorkbinHasAMessageType(t *testing.T) {
	r := view.Of(look(t, start("email"), after(handling, `a1: place_in_workbin {"workbin":"w"}`)...), "a1", base)
	flat, err := json.Marshal(r)
	require.NoError(t, err)
	want := strings.Replace(string(flat), "{", `{"messageType":"InteractionStateMessage",`, 1)
	require.JSONEq(t, want, string(r.StateMessage()))
	require.Equal(t, view.Email, r.Medium())
}

// values are values of user data.
func values() *rapid.Generator[any] {
	text := rapid.Custom(func(t *rapid.T) any { return rapid.String().Draw(t, "text") })
	number := rapid.Custom(func(t *rapid.T) any { return rapid.Float64().Draw(t, "number") })
	long := rapid.Custom(func(t *rapid.T) any { return json.Number(rapid.StringMatching(`-?[1-9][0-9]{18,30}`).Draw(t, "long")) })
	flag := rapid.Custom(func(t *rapid.T) any { return rapid.Bool().Draw(t, "flag") })
	small := rapid.OneOf(text, number, long, flag, rapid.Just[any](nil))
	many := rapid.Custom(func(t *rapid.T) any { return rapid.SliceOfN(small, 0, 4).Draw(t, "list") })
	inner := rapid.Custom(func(t *rapid.T) any { return rapid.MapOfN(rapid.String(), small, 0, 4).Draw(t, "object") })
	return rapid.OneOf(small, many, inner)
}

// TestUserDataIsWrittenAsPackageJSONDoes compares the bytes.
func TestUserDataIsWrittenAsPackageJSONDoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		data := rapid.MapOfN(rapid.String(), values(), 0, 6).Draw(rt, "data")
		state := &contract.State{Status: interaction.Status{UserData: data}}
		state.Channel = interaction.ChannelChat
		message := view.Present(view.Look{State: state}, "a1", base)[0].Data
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		require.NoError(rt, encoder.Encode(data))
		require.Contains(rt, string(message), `"userData":`+strings.TrimSuffix(want.String(), "\n")+`,"participants"`)
	})
}

// TestChangedUserDataIsFound compares with reflection.
func TestChangedUserDataIsFound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		small := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b"}), rapid.SampledFrom([]any{
			"x", "", 1.0, nil, true, json.Number("12345678901234567890"), []any{"x"}, []any{}, map[string]any{"a": 1.0}, map[string]any{}, map[string]any{"b": nil},
		}), 0, 2)
		before, after := small.Draw(rt, "before"), small.Draw(rt, "after")
		p, _ := started(rt, start("chat"))
		_, n := p.do(handling...)
		last := lookOf(n)
		last.State.UserData = before
		changed := *n.State
		changed.UserData = after
		next := *n
		next.State, next.AgentsBefore = &changed, []string{"a1"}
		require.Equal(rt, !reflect.DeepEqual(before, after), len(view.Notifications(last, &next, "a1", base, nil)) > 0)
	})
}
