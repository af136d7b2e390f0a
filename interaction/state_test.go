package interaction_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func TestStatusHasTheFieldsOfTheContract(t *testing.T) {
	s := opened(t, start("inbound", `"queue":"sales","ani":"+1","dnis":"+2","customer":{"vip":true},"user_data":{"a":1},"business_process":"retail","native_id":"n"`))
	s.do(`offer {"agents":[{"id":"a1","name":"Ann","team":"red"},"a2"]}`)
	require.Equal(t, []interaction.Agent{{ID: "a1", Name: "Ann", Fields: map[string]any{"team": "red"}}, {ID: "a2"}}, s.i.Status().OfferedTo)
	s.do(`accept {"agent":"a1"}`, `hold`, `consult {"to":{"agent":"a2"}}`)
	status := s.i.Status()
	status.Capabilities = []string{"…"}
	require.JSONEq(t, `{"id":"i1","contact_center":"cc","channel":"inbound","direction":"inbound","state":"consulting","business_process":"retail",
		"queue":"sales","ani":"+1","dnis":"+2","native_id":"n","customer":{"vip":true},"started_at":"2026-03-01T09:00:00Z","connected_at":"2026-03-01T09:00:20Z",
		"agent":{"id":"a1","name":"Ann","team":"red"},
		"participants":[{"agent":{"id":"a1","name":"Ann","team":"red"},"role":"owner","segment":"consulting","held":true},
			{"agent":{"id":"a2"},"role":"consulted","segment":"consulting","held":false}],
		"offered_to":[],"sequence":`+fmt.Sprint(status.Sequence)+`,"capabilities":["…"],"user_data":{"a":1},"signals":[]}`, asJSON(t, status))

	s.do(`conference {"party":"+49"}`, `transfer {"to":{"agent":{"id":"a2","name":"Bo"}}}`)
	status = s.i.Status()
	require.Equal(t, "Bo", status.Agent.Name, "a later report adds to an agent")
	require.Equal(t, "a1", status.PreviousAgent.ID)
}

func TestTheLastOwnerIsKeptAfterTheEnd(t *testing.T) {
	s := opened(t, sales)
	turn := s.do(after(wrapping, `complete {"disposition":{"code":"SOLD"}}`)...).Turn
	require.Equal(t, "a1", turn.View.Agent.ID)
	require.Equal(t, "a1", turn.Events[len(turn.Events)-1].Agent.ID)
	require.Equal(t, "SOLD", turn.View.Disposition.Code)
}

func TestACompletedInteractionTakesLateDataIfAgentsTookPart(t *testing.T) {
	s := opened(t, sales)
	s.do(after(wrapping, `complete`)...)
	require.True(t, s.i.Lingers())
	s.do(`[late_events_timeout]`)
	require.False(t, s.i.Lingers())
	require.Empty(t, s.i.Capabilities())

	for name, c := range map[string]struct {
		start string
		given []string
	}{
		"a disposition was given at the end": {sales, after(talking, `complete {"disposition":{"code":"SOLD"}}`)},
		"or while it was wrapped up":         {sales, after(wrapping, `set_disposition {"code":"SOLD"}`, `[wrap_up_timeout] {"agent":"a1"}`)},
		"an agent had it before":             {sales, after(talking, queued[0], `abandon`)},
		"it was transferred to a number":     {chat, after(talking, `transfer {"to":{"number":"+49"}}`, `disconnect`)},
		"it is canceled":                     {email, after(talking, `[workflow_cancel]`)},
		"it is a draft":                      {draft, []string{`complete`}},
	} {
		s = opened(t, c.start)
		s.do(c.given...)
		require.True(t, s.i.Lingers(), name)
		require.Equal(t, interaction.LateEventsTimeout, s.i.Timers()[0].Name, name)
		ended := *s.i.Facts().EndedAt
		s.do(`update_user_data {"user_data":{"recording_url":"https://rec.example.com/1.wav"}}`, `survey {"answers":{"csat":5}}`, `set_disposition {"code":"LOST"}`)
		require.True(t, s.i.Lingers(), "%s: later data is taken, too", name)
		require.Equal(t, ended, *s.i.Facts().EndedAt, name)
	}

	for name, given := range map[string][]string{
		"no agent had it": after(queued, `abandon`),
		"an agent to whom it was only offered took no part": after(ringing, `abandon`),
		"nor an agent to whom it was only assigned":         {`segment_change {"segment":"interaction_starts.agent","agent":"a1"}`, `[lifetime_timeout]`},
	} {
		s = opened(t, sales)
		s.do(given...)
		require.False(t, s.i.Lingers(), name)
	}
}

func TestDurationsAndTimeline(t *testing.T) {
	s := opened(t, sales) // ten seconds between the commands
	turn := s.do(after(queued, `offer {"agents":["a1","a2"]}`, `accept {"agent":"a1"}`, `hold`, `retrieve`, `disconnect`, `complete`)...).Turn
	require.Equal(t, interaction.Durations{Queue: 10, Offer: 10, Handle: 30, Hold: 10, WrapUp: 10, Total: 70}, turn.View.Durations)

	var lines []string
	for _, span := range s.i.Timeline() {
		line := fmt.Sprintf("%s<%s %s %s%s %v", span.Segment, span.From, span.Leg, span.Agent, span.Queue, span.Start.Sub(begin).Seconds())
		lines = append(lines, fmt.Sprintf("%s-%v", line, span.End.Sub(begin).Seconds()))
	}
	require.Equal(t, []string{
		"interaction_starts< channel  0-20", "interaction_starts< business_process sales 0-10", "agent_selecting<interaction_starts business_process sales 10-20",
		"interaction_starts< agent a1 20-20", "offered<interaction_starts agent a1 20-30", "interaction_starts< agent a2 20-20", "offered<interaction_starts agent a2 20-30",
		"offered<agent_selecting business_process sales 20-30", "offered<interaction_starts channel  20-30", "interaction_ends<offered agent a2 30-30",
		"handling<offered agent a1 30-60", "handling<offered business_process sales 30-60", "handling<offered channel  30-60", "wrap_up<handling agent a1 60-70",
		"handled<handling business_process sales 60-70", "interaction_ends<handling channel  60-60", "interaction_ends<wrap_up agent a1 70-70",
		"interaction_ends<handled business_process sales 70-70",
	}, lines)
}

func TestEventTimesAreNeitherInTheFutureNorBeforeTheStart(t *testing.T) {
	s := opened(t, sales)
	at := func(line string) time.Time { return s.do(line).Turn.Events[0].At }
	require.Equal(t, begin.Add(5*time.Second), at(`place_in_queue {"queue":"sales","at":"2026-03-01T10:00:05+01:00"}`))
	require.Equal(t, begin.Add(20*time.Second), at(`offer {"agent":"a1","at":"2030-01-01T00:00:00Z"}`))
	require.Equal(t, begin.Add(20*time.Second), at(`accept {"agent":"a1","at":"1999-01-01T00:00:00Z"}`), "a late report does not set the timeline back")
	require.Equal(t, 15.0, s.i.View(begin.Add(time.Minute)).Durations.Queue)

	s = opened(t, start("chat", `"at":"2026-03-01T08:59:55Z"`))
	require.Equal(t, begin.Add(-5*time.Second), s.i.Facts().StartedAt)
	require.Equal(t, begin.Add(-5*time.Second), at(`accept {"agent":"a1","at":"1999-01-01T00:00:00Z"}`), "nor is it before the start")
	require.Equal(t, 0.0, s.i.View(begin.Add(-time.Hour)).Durations.Total)
}

// TestTheTimesOfACall takes a call through two queues and two agents, with ten seconds between
// the commands.
func TestTheTimesOfACall(t *testing.T) {
	s := opened(t, sales)
	facts := func() string {
		f := s.i.Facts()
		var text []string
		for _, at := range []time.Time{f.EnqueuedAt, f.DequeuedAt, f.ConnectedAt, f.DisconnectedAt} {
			if at.IsZero() {
				text = append(text, "-")
				continue
			}
			text = append(text, fmt.Sprint(at.Sub(begin).Seconds()))
		}
		return strings.Join(text, " ")
	}
	for _, step := range [][2]string{ // enqueued, dequeued, connected, disconnected
		{`place_in_queue {"queue":"sales"}`, "10 - - -"},
		{`offer {"agent":"a1"}`, "10 20 - -"},
		{`reject {"agent":"a1"}`, "10 - - -"},
		{`[queue_timeout] {"Overflow":"backup"}`, "40 - - -"},
		{`accept {"agent":"a2"}`, "40 50 50 -"},
		{`transfer {"to":{"agent":"a3"}}`, "40 50 50 -"},
		{`disconnect`, "40 50 50 70"},
		{`complete`, "40 50 50 70"},
	} {
		s.do(step[0])
		require.Equal(t, step[1], facts(), step[0])
	}

	s = opened(t, start("cloud_routing"))
	s.do(`connect`)
	require.Equal(t, "- - 10 -", facts())
	s.do(`disconnect`)
	require.Equal(t, "- - 10 20", facts())
}

func TestADequeueHasItsQueueAndItsAgent(t *testing.T) {
	dequeue := func(s *player, lines ...string) interaction.Event {
		for _, event := range s.do(lines...).Turn.Events {
			if event.Moment == "inbound.dequeue" {
				return event
			}
		}
		require.Fail(t, "no dequeue")
		return interaction.Event{}
	}
	waited := func(reason string) map[string]any {
		return map[string]any{"reason": reason, "enqueued_at": "2026-03-01T09:00:10Z", "dequeued_at": "2026-03-01T09:00:20Z"}
	}
	event := dequeue(opened(t, sales), after(queued, `[queue_timeout] {"Overflow":"backup"}`)...)
	require.Equal(t, "sales", event.Queue)
	require.Nil(t, event.Agent)
	require.Equal(t, "2026-03-01T09:00:20Z", event.Fields["dequeued_at"])
	require.Equal(t, "2026-03-01T09:00:10Z", event.Fields["enqueued_at"], "not when it entered the next queue")

	event = dequeue(opened(t, sales), after(queued, `accept {"agent":{"id":"a1","name":"Ann"}}`)...)
	require.Equal(t, "Ann", event.Agent.Name)
	event = dequeue(opened(t, sales), after(queued, `offer {"agents":["a1","a2"]}`)...)
	require.Nil(t, event.Agent, "it is not known yet which of them")
	require.Subset(t, event.Fields, waited("offered"))
	event = dequeue(opened(t, sales), after(ringing, `reject {"agent":"a1"}`, `offer {"agent":"a2"}`)...)
	require.Equal(t, "a2", event.Agent.ID)
	require.Equal(t, "2026-03-01T09:00:10Z", event.Fields["enqueued_at"], "a refused offer does not enqueue it again")
}

func TestAnInternalTransferNamesItsTarget(t *testing.T) {
	s := opened(t, sales)
	s.do(talking...)
	event := s.do(`transfer {"to":{"agent":{"id":"a2","name":"Bo","team":"red"}},"by":{"id":"a1","role":"agent"}}`).Turn.Events[0]
	require.Equal(t, "a1", event.Agent.ID)
	require.Equal(t, map[string]any{"id": "a2", "name": "Bo", "team": "red"}, event.Fields["to_agent"])
	event = s.do(`transfer {"to":{"queue":"backup"}}`).Turn.Events[0]
	require.Equal(t, "a2", event.Agent.ID)
	require.Equal(t, "backup", event.Fields["to_queue"])
	s.do(`accept {"agent":"a3"}`)
	event = s.do(`place_in_queue {"queue":"sales","by":{"id":"a3","role":"agent"}}`).Turn.Events[0]
	require.EqualValues(t, "internal_transfer", event.Moment)
	require.Equal(t, "sales", event.Fields["to_queue"])
}

func TestEventsOfAnAgentHaveTheSession(t *testing.T) {
	s := opened(t, sales)
	session := func(moment string, lines ...string) string {
		for _, event := range s.do(lines...).Turn.Events {
			if string(event.Moment) != moment {
				continue
			}
			if event.Session == nil {
				return "none"
			}
			text := fmt.Sprint(event.Session.ConnectedAt.Sub(begin).Seconds(), "-")
			if !event.Session.EndedAt.IsZero() {
				text += fmt.Sprint(event.Session.EndedAt.Sub(begin).Seconds())
			}
			return event.Agent.ID + " " + text
		}
		return ""
	}
	require.Equal(t, "a1 30-", session("inbound.agent_connect", talking...))
	require.Equal(t, "a1 30-40", session("inbound.agent_term", `transfer {"to":{"agent":"a2"}}`))
	require.Equal(t, "a2 40-50", session("inbound.transfer_term", `disconnect`))
	require.Equal(t, "a1 30-40", session("inbound.disposition", `set_disposition {"code":"x","agent":"a1"}`), "also after the agent left")
	require.Equal(t, "a2 40-50", session("interaction_ends", `complete`))
	require.Equal(t, "none", func() string {
		s = opened(t, sales)
		return session("interaction_ends", after(ringing, `reject {"agent":"a1","final":true}`)...)
	}())
}

func TestALongTimelineDropsOldEntriesButKeepsDurations(t *testing.T) {
	s := opened(t, sales)
	s.do(queued...)
	for range 200 {
		s.do(`offer {"agent":"a1"}`, `reject {"agent":"a1"}`)
	}
	require.Len(t, s.i.Timeline(), 1000+2)
	durations := s.i.View(s.now).Durations
	require.Equal(t, 2000.0, durations.Offer)
	require.Equal(t, 2000.0, durations.Queue)
	require.Equal(t, begin.Add(20*time.Second), s.i.Timeline()[0].Start, "open segments are shown, however old")
}

func TestTimersFollowTheState(t *testing.T) {
	running := func(s *player) []string {
		var timers []string
		for _, timer := range s.i.Timers() {
			text := fmt.Sprintf("%s %v", strings.TrimSpace(timer.Name+" "+timer.Agent), timer.Since.Sub(begin).Seconds())
			if timer.Timeout > 0 {
				text += " " + timer.Timeout.String()
			}
			timers = append(timers, text)
		}
		return timers
	}
	s := opened(t, sales)
	require.Equal(t, []string{"lifetime_timeout 0"}, running(s))
	s.do(queued...)
	require.Equal(t, []string{"queue_timeout 10", "lifetime_timeout 0"}, running(s))
	s.do(`offer {"agent":"a1","timeout":"45s","at":"2026-03-01T09:00:00Z"}`)
	require.Equal(t, []string{"offer_timeout 20 45s", "lifetime_timeout 0"}, running(s), "by Segue's clock, not the source's")
	s.do(`offer {"agent":"a2"}`)
	require.Equal(t, []string{"offer_timeout 30", "lifetime_timeout 0"}, running(s))
	s.do(`reject {"agent":"a2"}`)
	require.Equal(t, []string{"queue_timeout 10", "lifetime_timeout 0"}, running(s), "the queue's timer ran through the offers")
	s.do(`accept {"agent":"a1"}`, `transfer {"to":{"queue":"sales"},"wrap_up":true}`)
	require.Equal(t, []string{"queue_timeout 60", "wrap_up_timeout a1 60", "lifetime_timeout 0"}, running(s))
	s.do(`complete`)
	require.Equal(t, []string{"late_events_timeout 70"}, running(s))
	s.do(`set_disposition {"code":"x"}`)
	require.Equal(t, []string{"late_events_timeout 70"}, running(s), "the window does not move")
	s.do(`[late_events_timeout]`)
	require.Empty(t, running(s))
}

func TestEveryNumberSurvivesContinueAsNew(t *testing.T) {
	s := opened(t, start("email", `"customer":{"id":12345678901234567890,"rate":0.1}`))
	s.do(`accept {"agent":{"id":"a1","badge":98765432109876543210}}`, `update_user_data {"user_data":{"n":[1,2.5,9007199254740993]}}`, `place_in_workbin {"workbin":{"id":12345678901234567891}}`)
	next := carriedOver(t, s.i)
	require.Equal(t, s.i.Status(), next.Status())
	require.Equal(t, json.Number("9007199254740993"), next.Status().UserData["n"].([]any)[2])
}

func TestTheDiagramHasEveryTransition(t *testing.T) {
	diagram := interaction.Diagram()
	require.True(t, strings.HasPrefix(diagram, "stateDiagram-v2\n"))
	for _, line := range []string{
		"    started --> queued: place_in_queue", "    offered --> handling: accept", "    offered --> dialing: accept",
		"    handling --> wrap_up: disconnect", "    wrap_up --> completed: disconnect, leave, complete, cancel, [wrap_up_timeout], [lifetime_timeout], [workflow_cancel]",
		"    completed --> [*]",
	} {
		require.Contains(t, diagram, line)
	}
	require.Equal(t, diagram, interaction.Diagram())
	for _, name := range interaction.Commands() {
		require.True(t, interaction.IsCommand(name))
	}
	require.False(t, interaction.IsCommand("offer_timeout"))
	require.False(t, interaction.IsCommand("start"))
}

func TestAllMomentsAreListed(t *testing.T) {
	want := strings.Fields(`interaction_starts interaction_ends internal_transfer segment_change
		inbound.dequeue inbound.agent_connect inbound.agent_term inbound.call_end inbound.disposition inbound.transfer_term inbound.queue_event inbound.dtmf
		outbound.agent_connect outbound.agent_term outbound.call_end outbound.disposition outbound.transfer_term
		cloud_routing.start cloud_routing.connect cloud_routing.end track_number.call_end
		chat.new chat.dequeue chat.agent_connect chat.agent_term chat.end chat.disposition chat.queue_event
		survey agent_needed engage noengage engagement_result user_data_changed script_signal`)
	var got []string
	for _, moment := range interaction.AllMoments() {
		got = append(got, string(moment))
	}
	require.ElementsMatch(t, want, got)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(got))), len(got))
}

func TestEventsHaveTheFieldsOfTheCommand(t *testing.T) {
	s := opened(t, sales)
	event := s.do(`queue_event {"event":"e","rank":3,"event_id":"x","by":{"id":"p","role":"platform"}}`).Turn.Events[0]
	require.Equal(t, map[string]any{"event": "e", "rank": 3.0}, event.Fields)
	require.Equal(t, "queue_event", event.Command)
	require.Equal(t, "sales", event.Queue)
}

func TestAgentsAreRememberedWithinBounds(t *testing.T) {
	s := opened(t, sales)
	s.do(talking...)
	s.do(queued...)
	for n := range 300 {
		s.do(fmt.Sprintf(`offer {"agent":"x%d"}`, n), fmt.Sprintf(`reject {"agent":"x%d"}`, n))
	}
	s.do(`set_disposition {"code":"c","agent":"a1"}`)
	_, err := s.try(`set_disposition {"code":"c","agent":"x0"}`)
	require.ErrorContains(t, err, "never had a leg", "agents who took part are kept, those who only rejected are forgotten first")
	require.Less(t, len(asJSON(t, s.i)), 300<<10)
}

func TestSchemasAreStable(t *testing.T) {
	schemas := interaction.Schemas()
	require.Equal(t, asJSON(t, schemas), asJSON(t, interaction.Schemas()))
	require.ElementsMatch(t, append(interaction.Commands(), "start"), slices.Collect(maps.Keys(schemas)))
}
