package view_test

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

var agents = []string{"a1", "a2", "a3"}

var everyStart = []string{
	start("inbound"), start("inbound", `"queue":"sales"`, `"ani":"+4930"`), start("outbound"), start("outbound", assigned, `"destination":"+1"`),
	start("chat", `"queue":"sales"`, `"customer":{"name":"Zoe"}`), start("chat", assigned), start("email", `"queue":"sales"`), start("email", draft), start("email", assigned),
	start("chat", draft), start("inbound", draft), start("web"), start("sms", `"user_data":{"a":{"b":1}}`), start("cloud_routing"),
}

// everyLine has commands of the platform, of each agent, and of timers, for random sequences.
var everyLine = func() []string {
	lines := []string{
		`place_in_queue {"queue":"sales"}`, `place_in_queue {"queue":"backup"}`, `offer {"agents":["a1","a2"]}`, `offer {"agents":["a1","a2","a3"],"preview":true}`, `offer {"agents":["a1","a1"]}`,
		`dial`, `connect`, `disconnect`, `abandon`, `consult {"to":{"number":"+1"}}`, `conference`, `conference {"party":"+2"}`, `hold`, `retrieve`,
		`transfer {"to":{"queue":"sales"},"wrap_up":true}`, `transfer {"to":{"number":"+3"}}`, `transfer {"mode":"consult"}`, `transfer {"mode":"consult","wrap_up":true}`,
		`place_in_workbin {"workbin":"w"}`, `set_disposition {"code":"SOLD"}`, `set_disposition {"code":"LOST","notes":"n"}`, `attach_user_data {"user_data":{"a":{"b":1}}}`,
		`update_user_data {"user_data":{"a":{"c":2},"d":[1,2]}}`, `delete_user_data {"keys":["d"]}`, `set_attributes {"ani":"+9","customer":{"id":12345678901234567890}}`,
		`set_attributes {"comment":"c"}`, `set_attributes {"native_id":"n1"}`, `survey {"answers":{"q":1}}`, `script_signal {"p1":"x"}`, `signal_added {"name":"s"}`, `engage {"ixnProfile":{"channel":"chat"}}`,
		`engagement_result {"result":"accepted","queue":"sales"}`, `engagement_result {"result":"accepted","agent":"a1"}`, `engagement_result {"result":"timeout"}`,
		`complete`, `complete {"disposition":{"code":"SOLD"}}`, `cancel`, `[offer_timeout]`, `[offer_timeout] {"MaxMisses":2,"Overflow":"backup"}`, `[queue_timeout] {"Overflow":"backup"}`,
		`[lifetime_timeout]`, `[late_events_timeout]`, `[workflow_cancel]`,
	}
	for _, agent := range agents {
		for _, line := range []string{
			`offer {"agent":%q}`, `accept {"agent":%q}`, `reject {"agent":%q}`, `reject {"agent":%q,"final":true}`, `dial {"agent":%q}`, `consult {"to":{"agent":%q}}`,
			`conference {"agent":%q}`, `leave {"agent":%q}`, `transfer {"to":{"agent":%q}}`, `transfer {"to":{"agent":%q},"wrap_up":true}`, `transfer {"to":{"agent":%q},"mode":"offer"}`,
			`[wrap_up_timeout] {"Agent":%q}`,
		} {
			lines = append(lines, fmt.Sprintf(line, agent))
		}
		for _, line := range []string{
			`accept`, `reject`, `dial`, `disconnect`, `leave`, `hold`, `retrieve`, `conference`, `conference {"agent":"a2"}`, `conference {"party":"+4"}`, `consult {"to":{"agent":"a3"}}`,
			`consult {"to":{"number":"+5"}}`, `transfer {"to":{"agent":"a2"},"wrap_up":true}`, `transfer {"mode":"consult"}`, `place_in_queue {"queue":"sales"}`,
			`place_in_workbin {"workbin":"w"}`, `reply`, `complete`, `cancel`, `update_user_data {"user_data":{"x":"y"}}`, `set_disposition {"code":"X"}`,
		} {
			lines = append(lines, agent+": "+line)
		}
	}
	for _, segment := range []string{
		"agent_selecting", "consulting", "in_conference", "wrap_up", "dialing", "rejected", "missed", "preview", "interaction_starts.agent", "offered.agent",
		"handling.channel", "handling.agent", "interaction_ends", "interaction_ends.channel", "interaction_ends.agent",
	} {
		lines = append(lines, fmt.Sprintf(`segment_change {"segment":%q,"agent":"a1","queue":"sales"}`, segment),
			fmt.Sprintf(`segment_change {"segment":%q,"agent":"a2","party":"+4"}`, segment), fmt.Sprintf(`segment_change {"segment":%q,"queue":"backup"}`, segment))
	}
	return lines
}()

// endings are what most random sequences do without, so that they are long.
var gentle = func() []string {
	var lines []string
	for _, line := range everyLine {
		ends := false
		for _, ending := range []string{"abandon", "complete", "cancel", "[lifetime", "[workflow", `"timeout"}`, `"final"`, `"interaction_ends"`} {
			ends = ends || strings.Contains(line, ending)
		}
		if !ends {
			lines = append(lines, line)
		}
	}
	return lines
}()

// randomly draws the next command of a sequence.
func randomly(t *rapid.T) string {
	if rapid.IntRange(0, 9).Draw(t, "any") == 0 {
		return rapid.SampledFrom(everyLine).Draw(t, "line")
	}
	return rapid.SampledFrom(gentle).Draw(t, "line")
}
