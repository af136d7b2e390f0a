package interaction_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// phoneCall is an inbound phone call of one agent, from its start to its end. The expected results are written by hand, from
// the contract; segments are written as "segment.leg", those of one event after the other in parentheses.
var phoneCall = []struct{ command, state, fires string }{
	{`start {"id":"ixn-1","channel":"inbound"}`, "started", "segment_change (interaction_starts.channel), interaction_starts"},
	{`place_in_queue {"queue":"sales"}`, "queued", "segment_change (interaction_starts.business_process, agent_selecting.business_process), agent_needed"},
	{`offer {"agent":"ada"}`, "offered", "inbound.dequeue, segment_change (interaction_starts.agent, offered.agent, offered.business_process, offered.channel)"},
	{`accept {"agent":"ada"}`, "handling", "segment_change (handling.agent, handling.business_process, handling.channel), inbound.agent_connect"},
	{`disconnect`, "wrap_up", "inbound.agent_term, segment_change (wrap_up.agent, handled.business_process, interaction_ends.channel), inbound.call_end"},
	{`complete {"disposition":"SOLD"}`, "completed", "segment_change (interaction_ends.agent), inbound.disposition, segment_change (interaction_ends.business_process), interaction_ends"},
}

// TestAPlainPhoneCall compares the state machine with the contract for the plainest phone call, and the README with the state
// machine.
func TestAPlainPhoneCall(t *testing.T) {
	table := "| command | state after it | moments that it fires, in order |\n|---|---|---|\n"
	s := opened(t, `{"id":"ixn-1","contact_center":"default","channel":"inbound"}`)
	fired := s.opened
	for i, want := range phoneCall {
		if i > 0 {
			fired = moments(s.do(want.command).Turn.Events)
		}
		state, fires := string(s.i.Status().State), inOrder(fired)
		require.Equal(t, want.state, state, want.command)
		require.Equal(t, want.fires, fires, want.command)
		table += fmt.Sprintf("| `%s` | %s | %s |\n", want.command, state, fires)
	}
	requireShown(t, "../README.md", "phone call", table)
}

// inOrder joins moments, and names each group of segments as what it is.
func inOrder(fired []string) string {
	var words, segments []string
	flush := func() {
		if len(segments) > 0 {
			words = append(words, "segment_change ("+strings.Join(segments, ", ")+")")
		}
		segments = nil
	}
	for _, moment := range fired {
		name, _, _ := strings.Cut(moment, " ")
		if leg := name[strings.LastIndex(name, ".")+1:]; leg == "agent" || leg == "business_process" || leg == "channel" {
			segments = append(segments, name)
			continue
		}
		flush()
		words = append(words, name)
	}
	flush()
	return strings.Join(words, ", ")
}
