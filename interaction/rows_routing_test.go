package interaction_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func TestStartFires(t *testing.T) {
	for name, want := range map[string][]string{
		inbound:                {"interaction_starts.channel", "interaction_starts"},
		sales:                  {"interaction_starts.channel", "interaction_starts.business_process sales", "interaction_starts"},
		start("cloud_routing"): {"interaction_starts.channel", "interaction_starts", "cloud_routing.start"},
		start("outbound", `"business_process":"retail","agent":{"id":"a1","name":"Ann"}`): {
			"interaction_starts.channel", "interaction_starts.business_process", "interaction_starts.agent a1", "interaction_starts"},
		draft: {"interaction_starts.channel", "interaction_starts.agent a1", "handling.agent a1", "interaction_starts"},
	} {
		require.Equal(t, want, opened(t, name).opened, name)
	}
}

func TestQueueRows(t *testing.T) {
	playRows(t, []row{
		{"the first queue joins the leg that start opened", start("inbound", `"business_process":"retail"`), nil, queued[0], "queued",
			[]string{"agent_selecting.business_process sales", "agent_needed"}},
		{"a queue without a leg opens one", inbound, nil, queued[0], "queued",
			[]string{"interaction_starts.business_process sales", "agent_selecting.business_process sales", "agent_needed"}},
		{"another queue ends that leg", sales, nil, `place_in_queue {"queue":"backup"}`, "queued",
			[]string{"interaction_ends.business_process sales", "interaction_starts.business_process backup", "agent_selecting.business_process backup", "agent_needed"}},
		{"queued, another queue", sales, queued, `place_in_queue {"queue":"billing"}`, "queued",
			[]string{"inbound.dequeue", "interaction_ends.business_process sales", "interaction_starts.business_process billing", "agent_selecting.business_process billing", "agent_needed"}},
		{"queued, the same queue", sales, queued, queued[0], "queued", []string{}},
		{"queued, a supervisor moves it", sales, queued, `place_in_queue {"queue":"billing","by":{"id":"sue","role":"supervisor"}}`, "queued",
			[]string{"internal_transfer", "inbound.dequeue", "interaction_ends.business_process sales", "interaction_starts.business_process billing", "agent_selecting.business_process billing", "agent_needed"}},
		{"queued, a supervisor moves it where it is", sales, queued, `place_in_queue {"queue":"sales","by":{"id":"sue","role":"supervisor"}}`, "queued", []string{}},
		{"queued, transferred to another queue", sales, queued, `transfer {"to":{"queue":"billing"}}`, "queued",
			[]string{"internal_transfer", "inbound.dequeue", "interaction_ends.business_process sales", "interaction_starts.business_process billing", "agent_selecting.business_process billing", "agent_needed"}},
		{"queued, transferred to the same queue", sales, queued, `transfer {"to":{"queue":"sales"}}`, "queued", []string{}},
		{"a queued chat moves without dequeue and is not new again", chat, queued, `transfer {"to":{"queue":"billing"},"by":{"id":"sue","role":"supervisor"}}`, "queued",
			[]string{"internal_transfer", "interaction_ends.business_process sales", "interaction_starts.business_process billing", "agent_selecting.business_process billing", "agent_needed"}},
		{"a queued email moves", email, queued, `place_in_queue {"queue":"billing"}`, "queued",
			[]string{"interaction_ends.business_process sales", "interaction_starts.business_process billing", "agent_selecting.business_process billing", "agent_needed"}},
		{"chat.new comes the first time", chat, nil, queued[0], "queued",
			[]string{"agent_selecting.business_process sales", "chat.new", "agent_needed"}},
		{"chat.new only once", chat, talking, queued[0], "queued",
			[]string{"chat.agent_term", "interaction_ends.agent a1", "agent_selecting.business_process sales", "agent_needed"}},
		{"an agent's requeueing is an internal transfer", sales, talking, `place_in_queue {"queue":"sales","by":{"id":"a1","role":"agent"}}`, "queued",
			[]string{"internal_transfer", "inbound.agent_term", "interaction_ends.agent a1", "agent_selecting.business_process sales", "agent_needed"}},
		{"all leave a conference", sales, conferred, queued[0], "queued",
			[]string{"inbound.agent_term", "interaction_ends.agent a1", "inbound.agent_term", "interaction_ends.agent a2", "agent_selecting.business_process sales", "agent_needed"}},
		{"async out of wrap-up", email, wrapping, queued[0], "queued",
			[]string{"interaction_ends.agent a1", "agent_selecting.business_process sales", "agent_needed"}},
		{"a draft", draft, nil, queued[0], "queued",
			[]string{"interaction_ends.agent a1", "interaction_starts.business_process sales", "agent_selecting.business_process sales", "agent_needed"}},
		{"workbin", email, talking, `place_in_workbin {"workbin":"later"}`, "in_workbin", []string{"interaction_ends.agent a1"}},
		{"workbin of a call", sales, talking, `place_in_workbin {"workbin":{"id":7}}`, "in_workbin", []string{"inbound.agent_term", "interaction_ends.agent a1"}},
		{"workbin out of async wrap-up", email, wrapping, `place_in_workbin {"workbin":"later"}`, "in_workbin", []string{"interaction_ends.agent a1"}},
		{"queue timer to another queue", sales, queued, `[queue_timeout] {"overflow":"backup"}`, "queued",
			[]string{"overflow.business_process sales", "inbound.dequeue", "interaction_ends.business_process sales",
				"interaction_starts.business_process backup", "agent_selecting.business_process backup", "agent_needed"}},
		{"queue timer without another queue", sales, queued, `[queue_timeout]`, "completed(overflowed)",
			[]string{"overflow.business_process sales", "inbound.dequeue", "interaction_ends.channel", "inbound.call_end",
				"interaction_ends.business_process sales", "interaction_ends"}},
		{"a chat's dequeue is only to an agent", chat, queued, `[queue_timeout]`, "completed(overflowed)",
			[]string{"overflow.business_process sales", "interaction_ends.channel", "chat.end", "interaction_ends.business_process sales", "interaction_ends"}},
	})
}

func TestOfferRows(t *testing.T) {
	group := `offer {"agents":["a1",{"id":"a2","name":"Bo"}]}`
	playRows(t, []row{
		{"offer", sales, queued, `offer {"agent":"a1"}`, "offered",
			[]string{"inbound.dequeue", "interaction_starts.agent a1", "offered.agent a1", "offered.business_process sales", "offered.channel"}},
		{"offer of a chat", chat, queued, `offer {"agent":"a1"}`, "offered",
			[]string{"chat.dequeue", "interaction_starts.agent a1", "offered.agent a1", "offered.business_process sales", "offered.channel"}},
		{"offer to a group", sales, queued, group, "offered",
			[]string{"inbound.dequeue", "interaction_starts.agent a1", "offered.agent a1", "interaction_starts.agent a2", "offered.agent a2",
				"offered.business_process sales", "offered.channel"}},
		{"offer withdraws the earlier", sales, ringing, `offer {"agent":"a2"}`, "offered",
			[]string{"interaction_ends.agent a1", "interaction_starts.agent a2", "offered.agent a2"}},
		{"offer to the agent whom start assigned", start("outbound", `"agent":"a1"`), nil, `offer {"agent":"a1","preview":true}`, "offered",
			[]string{"interaction_ends.agent a1", "interaction_starts.agent a1", "preview.agent a1", "offered.channel"}},
		{"accept", sales, ringing, `accept {"agent":"a1"}`, "handling",
			[]string{"handling.agent a1", "handling.business_process sales", "handling.channel", "inbound.agent_connect"}},
		{"accept of an email fires segments only", email, ringing, `accept {"agent":"a1"}`, "handling",
			[]string{"handling.agent a1", "handling.business_process sales", "handling.channel"}},
		{"the first of a group", chat, after(queued, group), `accept {"agent":"a2"}`, "handling",
			[]string{"interaction_ends.agent a1", "handling.agent a2", "handling.business_process sales", "handling.channel", "chat.agent_connect"}},
		{"a pull", sales, queued, `accept {"agent":"a3"}`, "handling",
			[]string{"inbound.dequeue", "interaction_starts.agent a3", "handling.agent a3", "handling.business_process sales", "handling.channel", "inbound.agent_connect"}},
		{"a pull out of a workbin", email, after(talking, `place_in_workbin {"workbin":"w"}`), `accept {"by":{"id":"a2","role":"agent"}}`, "handling",
			[]string{"interaction_starts.agent a2", "handling.agent a2"}},
		{"an outbound accept without dial or preview counts", start("outbound", `"agent":"a1"`), nil, `accept {"agent":"a1"}`, "handling",
			[]string{"handling.agent a1", "handling.channel", "outbound.agent_connect"}},
		{"accept of a preview", outbound, []string{`offer {"agent":"a1","preview":true}`}, `accept {"agent":"a1"}`, "dialing", []string{"dialing.channel"}},
		{"accept of a draft", draft, []string{queued[0], `offer {"agent":"a2"}`}, `accept {"agent":"a2"}`, "composing",
			[]string{"handling.agent a2", "handling.business_process sales", "handling.channel"}},
		{"reject goes back to the queue", sales, ringing, `reject {"agent":"a1"}`, "queued",
			[]string{"rejected.agent a1", "interaction_ends.agent a1", "agent_selecting.business_process sales", "agent_needed"}},
		{"reject while others are offered", sales, after(queued, group), `reject {"agent":"a1"}`, "offered",
			[]string{"rejected.agent a1", "interaction_ends.agent a1"}},
		{"reject without a queue", inbound, []string{`offer {"agent":"a1"}`}, `reject {"agent":"a1"}`, "started",
			[]string{"rejected.agent a1", "interaction_ends.agent a1", "agent_needed"}},
		{"reject without a queue, in a workbin", web, []string{`accept {"agent":"a1"}`, `place_in_workbin {"workbin":"w"}`, `offer {"agent":"a2"}`}, `reject {"agent":"a2"}`, "in_workbin",
			[]string{"rejected.agent a2", "interaction_ends.agent a2", "agent_needed"}},
		{"a final reject", sales, after(queued, group), `reject {"agent":"a1","final":true}`, "completed(rejected)",
			[]string{"rejected.agent a1", "interaction_ends.agent a1", "interaction_ends.agent a2", "interaction_ends.channel", "inbound.call_end",
				"interaction_ends.business_process sales", "interaction_ends"}},
		{"offer timer", sales, ringing, `[offer_timeout] {"MaxMisses":3}`, "queued",
			[]string{"missed.agent a1", "interaction_ends.agent a1", "agent_selecting.business_process sales", "agent_needed"}},
		{"offer timer of a group", sales, after(queued, group), `[offer_timeout]`, "queued",
			[]string{"missed.agent a1", "interaction_ends.agent a1", "missed.agent a2", "interaction_ends.agent a2", "agent_selecting.business_process sales", "agent_needed"}},
		{"offer timer after too many", sales, after(ringing, `[offer_timeout] {"MaxMisses":2}`, `offer {"agent":"a2"}`), `[offer_timeout] {"MaxMisses":2,"Overflow":"backup"}`, "queued",
			[]string{"missed.agent a2", "interaction_ends.agent a2", "overflow.business_process sales", "interaction_ends.business_process sales",
				"interaction_starts.business_process backup", "agent_selecting.business_process backup", "agent_needed"}},
		{"too many, and no overflow queue", sales, ringing, `[offer_timeout] {"MaxMisses":1}`, "completed(overflowed)",
			[]string{"missed.agent a1", "interaction_ends.agent a1", "overflow.business_process sales", "interaction_ends.channel", "inbound.call_end",
				"interaction_ends.business_process sales", "interaction_ends"}},
		{"too many, and no queue at all", inbound, []string{`offer {"agent":"a1"}`}, `[offer_timeout] {"MaxMisses":1}`, "completed(missed)",
			[]string{"missed.agent a1", "interaction_ends.agent a1", "interaction_ends.channel", "inbound.call_end", "interaction_ends"}},
	})
}

func TestAgentNeededHasQueueAttemptAndExcludedAgents(t *testing.T) {
	s := opened(t, sales)
	effect := s.do(after(ringing, `reject {"agent":"a1"}`, `offer {"agent":"a2"}`, `[offer_timeout]`)...)
	event := effect.Turn.Events[len(effect.Turn.Events)-1]
	require.EqualValues(t, "agent_needed", event.Moment)
	require.Equal(t, map[string]any{"queue": "sales", "excluded": []any{"a1", "a2"}, "attempt": 3.0}, event.Fields)
	effect = s.do(`accept {"agent":"a9"}`, `place_in_queue {"queue":"sales"}`)
	event = effect.Turn.Events[len(effect.Turn.Events)-1]
	require.Equal(t, map[string]any{"queue": "sales", "excluded": []any{}, "attempt": 1.0}, event.Fields)
}

// An interaction that is moved to another queue begins to wait there, with a new queue timer
// and no excluded agents. In the same queue it keeps its place.
func TestAMovedInteractionWaitsFromTheMove(t *testing.T) {
	s := opened(t, sales)
	s.do(after(ringing, `reject {"agent":"a1"}`)...)
	enqueued := s.i.Facts().EnqueuedAt
	s.do(queued...)
	require.Equal(t, enqueued, s.i.Facts().EnqueuedAt)
	require.Equal(t, begin.Add(10*time.Second), s.i.Timers()[0].Since)

	events := s.do(`transfer {"to":{"queue":"billing"}}`).Turn.Events
	require.Equal(t, "billing", events[0].Fields["to_queue"])
	require.Equal(t, "requeued", events[1].Reason)
	require.Equal(t, "sales", events[1].Queue)
	needed := events[len(events)-1]
	require.Equal(t, "billing", needed.Queue)
	require.Equal(t, []any{}, needed.Fields["excluded"])
	require.Equal(t, "billing", s.i.Facts().Queue)
	require.Equal(t, begin.Add(50*time.Second), s.i.Facts().EnqueuedAt)
	require.Equal(t, begin.Add(50*time.Second), s.i.Timers()[0].Since)
	require.Equal(t, interaction.QueueTimeout, s.i.Timers()[0].Name)
}

func TestADequeueHasItsReason(t *testing.T) {
	for line, reason := range map[string]string{
		`offer {"agent":"a1"}`:             "offered",
		`place_in_queue {"queue":"b"}`:     "requeued",
		`transfer {"to":{"queue":"b"}}`:    "requeued",
		`accept {"agent":"a1"}`:            "accepted",
		`abandon`:                          "abandoned",
		`cancel {"reason":"test"}`:         "canceled",
		`[queue_timeout] {"Overflow":"b"}`: "overflowed",
		`[lifetime_timeout]`:               "expired",
	} {
		s := opened(t, sales)
		s.do(queued...)
		found := false
		for _, event := range s.do(line).Turn.Events {
			if event.Moment == "inbound.dequeue" {
				found = true
				require.Equal(t, reason, event.Reason)
				require.Equal(t, reason, event.Fields["reason"])
			}
		}
		require.True(t, found, line)
	}
}
