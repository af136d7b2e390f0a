package view_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/gateway/desktop/view"
)

var starts = []string{
	start("inbound", `"queue":"sales"`, `"ani":"+4930"`), start("outbound"), start("outbound", `"agent":"a1"`, `"destination":"+1"`), start("chat", `"queue":"sales"`),
	start("chat", `"agent":"a1"`), start("email", `"queue":"sales"`), start("email", `"agent":"a1"`, `"draft":true`), start("web"), start("sms"), start("cloud_routing"),
}

// everyLine has commands of the platform, of each agent, and of timers.
var everyLine = func() []string {
	all := []string{
		`place_in_queue {"queue":"sales"}`, `offer {"agents":["a1","a2"]}`, `offer {"agents":["a1","a2","a3"],"preview":true}`, `dial`, `connect`, `disconnect`, `abandon`,
		`consult {"to":{"number":"+1"}}`, `conference`, `conference {"party":"+2"}`, `hold`, `retrieve`, `transfer {"to":{"queue":"sales"},"wrap_up":true}`,
		`transfer {"to":{"number":"+3"}}`, `transfer {"mode":"consult"}`, `transfer {"mode":"consult","wrap_up":true}`, `place_in_workbin {"workbin":"w"}`,
		`set_disposition {"code":"SOLD"}`, `update_user_data {"user_data":{"a":{"c":2},"d":[1,2]}}`, `delete_user_data {"keys":["d"]}`, `set_attributes {"ani":"+9","customer":{"id":7}}`,
		`set_attributes {"native_id":"n1"}`, `set_attributes {"native_id":"n2","comment":"c"}`, `signal_added {"name":"s","p1":"x"}`, `signal_added {"name":"s","p1":"y"}`, `signal_added {"name":"t"}`,
		`signal_removed {"name":"s"}`, `engage {"ixnProfile":{"channel":"chat"}}`, `engagement_result {"result":"accepted","agent":"a1"}`,
		`engagement_result {"result":"accepted","queue":"sales","channel":"webcallback"}`, `complete`, `cancel`, `[offer_timeout]`, `[lifetime_timeout]`,
	}
	for _, agent := range agents {
		for _, line := range []string{
			`offer {"agent":%q}`, `accept {"agent":%q}`, `reject {"agent":%q}`, `dial {"agent":%q}`, `consult {"to":{"agent":%q}}`, `conference {"agent":%q}`, `leave {"agent":%q}`,
			`transfer {"to":{"agent":%q}}`, `transfer {"to":{"agent":%q},"wrap_up":true}`, `transfer {"to":{"agent":%q},"mode":"offer"}`, `[wrap_up_timeout] {"Agent":%q}`,
			`segment_change {"segment":"consulting","agent":%q}`, `segment_change {"segment":"in_conference","agent":%q}`, `segment_change {"segment":"wrap_up","agent":%q}`,
			`segment_change {"segment":"handling.agent","agent":%q}`, `segment_change {"segment":"preview","agent":%q}`, `segment_change {"segment":"dialing","agent":%q}`,
			`segment_change {"segment":"interaction_starts.agent","agent":%q}`, `segment_change {"segment":"interaction_ends.agent","agent":%q}`,
		} {
			all = append(all, fmt.Sprintf(line, agent))
		}
	}
	return all
}()

// stateFor is the row of the table of states, from the JSON of a state.
func stateFor(state object, agent string) string {
	if state["state"] == "completed" {
		return ""
	}
	found := ""
	for _, p := range state["participants"].([]any) {
		of, _ := p.(object)["agent"].(object)
		if of["id"] != agent {
			continue
		}
		role, segment := p.(object)["role"], p.(object)["segment"]
		switch {
		case role == "owner" && state["state"] == "dialing":
			return "DIALING"
		case role == "wrap_up":
			if found == "" {
				found = "STARTED"
			}
		case slices.Contains([]any{"handling", "consulting", "in_conference"}, segment):
			return "STARTED"
		default:
			found = "ALERTING"
		}
	}
	for _, a := range state["offered_to"].([]any) {
		if a.(object)["id"] == agent {
			return "ALERTING"
		}
	}
	return found
}

// TestEventsYieldTheState plays random commands. Agents lose notices now and then, and connect again.
func TestEventsYieldTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := started(t, rapid.SampledFrom(starts).Draw(t, "start"))
		clients := map[string]*tree{}
		for _, agent := range agents {
			clients[agent] = newTree(t)
			clients[agent].take(p.desktops[agent].Replay())
		}
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			if p.try(rapid.SampledFrom(everyLine).Draw(t, "line")) != nil {
				continue
			}
			encoded, err := json.Marshal(p.last.State)
			require.NoError(t, err)
			var state object
			require.NoError(t, json.Unmarshal(encoded, &state))
			for _, agent := range agents {
				if rapid.IntRange(0, 9).Draw(t, "lost") == 0 {
					continue
				}
				undisturbed := clients[agent]
				undisturbed.take(p.see(agent))
				known := ""
				for _, node := range undisturbed.interactions {
					known = node.State
					require.True(t, node.IsInitialized)
					if len(state["user_data"].(object)) > 0 {
						require.Equal(t, state["user_data"], node.Data)
					} else {
						require.Empty(t, node.Data)
					}
					require.Len(t, node.Signals, len(state["signals"].([]any)))
				}
				require.Equal(t, stateFor(state, agent), known, "%s in %s", agent, encoded)
				again := newTree(t)
				again.take(p.desktops[agent].Replay())
				undisturbed.same(again)
				// The replay has marked the channels as old, and nothing else.
			}
		}
	})
}

func TestAnInteractionThatIsGoneEnds(t *testing.T) {
	p := started(t, start("inbound"))
	c := newTree(t)
	for _, line := range consults {
		require.NoError(t, p.try(line))
		c.take(p.see("a1"))
	}
	require.Len(t, c.interactions, 1)
	c.take(p.desktops["a1"].End("i1"))
	require.Empty(t, c.interactions)
	require.Equal(t, view.StateInactive, c.channels["c-1"].State)
	require.Empty(t, p.desktops["a1"].End("i1"))
	require.Equal(t, []string{"channel.initialized c-1", "state INACTIVE c-1", "channel.externaldispositions.updated c-1", "session.initialized"}, short(p.desktops["a1"].Replay()))
}
