package interaction_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// merges are the rules of attach, update and delete, by example. If want is empty, nothing
// changes and nothing fires.
var merges = []struct{ rule, before, line, want string }{
	{"attach adds", `{"a":1}`, `attach_user_data {"user_data":{"b":2}}`, `{"a":1,"b":2}`},
	{"attach keeps what is there", `{"a":1}`, `attach_user_data {"user_data":{"a":2}}`, ``},
	{"attach merges objects, key by key", `{"a":{"x":1}}`, `attach_user_data {"user_data":{"a":{"x":2,"y":3}}}`, `{"a":{"x":1,"y":3}}`},
	{"at every level", `{"a":{"b":{"x":1}}}`, `attach_user_data {"user_data":{"a":{"b":{"y":2}}}}`, `{"a":{"b":{"x":1,"y":2}}}`},
	{"attach keeps a value where an object comes", `{"a":1}`, `attach_user_data {"user_data":{"a":{"x":1}}}`, ``},
	{"and an object where a value comes", `{"a":{"x":1}}`, `attach_user_data {"user_data":{"a":1}}`, ``},
	{"null is a value", `{"a":null}`, `attach_user_data {"user_data":{"a":1}}`, ``},
	{"an empty object adds nothing to an object", `{"a":{"x":1}}`, `attach_user_data {"user_data":{"a":{}}}`, ``},

	{"update replaces", `{"a":1}`, `update_user_data {"user_data":{"a":2}}`, `{"a":2}`},
	{"update adds as well", `{"a":1}`, `update_user_data {"user_data":{"b":2}}`, `{"a":1,"b":2}`},
	{"update merges objects, key by key", `{"a":{"x":1,"y":2}}`, `update_user_data {"user_data":{"a":{"x":9}}}`, `{"a":{"x":9,"y":2}}`},
	{"update replaces a value by an object", `{"a":1}`, `update_user_data {"user_data":{"a":{"x":1}}}`, `{"a":{"x":1}}`},
	{"and an object by a value", `{"a":{"x":1}}`, `update_user_data {"user_data":{"a":"none"}}`, `{"a":"none"}`},
	{"a list is one value", `{"a":[1,2]}`, `update_user_data {"user_data":{"a":[3]}}`, `{"a":[3]}`},
	{"null does not delete", `{"a":1}`, `update_user_data {"user_data":{"a":null}}`, `{"a":null}`},
	{"an empty object does not empty one", `{"a":{"x":1}}`, `update_user_data {"user_data":{"a":{}}}`, ``},
	{"update to the same is no change", `{"a":[1,{"x":2}]}`, `update_user_data {"user_data":{"a":[1.0,{"x":2}]}}`, ``},

	{"delete by keys, whatever they hold", `{"a":{"x":1},"b":2,"c":3}`, `delete_user_data {"keys":["a","b"]}`, `{"c":3}`},
	{"delete inside an object", `{"a":{"x":1,"y":2}}`, `delete_user_data {"user_data":{"a":{"x":0}}}`, `{"a":{"y":2}}`},
	{"the values are ignored", `{"a":1,"b":2}`, `delete_user_data {"user_data":{"a":"whatever"}}`, `{"b":2}`},
	{"an empty object deletes the key", `{"a":{"x":1}}`, `delete_user_data {"user_data":{"a":{}}}`, `{}`},
	{"the last key inside leaves an empty object", `{"a":{"x":1}}`, `delete_user_data {"user_data":{"a":{"x":null}}}`, `{"a":{}}`},
	{"inside what is no object there is nothing", `{"a":1}`, `delete_user_data {"user_data":{"a":{"x":0}}}`, ``},
	{"a dot in a key is a dot", `{"a":{"b":1}}`, `delete_user_data {"keys":["a.b"]}`, ``},
	{"both ways at once", `{"a":1,"b":{"x":1,"y":2}}`, `delete_user_data {"keys":["a"],"user_data":{"b":{"y":0}}}`, `{"b":{"x":1}}`},
	{"what is not there cannot be deleted", `{"a":1}`, `delete_user_data {"keys":["b"]}`, ``},
}

// TestMerges applies the examples, and compares docs/lifecycle.md with the results.
func TestMerges(t *testing.T) {
	table := "| rule | before | command | after |\n|---|---|---|---|\n"
	for _, m := range merges {
		s := opened(t, start("inbound", `"user_data":`+m.before))
		fired := moments(s.do(m.line).Turn.Events)
		after := asJSON(t, s.i.Status().UserData)
		if m.want == "" {
			require.JSONEq(t, m.before, after, m.rule)
			require.Empty(t, fired, m.rule)
			after = "the same, and nothing fires"
		} else {
			require.JSONEq(t, m.want, after, m.rule)
			require.Equal(t, []string{"user_data_changed"}, fired, m.rule)
			after = "`" + after + "`"
		}
		table += fmt.Sprintf("| %s | `%s` | `%s` | %s |\n", m.rule, m.before, m.line, after)
	}
	requireShown(t, "../docs/lifecycle.md", "user data", table)
}

// manyKeys returns an object with n keys that begin with a letter.
func manyKeys(letter string, n int) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"%s%d":1`, letter, i)
	}
	return "{" + strings.Join(keys, ",") + "}"
}

func TestUserDataIsBounded(t *testing.T) {
	s := opened(t, start("inbound", `"user_data":`+manyKeys("a", 600)))
	before := asJSON(t, s.i)
	for _, c := range []struct{ line, want string }{
		{`attach_user_data {"user_data":` + manyKeys("b", 401) + `}`, "user_data: all user data together has 1001 keys; keep it within 1000"},
		{`update_user_data {"user_data":{"list":[` + manyKeys("b", 200) + `,` + manyKeys("c", 200) + `]}}`, "has 1001 keys; keep it within 1000"},
		{`attach_user_data {"user_data":{"text":"` + strings.Repeat("x", 60<<10) + `"}}`, "user_data: all user data together has 66"},
	} {
		_, err := s.try(c.line)
		require.ErrorContains(t, err, c.want)
		var invalid *interaction.InvalidError
		require.ErrorAs(t, err, &invalid)
		require.ErrorContains(t, s.i.Check(command(t, c.line)), c.want, "the validator of an update refuses it, too")
		require.Equal(t, before, asJSON(t, s.i), "nothing is kept")
	}
	s.do(`attach_user_data {"user_data":` + manyKeys("b", 400) + `}`)

	for _, c := range []struct{ name, payload, want string }{
		{"attach_user_data", `{"user_data":` + manyKeys("a", 1001) + `}`, "attach_user_data: user_data: {"},
		{"survey", `{"answers":` + manyKeys("a", 1001) + `}`, "has 1001 keys; keep it within 1000"},
		{"set_attributes", `{"customer":` + manyKeys("a", 1001) + `}`, "has 1001 keys; keep it within 1000"},
		{"attach_user_data", `{"user_data":` + strings.Repeat(`{"a":`, 32) + `1` + strings.Repeat(`}`, 32) + `}`, "nested deeper than 32 levels; flatten it"},
	} {
		_, err := interaction.Decode(c.name, []byte(c.payload))
		require.ErrorContains(t, err, c.want)
	}
	deepest := `{"user_data":` + strings.Repeat(`{"a":`, 31) + `1` + strings.Repeat(`}`, 31) + `}`
	opened(t, inbound).do("attach_user_data " + deepest)
}

func TestReturnValuesAreBounded(t *testing.T) {
	s := opened(t, start("inbound", `"user_data":`+manyKeys("a", 999)))
	for _, c := range []struct {
		values  map[string]any
		changes bool
	}{{map[string]any{"tier": "gold"}, true}, {map[string]any{"tier": "silver"}, true}, {map[string]any{"tier": "silver"}, false}, {nil, false}} {
		changed, err := s.i.Return(c.values)
		require.NoError(t, err)
		require.Equal(t, c.changes, changed)
	}
	changed, err := s.i.Return(map[string]any{"tier": "none", "one": "more"})
	require.False(t, changed)
	require.EqualError(t, err, "return: user_data: with the returned values it has 1001 keys; keep it within 1000")
	require.Equal(t, "silver", s.i.Status().UserData["tier"], "all of them or none")
}

// TestViewsDoNotChange: a merge never changes views that were returned before.
func TestViewsDoNotChange(t *testing.T) {
	s := opened(t, start("inbound", `"user_data":{"a":{"x":1,"y":{"z":1}}}`))
	view := s.i.View(s.now)
	s.do(`update_user_data {"user_data":{"a":{"x":2,"y":{"z":2}}}}`, `delete_user_data {"user_data":{"a":{"y":{"z":0}}}}`)
	require.Equal(t, map[string]any{"a": map[string]any{"x": 1.0, "y": map[string]any{"z": 1.0}}}, view.UserData)
	var decoded map[string]any
	require.NoError(t, json.Unmarshal([]byte(asJSON(t, s.i.Status().UserData)), &decoded))
	require.Equal(t, map[string]any{"a": map[string]any{"x": 2.0, "y": map[string]any{}}}, decoded)
}
