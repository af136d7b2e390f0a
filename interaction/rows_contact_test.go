package interaction_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func TestContactRows(t *testing.T) {
	assigned := start("outbound", `"agent":"a1"`)
	playRows(t, []row{
		{"dial for the assigned agent", assigned, nil, `dial`, "dialing", []string{"dialing.channel"}},
		{"dial for a new agent", outbound, nil, `dial {"agent":"a1","destination":"+1"}`, "dialing", []string{"interaction_starts.agent a1", "dialing.channel"}},
		{"predictive dial", outbound, nil, `dial`, "dialing", []string{"dialing.channel"}},
		{"redial", outbound, []string{`dial`}, `dial`, "dialing", []string{}},
		{"dial out of handling", assigned, []string{`accept {"agent":"a1"}`}, `dial`, "dialing", []string{"dialing.channel"}},
		{"connect with an owner", assigned, []string{`dial`}, `connect`, "handling", []string{"handling.agent a1", "handling.channel", "outbound.agent_connect"}},
		{"connect after a preview", outbound, []string{`offer {"agent":"a1","preview":true}`, `accept {"agent":"a1"}`}, `connect`, "handling",
			[]string{"handling.agent a1", "handling.channel", "outbound.agent_connect"}},
		{"predictive connect", outbound, []string{`dial`}, `connect`, "started", []string{"handling.channel"}},
		{"the agent of a predictive call", outbound, []string{`dial`, `connect`, `offer {"agent":"a1"}`}, `accept {"agent":"a1"}`, "handling",
			[]string{"handling.agent a1", "outbound.agent_connect"}},
		{"connect again after a redial", assigned, []string{`accept {"agent":"a1"}`, `dial`}, `connect`, "handling", []string{"handling.channel"}},
		{"cloud routing connects without agent", start("cloud_routing"), nil, `connect`, "handling", []string{"handling.channel", "cloud_routing.connect"}},
		{"a tracked number connects without agent", start("track_number"), nil, `connect`, "handling", []string{"handling.channel"}},

		{"disconnect: the agent wraps up", sales, talking, `disconnect`, "wrap_up",
			[]string{"inbound.agent_term", "wrap_up.agent a1", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end"}},
		{"disconnect without business process", outbound, []string{`accept {"agent":"a1"}`}, `disconnect`, "wrap_up",
			[]string{"outbound.agent_term", "wrap_up.agent a1", "handled.channel", "interaction_ends.channel", "outbound.call_end"}},
		{"disconnect of a chat", chat, talking, `disconnect`, "wrap_up",
			[]string{"chat.agent_term", "wrap_up.agent a1", "handled.business_process sales", "interaction_ends.channel", "chat.end"}},
		{"async: nobody hangs up before the end", email, talking, `disconnect`, "wrap_up", []string{"wrap_up.agent a1"}},
		{"disconnect while consulting: who only advised leaves", sales, consulted, `disconnect`, "wrap_up",
			[]string{"inbound.agent_term", "wrap_up.agent a1", "interaction_ends.agent a2", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end"}},
		{"disconnect of a conference: all wrap up", sales, conferred, `disconnect`, "wrap_up",
			[]string{"inbound.agent_term", "wrap_up.agent a1", "inbound.agent_term", "wrap_up.agent a2", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end"}},
		{"disconnect again", sales, wrapping, `disconnect`, "wrap_up", []string{}},
		{"disconnect while dialing", assigned, []string{`dial`}, `disconnect`, "completed(not_reached)",
			[]string{"interaction_ends.agent a1", "interaction_ends.channel", "outbound.call_end", "interaction_ends"}},
		{"disconnect of cloud routing", start("cloud_routing"), []string{`connect`}, `disconnect`, "completed(handled)",
			[]string{"handled.channel", "interaction_ends.channel", "cloud_routing.end", "interaction_ends"}},
		{"disconnect of a tracked number", start("track_number"), []string{`connect`}, `disconnect`, "completed(handled)",
			[]string{"handled.channel", "interaction_ends.channel", "track_number.call_end", "interaction_ends"}},
		{"disconnect in the queue", sales, queued, `disconnect`, "completed(abandoned)",
			[]string{"inbound.dequeue", "abandoned.business_process sales", "interaction_ends.channel", "inbound.call_end", "interaction_ends.business_process sales", "interaction_ends"}},
		{"disconnect while it is offered", sales, ringing, `disconnect`, "completed(abandoned)",
			[]string{"interaction_ends.agent a1", "abandoned.business_process sales", "interaction_ends.channel", "inbound.call_end", "interaction_ends.business_process sales", "interaction_ends"}},
		{"disconnect before anything", start("sms"), nil, `disconnect`, "completed(abandoned)", []string{"abandoned.channel", "interaction_ends.channel", "interaction_ends"}},
		{"abandon", chat, queued, `abandon`, "completed(abandoned)",
			[]string{"abandoned.business_process sales", "interaction_ends.channel", "chat.end", "interaction_ends.business_process sales", "interaction_ends"}},

		{"wrap-up timer", sales, wrapping, `[wrap_up_timeout] {"Agent":"a1"}`, "completed(handled)",
			[]string{"interaction_ends.agent a1", "interaction_ends.business_process sales", "interaction_ends"}},
		{"wrap-up timer of one of two", sales, after(conferred, `disconnect`), `[wrap_up_timeout] {"Agent":"a1"}`, "wrap_up", []string{"interaction_ends.agent a1"}},
		{"wrap-up timer, async: now the customer is gone", email, wrapping, `[wrap_up_timeout] {"Agent":"a1"}`, "completed(handled)",
			[]string{"interaction_ends.agent a1", "handled.business_process sales", "interaction_ends.channel", "interaction_ends.business_process sales", "interaction_ends"}},

		{"complete", sales, talking, `complete {"disposition":{"code":"SOLD"}}`, "completed(handled)",
			[]string{"inbound.agent_term", "interaction_ends.agent a1", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end",
				"inbound.disposition", "interaction_ends.business_process sales", "interaction_ends"}},
		{"complete after wrap-up", chat, wrapping, `complete {"disposition":{"code":"SOLD"}}`, "completed(handled)",
			[]string{"interaction_ends.agent a1", "chat.disposition", "interaction_ends.business_process sales", "interaction_ends"}},
		{"complete an email", email, talking, `complete {"disposition":{"code":"SOLD"}}`, "completed(handled)",
			[]string{"interaction_ends.agent a1", "handled.business_process sales", "interaction_ends.channel", "interaction_ends.business_process sales", "interaction_ends"}},
		{"a draft is sent", draft, nil, `complete`, "completed(sent)", []string{"interaction_ends.agent a1", "interaction_ends.channel", "interaction_ends"}},
		{"cancel", sales, talking, `cancel`, "completed(canceled)",
			[]string{"inbound.agent_term", "interaction_ends.agent a1", "interaction_ends.channel", "inbound.call_end", "interaction_ends.business_process sales", "interaction_ends"}},
		{"cancel a draft", draft, nil, `cancel {"by":{"id":"a1","role":"agent"}}`, "completed(canceled)",
			[]string{"interaction_ends.agent a1", "interaction_ends.channel", "interaction_ends"}},
		{"the workflow is canceled", start("cloud_routing"), nil, `[workflow_cancel]`, "completed(canceled)",
			[]string{"interaction_ends.channel", "cloud_routing.end", "interaction_ends"}},
		{"lifetime", chat, queued, `[lifetime_timeout]`, "completed(expired)",
			[]string{"interaction_ends.channel", "chat.end", "interaction_ends.business_process sales", "interaction_ends"}},
		{"the late-events timer fires", sales, after(wrapping, `complete`), `[late_events_timeout]`, "completed(handled)", []string{}},
	})
}

func TestConferenceRows(t *testing.T) {
	numbered := after(talking, `consult {"to":{"number":"+49"}}`)
	playRows(t, []row{
		{"consult", sales, talking, `consult {"to":{"agent":"a2"}}`, "consulting", []string{"consulting.agent a1", "interaction_starts.agent a2", "consulting.agent a2"}},
		{"consult a number", sales, talking, `consult {"to":{"number":"+49"}}`, "consulting", []string{"consulting.agent a1"}},
		{"retrieve ends a consultation", sales, consulted, `retrieve`, "handling", []string{"interaction_ends.agent a2", "handling.agent a1"}},
		{"retrieve from a number", sales, numbered, `retrieve`, "handling", []string{"handling.agent a1"}},
		{"hold", sales, talking, `hold`, "handling", []string{}},
		{"retrieve from hold", sales, after(talking, `hold`), `retrieve`, "handling", []string{}},
		{"conference", sales, talking, `conference {"agent":"a2"}`, "conference",
			[]string{"interaction_starts.agent a2", "in_conference.agent a1", "in_conference.agent a2", "inbound.agent_connect"}},
		{"conference out of a consultation", chat, consulted, `conference`, "conference",
			[]string{"in_conference.agent a1", "in_conference.agent a2", "chat.agent_connect"}},
		{"a third agent", sales, conferred, `conference {"agent":"a3"}`, "conference",
			[]string{"interaction_starts.agent a3", "in_conference.agent a3", "inbound.agent_connect"}},
		{"an outside party", sales, talking, `conference {"party":"+49"}`, "conference", []string{"in_conference.agent a1"}},
		{"a consulted agent leaves", sales, consulted, `leave {"agent":"a2"}`, "handling", []string{"interaction_ends.agent a2", "handling.agent a1"}},
		{"the owner leaves a consultation", sales, consulted, `leave {"agent":"a1"}`, "handling",
			[]string{"inbound.agent_term", "interaction_ends.agent a1", "handling.agent a2", "inbound.agent_connect"}},
		{"the owner leaves a conference", sales, conferred, `leave {"agent":"a1"}`, "handling", []string{"inbound.agent_term", "interaction_ends.agent a1", "handling.agent a2"}},
		{"one of three leaves", sales, after(conferred, `conference {"agent":"a3"}`), `leave {"agent":"a1"}`, "conference", []string{"inbound.agent_term", "interaction_ends.agent a1"}},
		{"the last agent leaves a party alone", sales, after(talking, `conference {"party":"+49"}`), `leave {"agent":"a1"}`, "completed(handled)",
			[]string{"inbound.agent_term", "interaction_ends.agent a1", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end", "interaction_ends.business_process sales", "interaction_ends"}},
		{"the last agent leaves while another wraps up", sales,
			after(talking, `transfer {"to":{"agent":"a2"},"wrap_up":true}`, `conference {"party":"+49"}`), `leave {"agent":"a2"}`, "wrap_up",
			[]string{"inbound.agent_term", "inbound.transfer_term", "interaction_ends.agent a2", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end"}},
		{"leave the wrap-up", sales, wrapping, `leave {"by":{"id":"a1","role":"agent"}}`, "completed(handled)",
			[]string{"interaction_ends.agent a1", "interaction_ends.business_process sales", "interaction_ends"}},
		{"leave one's own wrap-up while another handles", sales, after(talking, `transfer {"to":{"agent":"a2"},"wrap_up":true}`), `leave {"agent":"a1"}`, "handling",
			[]string{"interaction_ends.agent a1"}},
	})
}

func TestTransferRows(t *testing.T) {
	playRows(t, []row{
		{"single step", sales, talking, `transfer {"to":{"agent":"a2"}}`, "handling",
			[]string{"internal_transfer", "inbound.agent_term", "interaction_ends.agent a1", "interaction_starts.agent a2", "handling.agent a2", "inbound.agent_connect"}},
		{"single step with wrap-up", chat, talking, `transfer {"to":{"agent":"a2"},"wrap_up":true}`, "handling",
			[]string{"internal_transfer", "chat.agent_term", "wrap_up.agent a1", "interaction_starts.agent a2", "handling.agent a2", "chat.agent_connect"}},
		{"the receiver's end is a transfer's end", sales, after(talking, `transfer {"to":{"agent":"a2"}}`), `disconnect`, "wrap_up",
			[]string{"inbound.agent_term", "inbound.transfer_term", "wrap_up.agent a2", "handled.business_process sales", "interaction_ends.channel", "inbound.call_end"}},
		{"an email", email, talking, `transfer {"to":{"agent":"a2"}}`, "handling",
			[]string{"internal_transfer", "interaction_ends.agent a1", "interaction_starts.agent a2", "handling.agent a2"}},
		{"completing a consultation", sales, consulted, `transfer {"mode":"consult"}`, "handling",
			[]string{"internal_transfer", "inbound.agent_term", "interaction_ends.agent a1", "handling.agent a2", "inbound.agent_connect"}},
		{"to another agent than the consulted one", sales, consulted, `transfer {"to":{"agent":"a3"}}`, "handling",
			[]string{"internal_transfer", "inbound.agent_term", "interaction_ends.agent a1", "interaction_ends.agent a2", "interaction_starts.agent a3", "handling.agent a3", "inbound.agent_connect"}},
		{"out of a conference", sales, conferred, `transfer {"to":{"agent":"a2"}}`, "handling",
			[]string{"internal_transfer", "inbound.agent_term", "interaction_ends.agent a1", "handling.agent a2"}},
		{"by offer", sales, talking, `transfer {"to":{"agent":"a2"},"mode":"offer"}`, "offered",
			[]string{"internal_transfer", "inbound.agent_term", "interaction_ends.agent a1", "interaction_starts.agent a2", "offered.agent a2", "offered.business_process sales"}},
		{"by offer, accepted", sales, after(talking, `transfer {"to":{"agent":"a2"},"mode":"offer"}`), `accept {"agent":"a2"}`, "handling",
			[]string{"handling.agent a2", "handling.business_process sales", "inbound.agent_connect"}},
		{"by offer, with wrap-up, rejected", sales, after(talking, `transfer {"to":{"agent":"a2"},"mode":"offer","wrap_up":true}`), `reject {"agent":"a2"}`, "queued",
			[]string{"rejected.agent a2", "interaction_ends.agent a2", "agent_selecting.business_process sales", "agent_needed"}},
		{"to a queue", sales, talking, `transfer {"to":{"queue":"backup"}}`, "queued",
			[]string{"internal_transfer", "inbound.agent_term", "interaction_ends.agent a1", "interaction_ends.business_process sales",
				"interaction_starts.business_process backup", "agent_selecting.business_process backup", "agent_needed"}},
		{"to a queue with wrap-up", sales, talking, `transfer {"to":{"queue":"sales"},"wrap_up":true}`, "queued",
			[]string{"internal_transfer", "inbound.agent_term", "wrap_up.agent a1", "agent_selecting.business_process sales", "agent_needed"}},
		{"to a number", sales, talking, `transfer {"to":{"number":"+49"}}`, "handling", []string{"inbound.agent_term", "interaction_ends.agent a1"}},
		{"to a number that was consulted", sales, after(talking, `consult {"to":{"number":"+49"}}`), `transfer {"mode":"consult"}`, "handling",
			[]string{"inbound.agent_term", "interaction_ends.agent a1"}},
		{"to a number, then the customer leaves", sales, after(talking, `transfer {"to":{"number":"+49"}}`), `disconnect`, "completed(handled)",
			[]string{"handled.business_process sales", "interaction_ends.channel", "inbound.transfer_term", "inbound.call_end", "interaction_ends.business_process sales", "interaction_ends"}},
		{"a draft stays a draft", draft, nil, `transfer {"to":{"agent":"a2"}}`, "composing",
			[]string{"internal_transfer", "interaction_ends.agent a1", "interaction_starts.agent a2", "handling.agent a2"}},
	})
}

func TestAnAgentWhoWrapsUpMayGetAnOffer(t *testing.T) {
	s := opened(t, sales)
	s.do(after(talking, `transfer {"to":{"queue":"sales"},"wrap_up":true}`, `offer {"agent":"a1"}`)...)
	effect := s.do(`accept {"agent":"a1"}`)
	require.Equal(t, []string{"handling.agent a1", "handling.business_process sales", "inbound.agent_connect"}, moments(effect.Turn.Events))
	require.Equal(t, []string{"interaction_ends.agent a1"}, moments(s.do(`[wrap_up_timeout] {"Agent":"a1"}`).Turn.Events))
	require.Equal(t, "a1", s.i.Status().Agent.ID, "the earlier part's wrap-up has ended, not the current part")
	require.Equal(t, interaction.StateHandling, s.i.Facts().State)
}
