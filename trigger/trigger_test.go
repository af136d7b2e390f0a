package trigger_test

import (
	"testing"

	"segue/interaction"
	"segue/trigger"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var calls = []string{"crm", "wallboard", "billing"}

func compiled(t testing.TB, specs ...trigger.Spec) *trigger.Set {
	t.Helper()
	set, err := trigger.Compile(specs, calls)
	require.NoError(t, err)
	return set
}

func fired(t *testing.T, set *trigger.Set, v *interaction.View, e *interaction.Event) []string {
	t.Helper()
	firings, failed := set.Match(v, e)
	require.Empty(t, failed)
	var names []string
	for _, f := range firings {
		names = append(names, f.Call)
	}
	return names
}

// handling returns an inbound call at the moment that an agent takes it.
func handling() (*interaction.View, *interaction.Event) {
	return &interaction.View{
			Interaction: interaction.Facts{ID: "i-1", Channel: interaction.ChannelInbound, Queue: "sales", BusinessProcess: "retail"},
			UserData:    map[string]any{"tier": "gold", "count": 3.0},
			Disposition: &interaction.Disposition{Code: "SOLD"},
		}, &interaction.Event{Sequence: 5, Moment: interaction.MomentSegmentChange, Segment: interaction.SegmentHandling,
			Leg: interaction.LegAgent, From: interaction.SegmentOffered, To: interaction.SegmentHandling}
}

func TestFilters(t *testing.T) {
	list := func(s ...string) []string { return s }
	cases := []struct {
		name string
		spec trigger.Spec
		want bool
	}{
		{"no filter", trigger.Spec{}, true},
		{"segment and leg", trigger.Spec{Segments: list("wrap_up", "handling.agent")}, true},
		{"segment on any leg", trigger.Spec{Segments: list("handling")}, true},
		{"segment on another leg", trigger.Spec{Segments: list("handling.channel")}, false},
		{"another segment", trigger.Spec{Segments: list("wrap_up")}, false},
		{"leg", trigger.Spec{Legs: list("agent", "channel")}, true},
		{"another leg", trigger.Spec{Legs: list("business_process")}, false},
		{"from", trigger.Spec{From: list("offered")}, true},
		{"from on a leg", trigger.Spec{From: list("offered.agent"), To: list("handling.agent")}, true},
		{"from another", trigger.Spec{From: list("agent_selecting")}, false},
		{"to another", trigger.Spec{To: list("overflow")}, false},
		{"channel", trigger.Spec{Channels: list("chat", "inbound")}, true},
		{"another channel", trigger.Spec{Channels: list("chat")}, false},
		{"queue", trigger.Spec{Queues: list("sales")}, true},
		{"another queue", trigger.Spec{Queues: list("support")}, false},
		{"business process", trigger.Spec{BusinessProcesses: list("retail")}, true},
		{"another business process", trigger.Spec{BusinessProcesses: list("b2b")}, false},
		{"disposition", trigger.Spec{Dispositions: list("SOLD", "LOST")}, true},
		{"another disposition", trigger.Spec{Dispositions: list("LOST")}, false},
		{"all of them", trigger.Spec{Segments: list("handling"), Legs: list("agent"), Channels: list("inbound"), Queues: list("sales"), If: "true"}, true},
		{"one does not fit", trigger.Spec{Segments: list("handling"), Legs: list("agent"), Channels: list("inbound"), Queues: list("x")}, false},
		{"condition", trigger.Spec{If: `user_data.tier == "gold" && interaction.queue != "test"`}, true},
		{"condition is false", trigger.Spec{If: `user_data.tier == "lead"`}, false},
		{"condition without its value", trigger.Spec{If: `user_data.nope == "x"`}, false},
		{"negation without its value", trigger.Spec{If: `user_data.nope != "x"`}, false},
		{"condition with another way", trigger.Spec{If: `user_data.nope == "x" || user_data.count > 2`}, true},
		{"no agent", trigger.Spec{If: `agent.id == "a-1"`}, false},
		{"an empty fact is empty", trigger.Spec{If: `interaction.outcome == "" && event.reason != "x"`}, true},
		{"presence", trigger.Spec{If: `has(user_data.tier) && !has(agent.id) && agent == null`}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.spec.Moments, c.spec.Call = list("segment_change"), "crm"
			v, e := handling()
			assert.Equal(t, c.want, len(fired(t, compiled(t, c.spec), v, e)) == 1)
		})
	}
}

func TestACallFiresOncePerEventInTheOrderOfTheConfiguration(t *testing.T) {
	set := compiled(t,
		trigger.Spec{Moments: []string{"interaction_ends"}, Call: "crm"},
		trigger.Spec{Moments: []string{"segment_change", "segment_change"}, Call: "billing", DryRun: true},
		trigger.Spec{Moments: []string{"segment_change"}, Call: "wallboard"},
		trigger.Spec{Moments: []string{"segment_change", "interaction_starts"}, Call: "crm", DryRun: true},
		trigger.Spec{Moments: []string{"segment_change"}, Call: "billing"},
		trigger.Spec{Moments: []string{"segment_change"}, Call: "wallboard", DryRun: true},
	)
	v, e := handling()
	firings, failed := set.Match(v, e)
	require.Empty(t, failed)
	assert.Equal(t, []trigger.Firing{{Call: "billing"}, {Call: "wallboard"}, {Call: "crm", DryRun: true}}, firings,
		"a trigger that is meant wins over a dry run")
	assert.Equal(t, []interaction.Moment{interaction.MomentInteractionStarts, interaction.MomentInteractionEnds, interaction.MomentSegmentChange}, set.Fires("crm"))
}

func TestAConditionThatFailsIsReportedAndFiresNothing(t *testing.T) {
	set := compiled(t,
		trigger.Spec{Moments: []string{"segment_change"}, Call: "crm", If: `user_data.tier > 3`},
		trigger.Spec{Moments: []string{"segment_change"}, Call: "wallboard", If: `user_data.tier`},
		trigger.Spec{Moments: []string{"segment_change"}, Call: "billing"})
	v, e := handling()
	firings, failed := set.Match(v, e)
	assert.Equal(t, []trigger.Firing{{Call: "billing"}}, firings)
	require.Len(t, failed, 2)
	assert.EqualError(t, failed[0], "triggers[0].if: user_data.tier > 3: no such overload")
	assert.EqualError(t, failed[1], "triggers[1].if: user_data.tier: the result of the condition is string, not true or false")
}

func TestAFaultDoesNotFireTheCallThatFailed(t *testing.T) {
	set := compiled(t, trigger.Spec{Moments: []string{"fault"}, Call: "crm"}, trigger.Spec{Moments: []string{"fault"}, Call: "billing"})
	v, _ := handling()
	assert.Equal(t, []string{"billing"}, fired(t, set, v, &interaction.Event{Moment: interaction.MomentFault, Fields: map[string]any{"call": "crm"}}))
}

func TestAnAlertDoesNotFireTheCallThatItIsAbout(t *testing.T) {
	when := []string{"operator.delivery_failing"}
	set := compiled(t, trigger.Spec{Moments: when, Call: "crm"}, trigger.Spec{Moments: when, Call: "billing", If: `event.call == "crm"`},
		trigger.Spec{Moments: when, Call: "wallboard", If: `event.call != "crm"`})
	of := func(call string) *interaction.Event {
		return &interaction.Event{Moment: interaction.MomentDeliveryFailing, Fields: map[string]any{"call": call}}
	}
	assert.Equal(t, []string{"billing"}, fired(t, set, &interaction.View{}, of("crm")))
	assert.Equal(t, []string{"crm", "wallboard"}, fired(t, set, &interaction.View{}, of("billing")))
	assert.Equal(t, []string{"crm"}, fired(t, set, &interaction.View{}, of("wallboard")))
}

func TestTheQueueIsThatOfTheEventElseOfTheInteraction(t *testing.T) {
	set := compiled(t, trigger.Spec{Moments: []string{"inbound.dequeue"}, Call: "crm", Queues: []string{"old"}})
	v, _ := handling()
	assert.Equal(t, []string{"crm"}, fired(t, set, v, &interaction.Event{Moment: "inbound.dequeue", Queue: "old"}))
	assert.Empty(t, fired(t, set, v, &interaction.Event{Moment: "inbound.dequeue"}))
}

func TestEveryMomentAndSegmentOfTheDocumentsIsKnown(t *testing.T) {
	assert.Len(t, trigger.Segments(), 23, "the 21 of ECS, abandoned and handled")
	for _, w := range trigger.Moments() {
		compiled(t, trigger.Spec{Moments: []string{string(w)}, Call: "crm"})
	}
	compiled(t, trigger.Spec{Moments: []string{"segment_change"}, Call: "crm", Segments: trigger.Segments()})
	for _, w := range []interaction.Moment{
		"interaction_starts", "interaction_ends", "internal_transfer", "segment_change",
		"inbound.dequeue", "inbound.agent_connect", "inbound.agent_term", "inbound.call_end", "inbound.disposition", "inbound.transfer_term", "inbound.queue_event", "inbound.dtmf",
		"outbound.agent_connect", "outbound.agent_term", "outbound.call_end", "outbound.disposition", "outbound.transfer_term",
		"cloud_routing.start", "cloud_routing.connect", "cloud_routing.end", "track_number.call_end",
		"chat.new", "chat.dequeue", "chat.agent_connect", "chat.agent_term", "chat.end", "chat.disposition", "chat.queue_event", "survey",
		"agent_needed", "engage", "noengage", "engagement_result", "user_data_changed", "script_signal", "fault",
		"operator.delivery_failing", "operator.delivery_parked", "operator.breaker_open", "operator.receiver_recovered",
	} {
		assert.Contains(t, trigger.Moments(), w)
	}
	assert.Len(t, trigger.Moments(), 40)
}

func TestMistakes(t *testing.T) {
	cases := []struct {
		spec trigger.Spec
		want string
	}{
		{trigger.Spec{Call: "crm"}, "triggers[0].when: a trigger needs a moment; write when: interaction_starts, or another moment"},
		{trigger.Spec{Moments: []string{"interaction_start"}, Call: "crm"}, `triggers[0].when[0]: "interaction_start" is not a moment; did you mean interaction_starts?`},
		{trigger.Spec{Moments: []string{"survey"}, Call: "cmr"}, `triggers[0].call: there is no call "cmr"; did you mean crm? use crm, wallboard, billing`},
		{trigger.Spec{Moments: []string{"survey"}}, "triggers[0].call: a trigger needs a call; write the name of a call"},
		{trigger.Spec{Moments: []string{"segment_change"}, Call: "crm", Segments: []string{"handeling.agent"}}, `triggers[0].segments[0]: "handeling.agent" is not a segment; did you mean handling.agent?`},
		{trigger.Spec{Moments: []string{"segment_change"}, Call: "crm", From: []string{"wrap_up.channel"}}, `triggers[0].from[0]: "wrap_up.channel" is not a segment; it exists on agent`},
		{trigger.Spec{Moments: []string{"segment_change"}, Call: "crm", Legs: []string{"agents"}}, `triggers[0].legs[0]: "agents" is not a leg; did you mean agent? use channel, business_process, agent`},
		{trigger.Spec{Moments: []string{"survey"}, Call: "crm", Channels: []string{"voice"}}, `triggers[0].channels[0]: "voice" is not a channel; use inbound, outbound, cloud_routing, track_number, chat, email, sms, web`},
		{trigger.Spec{Moments: []string{"segment_change", "survey"}, Call: "crm", Legs: []string{"agent"}}, "triggers[0].legs: only segment_change has segments and legs, and when has survey too; write a separate trigger for segment_change"},
		{trigger.Spec{Moments: []string{"survey", "operator.delivery_parked"}, Call: "crm", Channels: []string{"chat"}}, `triggers[0].channels: operator.delivery_parked is about a receiver, not an interaction, and has no channels; remove it; if: 'event.call == "crm"' restricts the trigger to one call`},
		{trigger.Spec{Moments: []string{"operator.breaker_open"}, Call: "crm", Dispositions: []string{"SOLD"}}, `triggers[0].dispositions: operator.breaker_open is about a receiver, not an interaction, and has no dispositions; remove it; if: 'event.call == "crm"' restricts the trigger to one call`},
		{trigger.Spec{Moments: []string{"operator.breaker_open"}, Call: "crm", Segments: []string{"wrap_up"}}, "triggers[0].segments: only segment_change has segments and legs, and when has operator.breaker_open too; write a separate trigger for segment_change"},
		{trigger.Spec{Moments: []string{"survey"}, Call: "crm", If: "user_data.x = 1"}, "triggers[0].if: column 13: there is no single = in user_data.x = 1; compare with =="},
		{trigger.Spec{Moments: []string{"survey"}, Call: "crm", If: "interaction.id"}, "triggers[0].if: column 1: the result of the condition is string, not true or false in interaction.id; write a comparison, such as == \"x\""},
		{trigger.Spec{Moments: []string{"survey"}, Call: "crm", Queues: []string{""}}, "triggers[0].queues[0]: the name is empty; remove it"},
	}
	for _, c := range cases {
		t.Run(c.want, func(t *testing.T) {
			set, err := trigger.Compile([]trigger.Spec{c.spec}, calls)
			require.Nil(t, set)
			require.EqualError(t, err, c.want)
		})
	}
}

func TestIdlesReturnsMomentsAtWhichATriggerDoesNotFire(t *testing.T) {
	list := func(s ...string) []string { return s }
	change := func(s trigger.Spec) trigger.Spec { s.Moments = list("segment_change"); return s }
	const noLeg = "segment_change: no change of a leg matches segments, legs, from and to together"
	cases := []struct {
		name string
		spec trigger.Spec
		want []string
	}{
		{"any channel", trigger.Spec{Moments: list("survey", "chat.end")}, nil},
		{"a moment of every channel", trigger.Spec{Moments: list("survey"), Channels: list("chat")}, nil},
		{"another channel", trigger.Spec{Moments: list("chat.end"), Channels: list("inbound", "email")},
			list("chat.end: it is a moment of chat, and channels has only inbound, email")},
		{"one of two moments", trigger.Spec{Moments: list("inbound.dequeue", "chat.dequeue"), Channels: list("chat")},
			list("inbound.dequeue: it is a moment of inbound, and channels has only chat")},
		{"a disposition at the start", trigger.Spec{Moments: list("interaction_ends", "interaction_starts"), Dispositions: list("SOLD")},
			list("interaction_starts: there is no disposition when an interaction starts")},
		{"no filter", change(trigger.Spec{}), nil},
		{"a segment on its leg", change(trigger.Spec{Segments: list("wrap_up"), Legs: list("agent", "channel")}), nil},
		{"a segment on a leg that has none", change(trigger.Spec{Segments: list("wrap_up", "consulting"), Legs: list("channel")}), list(noLeg)},
		{"a segment that is on another leg", change(trigger.Spec{Segments: list("handling.agent"), Legs: list("business_process")}), list(noLeg)},
		{"segments and to that differ", change(trigger.Spec{Segments: list("handling"), To: list("wrap_up")}), list(noLeg)},
		{"from one leg to another", change(trigger.Spec{From: list("agent_selecting"), To: list("wrap_up")}), list(noLeg)},
		{"from and to on one leg", change(trigger.Spec{From: list("handling"), To: list("agent_selecting")}), nil},
		{"from legs apart", change(trigger.Spec{From: list("handling.agent"), To: list("agent_selecting")}), list(noLeg)},
		{"out of the end", change(trigger.Spec{From: list("interaction_ends")}), list(noLeg)},
		{"into the start", change(trigger.Spec{From: list("offered"), To: list("interaction_starts")}), list(noLeg)},
		{"from where it is", change(trigger.Spec{From: list("handling"), To: list("handling")}), list(noLeg)},
		{"an agent's segment of a tracked number", change(trigger.Spec{Segments: list("handling.agent"), Channels: list("track_number", "cloud_routing")}),
			list("(segment_change): track_number, cloud_routing is handled without an agent: it fires only if the platform assigns one")},
		{"and of a call too", change(trigger.Spec{Segments: list("handling.agent"), Channels: list("track_number", "inbound")}), nil},
		{"any leg of a tracked number", change(trigger.Spec{Segments: list("handling"), Channels: list("track_number")}), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, idle := range c.spec.Idles() {
				when := string(idle.Moment)
				if idle.Rarely {
					when = "(" + when + ")"
				}
				got = append(got, when+": "+idle.Why)
			}
			assert.Equal(t, c.want, got)
		})
	}
}
