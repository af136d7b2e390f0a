package interaction_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// step is a command of a scenario and its result: the state, the owner, the participants with
// their roles, the moments that fire besides segment_change (with the agent if they are about
// one), and the segments that are entered, by leg.
type step struct {
	command, state, owner, participants, fired, segments string
}

// scenario is a sequence of commands for an interaction that ada got from the queue sales. The
// expected results are written by hand, from the contract; the tables of docs/lifecycle.md
// are drawn from what the state machine did.
type scenario struct {
	name  string
	given []string
	steps []step
}

const byAda, bySue = `"by":{"id":"ada","role":"agent"}`, `"by":{"id":"sue","role":"supervisor"}`

var (
	fromQueue = []string{`place_in_queue {"queue":"sales"}`, `offer {"agent":"ada"}`, `accept {"agent":"ada"}`}
	pulled    = []string{`accept {"agent":"ada"}`}
)

var scenarios = []scenario{
	{"Consult, then return", fromQueue, []step{
		{`consult {"to":{"agent":"bob"},` + byAda + `}`, "consulting", "ada", "ada owner, bob consulted", "", "ada: consulting; bob: interaction_starts, consulting"},
		{`retrieve {` + byAda + `}`, "handling", "ada", "ada owner", "", "bob: interaction_ends; ada: handling"},
	}},
	{"Consult, and the other leaves", fromQueue, []step{
		{`consult {"to":{"agent":"bob"}}`, "consulting", "ada", "ada owner, bob consulted", "", "ada: consulting; bob: interaction_starts, consulting"},
		{`leave {"agent":"bob"}`, "handling", "ada", "ada owner", "", "bob: interaction_ends; ada: handling"},
	}},
	{"Consult, and the owner leaves", fromQueue, []step{
		{`consult {"to":{"agent":"bob"}}`, "consulting", "ada", "ada owner, bob consulted", "", "ada: consulting; bob: interaction_starts, consulting"},
		{`leave {` + byAda + `}`, "handling", "bob", "bob owner", "agent_term (ada), agent_connect (bob)", "ada: interaction_ends; bob: handling"},
	}},
	{"Consult, then transfer", fromQueue, []step{
		{`consult {"to":{"agent":"bob"}}`, "consulting", "ada", "ada owner, bob consulted", "", "ada: consulting; bob: interaction_starts, consulting"},
		{`transfer {"mode":"consult",` + byAda + `}`, "handling", "bob", "bob owner", "internal_transfer, agent_term (ada), agent_connect (bob)", "ada: interaction_ends; bob: handling"},
		{`disconnect`, "wrap_up", "bob", "bob wrap_up", "agent_term (bob), transfer_term (bob), call_end", "bob: wrap_up; B sales: handled; C: interaction_ends"},
	}},
	{"Consult, then transfer with wrap-up", fromQueue, []step{
		{`consult {"to":{"agent":"bob"}}`, "consulting", "ada", "ada owner, bob consulted", "", "ada: consulting; bob: interaction_starts, consulting"},
		{`transfer {"mode":"consult","wrap_up":true}`, "handling", "bob", "ada wrap_up, bob owner", "internal_transfer, agent_term (ada), agent_connect (bob)", "ada: wrap_up; bob: handling"},
		{`leave {"agent":"ada"}`, "handling", "bob", "bob owner", "", "ada: interaction_ends"},
	}},
	{"Consult, then transfer to another agent", fromQueue, []step{
		{`consult {"to":{"agent":"bob"}}`, "consulting", "ada", "ada owner, bob consulted", "", "ada: consulting; bob: interaction_starts, consulting"},
		{`transfer {"to":{"agent":"cyd"}}`, "handling", "cyd", "cyd owner", "internal_transfer, agent_term (ada), agent_connect (cyd)",
			"ada: interaction_ends; bob: interaction_ends; cyd: interaction_starts, handling"},
	}},
	{"Consult a number, then transfer to it", fromQueue, []step{
		{`consult {"to":{"number":"+49"}}`, "consulting", "ada", "ada owner, +49 consulted", "", "ada: consulting"},
		{`transfer {"mode":"consult"}`, "handling", "", "", "agent_term (ada)", "ada: interaction_ends"},
		{`disconnect`, "completed", "", "", "transfer_term, call_end, interaction_ends", "B sales: handled; C: interaction_ends; B sales: interaction_ends"},
	}},
	{"Consult, then conference", fromQueue, []step{
		{`consult {"to":{"agent":"bob"}}`, "consulting", "ada", "ada owner, bob consulted", "", "ada: consulting; bob: interaction_starts, consulting"},
		{`conference`, "conference", "ada", "ada owner, bob conference", "agent_connect (bob)", "ada: in_conference; bob: in_conference"},
	}},
	{"A conference of three", fromQueue, []step{
		{`conference {"agent":"bob",` + byAda + `}`, "conference", "ada", "ada owner, bob conference", "agent_connect (bob)", "bob: interaction_starts; ada: in_conference; bob: in_conference"},
		{`conference {"agent":"cyd"}`, "conference", "ada", "ada owner, bob conference, cyd conference", "agent_connect (cyd)", "cyd: interaction_starts, in_conference"},
		{`leave {"agent":"ada"}`, "conference", "bob", "bob owner, cyd conference", "agent_term (ada)", "ada: interaction_ends"},
		{`leave {"agent":"bob"}`, "handling", "cyd", "cyd owner", "agent_term (bob)", "bob: interaction_ends; cyd: handling"},
		{`disconnect`, "wrap_up", "cyd", "cyd wrap_up", "agent_term (cyd), call_end", "cyd: wrap_up; B sales: handled; C: interaction_ends"},
	}},
	{"A conference, and the customer leaves", fromQueue, []step{
		{`conference {"agent":"bob"}`, "conference", "ada", "ada owner, bob conference", "agent_connect (bob)", "bob: interaction_starts; ada: in_conference; bob: in_conference"},
		{`disconnect`, "wrap_up", "ada", "ada wrap_up, bob wrap_up", "agent_term (ada), agent_term (bob), call_end", "ada: wrap_up; bob: wrap_up; B sales: handled; C: interaction_ends"},
		{`leave {"agent":"ada"}`, "wrap_up", "bob", "bob wrap_up", "", "ada: interaction_ends"},
		{`leave {"agent":"bob"}`, "completed", "bob", "", "interaction_ends", "bob: interaction_ends; B sales: interaction_ends"},
	}},
	{"A conference, then transfer to one of them", fromQueue, []step{
		{`conference {"agent":"bob"}`, "conference", "ada", "ada owner, bob conference", "agent_connect (bob)", "bob: interaction_starts; ada: in_conference; bob: in_conference"},
		{`conference {"agent":"cyd"}`, "conference", "ada", "ada owner, bob conference, cyd conference", "agent_connect (cyd)", "cyd: interaction_starts, in_conference"},
		{`transfer {"to":{"agent":"bob"}}`, "handling", "bob", "bob owner", "internal_transfer, agent_term (ada), agent_term (cyd)", "ada: interaction_ends; cyd: interaction_ends; bob: handling"},
	}},
	{"Transfer to an agent", fromQueue, []step{
		{`transfer {"to":{"agent":"bob"},` + byAda + `}`, "handling", "bob", "bob owner", "internal_transfer, agent_term (ada), agent_connect (bob)", "ada: interaction_ends; bob: interaction_starts, handling"},
		{`transfer {"to":{"agent":"ada"}}`, "handling", "ada", "ada owner", "internal_transfer, agent_term (bob), transfer_term (bob), agent_connect (ada)", "bob: interaction_ends; ada: interaction_starts, handling"},
	}},
	{"Transfer to a queue, and with wrap-up", fromQueue, []step{
		{`transfer {"to":{"queue":"sales"}}`, "queued", "", "", "internal_transfer, agent_term (ada), agent_needed", "ada: interaction_ends; B sales: agent_selecting"},
		{`accept {"agent":"bob"}`, "handling", "bob", "bob owner", "dequeue, agent_connect (bob)", "bob: interaction_starts, handling; B sales: handling"},
		{`transfer {"to":{"queue":"backup"},"wrap_up":true}`, "queued", "", "bob wrap_up", "internal_transfer, agent_term (bob), agent_needed",
			"bob: wrap_up; B sales: interaction_ends; B backup: interaction_starts, agent_selecting"},
	}},
	{"Waiting, and moved to another queue", fromQueue[:1], []step{
		{`place_in_queue {"queue":"backup"}`, "queued", "", "", "dequeue, agent_needed", "B sales: interaction_ends; B backup: interaction_starts, agent_selecting"},
		{`place_in_queue {"queue":"backup"}`, "queued", "", "", "", ""},
		{`transfer {"to":{"queue":"sales"},` + bySue + `}`, "queued", "", "", "internal_transfer, dequeue, agent_needed", "B backup: interaction_ends; B sales: interaction_starts, agent_selecting"},
	}},
	{"Transfer to a number", fromQueue, []step{
		{`transfer {"to":{"number":"+49"}}`, "handling", "", "", "agent_term (ada)", "ada: interaction_ends"},
	}},
	{"An offered transfer, accepted", fromQueue, []step{
		{`transfer {"to":{"agent":"bob"},"mode":"offer",` + byAda + `}`, "offered", "", "", "internal_transfer, agent_term (ada)", "ada: interaction_ends; bob: interaction_starts, offered; B sales: offered"},
		{`accept {"agent":"bob"}`, "handling", "bob", "bob owner", "agent_connect (bob)", "bob: handling; B sales: handling"},
	}},
	{"An offered transfer, rejected: back to the queue", fromQueue, []step{
		{`transfer {"to":{"agent":"bob"},"mode":"offer","wrap_up":true}`, "offered", "", "ada wrap_up", "internal_transfer, agent_term (ada)", "ada: wrap_up; bob: interaction_starts, offered; B sales: offered"},
		{`reject {"agent":"bob"}`, "queued", "", "ada wrap_up", "agent_needed", "bob: rejected, interaction_ends; B sales: agent_selecting"},
		{`offer {"agent":"cyd"}`, "offered", "", "ada wrap_up", "dequeue", "cyd: interaction_starts, offered; B sales: offered"},
	}},
	{"An offered transfer, missed: back to the queue", fromQueue, []step{
		{`transfer {"to":{"agent":"bob"},"mode":"offer"}`, "offered", "", "", "internal_transfer, agent_term (ada)", "ada: interaction_ends; bob: interaction_starts, offered; B sales: offered"},
		{`[offer_timeout] {"MaxMisses":2,"Overflow":"backup"}`, "queued", "", "", "agent_needed", "bob: missed, interaction_ends; B sales: agent_selecting"},
	}},
	{"The queue is the one from which the last agent got it", append(slices.Clone(fromQueue), `transfer {"to":{"queue":"backup"}}`, `accept {"agent":"bob"}`), []step{
		{`transfer {"to":{"agent":"cyd"},"mode":"offer"}`, "offered", "", "", "internal_transfer, agent_term (bob)", "bob: interaction_ends; cyd: interaction_starts, offered; B backup: offered"},
		{`reject {"agent":"cyd"}`, "queued", "", "", "agent_needed", "cyd: rejected, interaction_ends; B backup: agent_selecting"},
	}},
	{"An offered transfer that never had a queue", pulled, []step{
		{`transfer {"to":{"agent":"bob"},"mode":"offer"}`, "offered", "", "", "internal_transfer, agent_term (ada)", "ada: interaction_ends; bob: interaction_starts, offered"},
		{`reject {"agent":"bob"}`, "started", "", "", "agent_needed", "bob: rejected, interaction_ends"},
	}},
	{"An offered transfer, and the customer leaves", fromQueue, []step{
		{`transfer {"to":{"agent":"bob"},"mode":"offer"}`, "offered", "", "", "internal_transfer, agent_term (ada)", "ada: interaction_ends; bob: interaction_starts, offered; B sales: offered"},
		{`disconnect`, "completed", "", "", "call_end, interaction_ends", "bob: interaction_ends; B sales: abandoned; C: interaction_ends; B sales: interaction_ends"},
	}},
	{"A supervisor transfers", fromQueue, []step{
		{`transfer {"to":{"agent":"bob"},` + bySue + `}`, "handling", "bob", "bob owner", "internal_transfer, agent_term (ada), agent_connect (bob)", "ada: interaction_ends; bob: interaction_starts, handling"},
		{`transfer {"to":{"agent":"sue"},` + bySue + `}`, "handling", "sue", "sue owner", "internal_transfer, agent_term (bob), transfer_term (bob), agent_connect (sue)", "bob: interaction_ends; sue: interaction_starts, handling"},
		{`place_in_queue {"queue":"sales",` + bySue + `}`, "queued", "", "", "internal_transfer, agent_term (sue), transfer_term (sue), agent_needed", "sue: interaction_ends; B sales: agent_selecting"},
	}},
	{"A supervisor joins, and takes over", fromQueue, []step{
		{`conference {"agent":"sue",` + bySue + `}`, "conference", "ada", "ada owner, sue conference", "agent_connect (sue)", "sue: interaction_starts; ada: in_conference; sue: in_conference"},
		{`leave {"agent":"ada",` + bySue + `}`, "handling", "sue", "sue owner", "agent_term (ada)", "ada: interaction_ends; sue: handling"},
	}},
}

// TestScenariosOfConferenceAndTransfer compares the state machine with the contract for
// consultation, conference and transfer, and the document with the state machine.
func TestScenariosOfConferenceAndTransfer(t *testing.T) {
	var document strings.Builder
	for _, scenario := range scenarios {
		fmt.Fprintf(&document, "\n### %s\n\n| command | state | owner | participants | fires | segments, by leg |\n|---|---|---|---|---|---|\n", scenario.name)
		s := opened(t, start("inbound"))
		s.do(scenario.given...)
		for _, want := range scenario.steps {
			got := s.step(want.command)
			require.Equal(t, want, got, scenario.name)
			fmt.Fprintf(&document, "| `%s` | %s | %s | %s | %s | %s |\n", got.command, got.state, none(got.owner), none(got.participants), none(got.fired), none(got.segments))
		}
	}
	document.WriteString("\n")
	requireShown(t, "../docs/lifecycle.md", "conference and transfer", document.String())
}

func none(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// step applies one command and returns its result.
func (s *player) step(command string) step {
	events := s.do(command).Turn.Events
	status := s.i.Status()
	result := step{command: command, state: string(status.State)}
	if status.Agent != nil {
		result.owner = status.Agent.ID
	}
	var participants []string
	for _, p := range status.Participants {
		name := p.Party
		if p.Agent != nil {
			name = p.Agent.ID
		}
		participants = append(participants, name+" "+p.Role)
	}
	result.participants = strings.Join(participants, ", ")
	result.fired, result.segments = split(events)
	return result
}

// split returns the moments of events, with the agent they are about, and the segments, in
// order, by leg: agents by name, B with its queue, C.
func split(events []interaction.Event) (moments, segments string) {
	var fired, entered []string
	last := ""
	for _, e := range events {
		if e.Moment != interaction.MomentSegmentChange {
			moment := string(e.Moment)
			if _, name, dotted := strings.Cut(moment, "."); dotted {
				moment = name
			}
			if slices.Contains([]string{"agent_connect", "agent_term", "transfer_term"}, moment) && e.Agent != nil {
				moment += " (" + e.Agent.ID + ")"
			}
			fired = append(fired, moment)
			continue
		}
		leg := "C"
		switch e.Leg {
		case interaction.LegAgent:
			leg = e.Agent.ID
		case interaction.LegBusinessProcess:
			leg = "B " + e.Queue
		}
		if leg == last {
			entered[len(entered)-1] += ", " + string(e.Segment)
			continue
		}
		last = leg
		entered = append(entered, leg+": "+string(e.Segment))
	}
	return strings.Join(fired, ", "), strings.Join(entered, "; ")
}

// sharing are the commands that share an interaction or pass it on.
var sharing = strings.Fields("place_in_queue accept reject consult conference leave transfer hold retrieve")

// TestWhoMayShareAnInteraction compares what each actor may do, written by hand from the
// contract, with the capabilities, and the document with both.
func TestWhoMayShareAnInteraction(t *testing.T) {
	agent := func(id string) interaction.Actor { return interaction.Actor{ID: id, Role: interaction.RoleAgent} }
	supervisor := interaction.Actor{ID: "sue", Role: interaction.RoleSupervisor}
	table := "| situation | who | may |\n|---|---|---|\n"
	for _, c := range []struct {
		situation string
		more      []string
		who       string
		actor     interaction.Actor
		may       string
	}{
		{"ada handles it", nil, "ada, its owner", agent("ada"), "place_in_queue consult conference transfer hold"},
		{"ada has it on hold", []string{`hold`}, "ada, its owner", agent("ada"), "place_in_queue consult conference transfer hold retrieve"},
		{"ada handles it", nil, "another agent", agent("bob"), ""},
		{"ada handles it", nil, "a supervisor", supervisor, "place_in_queue consult conference transfer hold"},
		{"ada consults bob", []string{`consult {"to":{"agent":"bob"}}`}, "ada, its owner", agent("ada"), "place_in_queue conference leave transfer hold retrieve"},
		{"ada consults bob", []string{`consult {"to":{"agent":"bob"}}`}, "bob, who is consulted", agent("bob"), "leave"},
		{"ada consults bob", []string{`consult {"to":{"agent":"bob"}}`}, "a supervisor", supervisor, "place_in_queue conference leave transfer hold retrieve"},
		{"ada and bob confer", []string{`conference {"agent":"bob"}`}, "ada, its owner", agent("ada"), "place_in_queue conference leave transfer hold"},
		{"ada and bob confer", []string{`conference {"agent":"bob"}`}, "bob", agent("bob"), "leave"},
		{"ada offered it to bob", []string{`transfer {"to":{"agent":"bob"},"mode":"offer","wrap_up":true}`}, "bob, to whom it is offered", agent("bob"), "accept reject"},
		{"ada offered it to bob", []string{`transfer {"to":{"agent":"bob"},"mode":"offer","wrap_up":true}`}, "ada, who wraps up", agent("ada"), "leave"},
		{"ada offered it to bob", []string{`transfer {"to":{"agent":"bob"},"mode":"offer","wrap_up":true}`}, "a supervisor", supervisor, "place_in_queue accept reject leave"},
	} {
		s := opened(t, start("inbound"))
		s.do(after(fromQueue, c.more...)...)
		may := slices.DeleteFunc(s.i.CapabilitiesFor(c.actor), func(name string) bool { return !slices.Contains(sharing, name) })
		require.Equal(t, c.may, strings.Join(may, " "), "%s: %s", c.situation, c.who)
		table += fmt.Sprintf("| %s | %s | %s |\n", c.situation, c.who, none(strings.Join(may, ", ")))
	}
	requireShown(t, "../docs/lifecycle.md", "who may", table)
}
