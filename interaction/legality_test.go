package interaction_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// situations bring an interaction into each state: a call, unless only another channel has
// the state; a1 is the agent.
var situations = []struct {
	state string
	start string
	given []string
}{
	{"started", sales, nil},
	{"queued", sales, queued},
	{"offered", sales, ringing},
	{"dialing", start("outbound"), []string{`dial {"agent":"a1"}`}},
	{"handling", sales, talking},
	{"on hold", sales, after(talking, `hold`)},
	{"consulting", sales, consulted},
	{"conference", sales, conferred},
	{"conference on hold", sales, after(conferred, `hold {"agent":"a1"}`)},
	{"in_workbin", sales, after(talking, `place_in_workbin {"workbin":"w"}`)},
	{"wrap_up", sales, wrapping},
	{"async wrap_up", email, wrapping},
	{"engaging", web, []string{`engage {"ixnProfile":{}}`}},
	{"composing", draft, nil},
	{"completed", sales, after(queued, `abandon`)},
	{"lingering", sales, after(wrapping, `complete`)},
}

// legalIn is where each command is legal, by the contract, with a payload that fits. + means
// any state but completed; lingering means while it takes late events.
var legalIn = []struct {
	line   string
	states string
}{
	{`place_in_queue {"queue":"q"}`, "started queued offered handling consulting conference in_workbin composing async_wrap_up"},
	{`offer {"agent":"a5"}`, "started queued in_workbin engaging offered"},
	{`accept {"agent":"a1"}`, "offered started queued in_workbin"},
	{`reject {"agent":"a1"}`, "offered"},
	{`dial`, "started handling dialing"},
	{`connect`, "started dialing"},
	{`disconnect`, "+"},
	{`abandon`, "started queued offered in_workbin"},
	{`consult {"to":{"agent":"a5"}}`, "handling"},
	{`conference {"agent":"a5"}`, "handling consulting conference"},
	{`leave {"agent":"a1"}`, "consulting conference wrap_up async_wrap_up"},
	// To an agent or a number not in queued: TestErrorsNameTheRemedy.
	{`transfer {"to":{"queue":"q"}}`, "queued handling consulting conference composing"},
	{`hold`, "handling consulting conference"},
	{`retrieve`, "on_hold consulting conference_on_hold"},
	{`place_in_workbin {"workbin":"w"}`, "handling composing async_wrap_up"},
	// "any once an agent had a leg": no agent had one in started, queued and engaging here.
	{`set_disposition {"code":"c"}`, "offered dialing handling consulting conference in_workbin wrap_up async_wrap_up composing lingering"},
	{`attach_user_data {"user_data":{}}`, "+ lingering"},
	{`update_user_data {"user_data":{}}`, "+ lingering"},
	{`delete_user_data {"keys":["a"]}`, "+ lingering"},
	{`set_attributes {}`, "+"},
	{`survey {"answers":{}}`, "+ lingering"},
	{`queue_event {"event":"e"}`, "+"},
	{`dtmf {"digits":"1"}`, "+"},
	{`script_signal {}`, "+"},
	{`signal_added {"name":"s"}`, "+"},
	{`signal_removed {"name":"s"}`, "+"},
	{`engage {"ixnProfile":{}}`, "started engaging"},
	{`noengage {"cancelData":{}}`, "started engaging"},
	{`engagement_result {"result":"declined"}`, "engaging"},
	{`reply`, "handling"},
	{`complete`, "+"},
	{`cancel`, "+"},
	{`segment_change {"segment":"handled"}`, "+"},
}

// onHold is the state of a situation with a customer on hold.
var onHold = map[string]string{"on_hold": "handling", "conference_on_hold": "conference"}

func TestCommandsAreLegalInTheStatesOfTheLifecycle(t *testing.T) {
	var names []string
	for _, command := range legalIn {
		name, _, _ := strings.Cut(command.line, " ")
		names = append(names, name)
	}
	require.Equal(t, interaction.Commands(), names, "the table has every command")

	for _, situation := range situations {
		for n, c := range legalIn {
			s := opened(t, situation.start)
			s.do(situation.given...)
			open := !s.i.Completed()
			state := strings.ReplaceAll(situation.state, " ", "_")
			listed := strings.Fields(c.states)
			want := slices.Contains(listed, state) || slices.Contains(listed, onHold[state]) || open && slices.Contains(listed, "+")
			err := s.i.Check(command(t, c.line))
			require.Equal(t, want, err == nil, "%s in %s: %v", names[n], situation.state, err)
			require.Equal(t, want, slices.Contains(s.i.Capabilities(), names[n]), "%s in %s", names[n], situation.state)
			if !want {
				var illegal *interaction.IllegalError
				require.ErrorAs(t, err, &illegal)
				require.Equal(t, s.i.Capabilities(), illegal.Legal)
			}
		}
	}
}

func TestWhatAgentsMayDo(t *testing.T) {
	own := "place_in_queue dial disconnect consult conference transfer hold place_in_workbin set_disposition " +
		"attach_user_data update_user_data delete_user_data set_attributes script_signal reply complete"
	partaking := "set_disposition attach_user_data update_user_data delete_user_data set_attributes script_signal"
	for _, c := range []struct {
		name  string
		start string
		given []string
		agent string
		want  string
	}{
		{"nobody's yet", sales, nil, "a1", "accept dial"},
		{"in a queue", sales, queued, "a1", "accept"},
		{"offered", sales, ringing, "a1", "accept reject"},
		{"offered to another", sales, ringing, "a2", ""},
		{"assigned", start("outbound", `"agent":"a1"`), nil, "a1",
			"place_in_queue accept dial disconnect set_disposition attach_user_data update_user_data delete_user_data set_attributes script_signal complete"},
		{"assigned to another", start("outbound", `"agent":"a1"`), nil, "a2", ""},
		{"owned", sales, talking, "a1", own},
		{"on hold", sales, after(talking, `hold`), "a1", own + " retrieve"},
		{"another put it on hold", sales, after(conferred, `hold {"agent":"a2"}`), "a1",
			"leave " + strings.NewReplacer(" consult ", " ", " dial ", " ", " reply ", " ", " place_in_workbin ", " ").Replace(own)},
		{"consulting", sales, consulted, "a1",
			"leave retrieve " + strings.NewReplacer(" consult ", " ", " dial ", " ", " reply ", " ", " place_in_workbin ", " ").Replace(own)},
		{"another's", sales, talking, "a2", ""},
		{"consulted", sales, consulted, "a2", "leave " + partaking},
		{"in a conference", sales, conferred, "a2", "disconnect leave " + partaking},
		{"passed on", sales, after(talking, `transfer {"to":{"agent":"a2"},"wrap_up":true}`), "a1", "disconnect leave " + partaking},
		{"a draft", draft, nil, "a1", "place_in_queue disconnect transfer place_in_workbin " + partaking + " complete cancel"},
		{"another's draft", draft, nil, "a2", ""},
		{"lingering", sales, after(wrapping, `complete`), "a1", "set_disposition attach_user_data update_user_data delete_user_data"},
		{"lingering, another agent", sales, after(wrapping, `complete`), "a2", ""},
	} {
		s := opened(t, c.start)
		s.do(c.given...)
		got := s.i.CapabilitiesFor(interaction.Actor{ID: c.agent, Role: interaction.RoleAgent})
		want := strings.Fields(c.want)
		ordered := slices.DeleteFunc(interaction.Commands(), func(name string) bool { return !slices.Contains(want, name) })
		require.Equal(t, append([]string{}, ordered...), got, c.name)
	}
}

// By role, the commands that nobody of the role may give, whatever the state.
var (
	notForAgents = strings.Fields("offer connect abandon survey queue_event dtmf signal_added signal_removed engage noengage engagement_result segment_change")
	// Lifecycle and faces: what the platform or a script reports, and no person decides.
	notForSupervisors = strings.Fields("connect abandon survey queue_event dtmf signal_added signal_removed engage noengage engagement_result segment_change")
)

func TestSupervisorsMayDoWhatThePlatformMayExceptReport(t *testing.T) {
	for _, situation := range situations {
		s := opened(t, situation.start)
		s.do(situation.given...)
		all := s.i.Capabilities()
		require.Equal(t, all, s.i.CapabilitiesFor(interaction.Actor{ID: "s", Role: interaction.RoleAdmin}))
		decided := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(notForSupervisors, name) })
		require.Equal(t, decided, s.i.CapabilitiesFor(interaction.Actor{ID: "s", Role: interaction.RoleSupervisor}), situation.state)
	}
}

func TestPresentListsTheAgentsWithAnOpenLeg(t *testing.T) {
	for _, c := range []struct {
		given []string
		want  []string
	}{
		{queued, nil},
		{ringing, []string{"a1"}},
		{after(queued, `offer {"agents":["a2","a1"]}`), []string{"a2", "a1"}},
		{conferred, []string{"a1", "a2"}},
		{after(conferred, `conference {"agent":"a3"}`, `leave {"agent":"a1"}`), []string{"a2", "a3"}},
		{after(talking, `transfer {"to":{"agent":"a2"},"wrap_up":true}`), []string{"a2", "a1"}},
		{wrapping, []string{"a1"}},
		{after(talking, `place_in_workbin {"workbin":"w"}`), nil},
		{after(wrapping, `complete`), nil},
	} {
		s := opened(t, sales)
		s.do(c.given...)
		require.Equal(t, c.want, s.i.Present())
		require.Subset(t, append(s.i.Involved(), ""), s.i.Present())
	}
}

func TestErrorsNameTheRemedy(t *testing.T) {
	for _, c := range []struct {
		start string
		given []string
		line  string
		want  string
	}{
		{sales, after(wrapping, `complete`), `accept {"agent":"a1"}`,
			"accept is not legal in state completed: the interaction ended as handled at 2026-03-01T09:00:50Z, by complete; legal: set_disposition, attach_user_data, update_user_data, delete_user_data, survey"},
		{sales, after(talking, `segment_change {"segment":"handled"}`), `hold`, "the interaction ended as handled at 2026-03-01T09:00:40Z, by segment_change to handled; "},
		{sales, after(wrapping, `[wrap_up_timeout] {"agent":"a1"}`), `hold`, "the interaction ended as handled at 2026-03-01T09:00:50Z, by the wrap_up timer; "},
		{sales, after(queued, `[queue_timeout]`), `survey {"answers":{}}`, "survey is not legal in state completed: the interaction ended as overflowed at 2026-03-01T09:00:20Z, by the queue timer; no command is legal any more"},
		{sales, []string{`[lifetime_timeout]`}, `dial`, "the interaction ended as expired at 2026-03-01T09:00:10Z, by the lifetime timer; "},
		{sales, []string{`[workflow_cancel]`}, `dial`, "the interaction ended as canceled at 2026-03-01T09:00:10Z, by a cancellation of its workflow; "},
		{sales, talking, `retrieve`, "retrieve is not legal in state handling: the customer is not on hold; legal: "},
		{sales, talking, `retrieve {"by":{"id":"a1","role":"agent"}}`, "retrieve is not legal in state handling: the customer is not on hold; legal: "},
		{sales, after(conferred, `hold {"agent":"a1"}`), `retrieve {"agent":"a2"}`, "retrieve is not legal in state conference: a2 has not put the customer on hold; legal: "},
		{sales, after(talking, `hold`, `retrieve`), `retrieve`, "the customer is not on hold"},
		{sales, after(queued, `abandon`), `accept {"agent":"a1"}`, "accept is not legal in state completed: the interaction ended as abandoned at 2026-03-01T09:00:20Z, by abandon; no command is legal any more"},
		{sales, ringing, `accept {"agent":"a9"}`, "accept is not legal in state offered: the interaction is not offered to a9; legal: place_in_queue, offer, accept,"},
		{sales, talking, `transfer {"to":{"agent":"a1"}}`, "transfer is not legal in state handling: a1 already has the interaction; legal: "},
		{sales, queued, `transfer {"to":{"agent":"a1"}}`, "transfer is not legal in state queued: no agent has the interaction; send {\"queue\": …} to move it, or offer it to an agent; legal: place_in_queue, "},
		{sales, queued, `transfer {"to":{"number":"+49"}}`, "transfer is not legal in state queued: no agent has the interaction"},
		{sales, queued, `transfer {"mode":"consult"}`, "transfer is not legal in state queued: nobody is consulted"},
		{sales, queued, `transfer {}`, "transfer: to: is missing"},
		{sales, queued, `transfer {"to":{"queue":"backup"},"by":{"id":"a1","role":"agent"}}`, "transfer is not legal in state queued: a1 does not own the interaction"},
		{sales, queued, `place_in_queue {"queue":"backup","by":{"id":"a1","role":"agent"}}`, "place_in_queue is not legal in state queued: a1 does not own the interaction"},
		{sales, talking, `transfer {"mode":"consult"}`, "transfer is not legal in state handling: nobody is consulted; legal: "},
		{sales, talking, `complete {"by":{"id":"a2","role":"agent"}}`, "complete is not legal in state handling: a2 does not own the interaction; no command is legal for this actor"},
		{sales, talking, `cancel {"by":{"id":"a1","role":"agent"}}`, "cancel is not legal in state handling: agents may only cancel drafts; legal: place_in_queue, "},
		{sales, ringing, `accept {"agent":"a1","by":{"id":"a2","role":"agent"}}`, "accept is not legal in state offered: the interaction is not offered to a2"},
		{sales, talking, `hold {"agent":"a2","by":{"id":"a1","role":"agent"}}`, "hold is not legal in state handling: a1 may not act for a2"},
		{sales, talking, `segment_change {"segment":"handled","by":{"id":"a1","role":"agent"}}`, "segment_change is not legal in state handling: agents may not give this command"},
		{start("cloud_routing"), []string{"connect"}, `consult {"to":{"agent":"a2"}}`, "consult is not legal in state handling: no agent has the interaction"},
		{sales, talking, `set_disposition {"code":"x","agent":"a9"}`, `set_disposition: agent: "a9": never had a leg of this interaction; name an agent who had one`},
		{sales, talking, `transfer {}`, `transfer: to: is missing; send one of {"agent": …}, {"queue": …}, {"number": …}`},
		{sales, talking, `conference {}`, `conference: agent: is missing; name the agent or party that joins`},
		{sales, ringing, `accept {}`, `accept: agent: is missing; send the agent's id, or {"id": …, "name": …}`},
		{sales, talking, `consult {"to":{"queue":"q"}}`, `consult: to.queue: "q": a queue cannot be consulted; name an agent or a number`},
		{sales, talking, `segment_change {"segment":"handling"}`, `segment_change: leg: is missing; name the leg of handling: channel, business_process or agent`},
	} {
		s := opened(t, c.start)
		s.do(c.given...)
		_, err := s.try(c.line)
		require.ErrorContains(t, err, c.want)
	}
}

func TestMovesIsAboutOtherStates(t *testing.T) {
	for command, want := range map[string]bool{"transfer": true, "disconnect": true, "complete": true, "hold": false, "survey": false, "segment_change": false, "offer": false, "ring": false} {
		require.Equal(t, want, interaction.Moves(command, interaction.StateHandling), command)
	}
}
