package interaction

import "slices"

// rule is one row of the transition table: where a command is legal, where it leads, what
// it fires besides segment_change, and what it does.
type rule struct {
	name   string
	states []State
	// asyncWrapUp: also legal in wrap_up, on an async channel.
	asyncWrapUp bool
	// lingering: also legal while a completed interaction takes late events.
	lingering bool
	// elsewhere reports whether it is also legal in another open state.
	elsewhere func(*record) bool
	// needs returns what is missing although the state fits; "" if nothing is.
	needs func(*record) string
	// agents returns why an agent may not give the command; nil if the agent may. Without the
	// function, no agent may.
	agents func(r *record, agent string) *refusal
	// notSupervisors: the command is a report of the platform, and no supervisor may give it.
	notSupervisors bool
	leads          []lead
	fires          []string
	effect         func(*step) error
}

// lead is where a command leads; without from, it leads there from all its states.
type lead struct {
	from []State
	to   State
}

func to(states ...State) []lead {
	leads := make([]lead, len(states))
	for n, state := range states {
		leads[n] = lead{to: state}
	}
	return leads
}

func in(states ...State) []State { return states }

var (
	states = in(StateStarted, StateQueued, StateOffered, StateDialing, StateHandling, StateConsulting,
		StateConference, StateInWorkbin, StateWrapUp, StateEngaging, StateComposing, StateCompleted)
	open = states[:len(states)-1]
	// talking are the states in which agents are in contact with the customer.
	talking = in(StateHandling, StateConsulting, StateConference)
)

// What the shared transitions fire.
var (
	leaving   = []string{"agent_term", "transfer_term"}
	finishing = []string{"dequeue", "agent_term", "transfer_term", "call_end", "end", "interaction_ends"}
	queuing   = []string{"dequeue", "new", "agent_needed"}
)

func all(lists ...[]string) []string { return slices.Concat(lists...) }

// rules is the transition table. The diagram of docs/contract.md is drawn from it.
var rules = []rule{
	{name: "place_in_queue", states: in(StateStarted, StateQueued, StateOffered, StateHandling, StateConsulting, StateConference, StateInWorkbin, StateComposing),
		asyncWrapUp: true, agents: owners, leads: to(StateQueued),
		fires: all([]string{"internal_transfer"}, leaving, queuing), effect: placeInQueue},
	{name: "offer", states: in(StateStarted, StateQueued, StateInWorkbin, StateEngaging, StateOffered),
		leads: to(StateOffered), fires: []string{"dequeue"}, effect: offer},
	{name: "accept", states: in(StateOffered, StateStarted, StateQueued, StateInWorkbin), agents: takers,
		leads: append(to(StateHandling, StateComposing), lead{in(StateOffered), StateDialing}),
		fires: []string{"dequeue", "agent_connect"}, effect: accept},
	{name: "reject", states: in(StateOffered), agents: offerees, leads: to(StateOffered, StateQueued, StateInWorkbin, StateStarted, StateCompleted),
		fires: all([]string{"agent_needed", "new"}, finishing), effect: reject},
	{name: "dial", states: in(StateStarted, StateHandling, StateDialing), agents: dialers, leads: to(StateDialing), effect: dial},
	{name: "connect", states: in(StateStarted, StateDialing), notSupervisors: true, leads: append(to(StateHandling, StateComposing), lead{in(StateDialing), StateStarted}),
		fires: []string{"agent_connect", "connect"}, effect: connect},
	{name: "disconnect", states: open, agents: workers,
		leads: append(to(StateCompleted), lead{append(talking[:3:3], StateComposing), StateWrapUp}),
		fires: finishing, effect: disconnect},
	{name: "abandon", states: in(StateStarted, StateQueued, StateOffered, StateInWorkbin), notSupervisors: true, leads: to(StateCompleted), fires: finishing, effect: abandon},
	{name: "consult", states: in(StateHandling), needs: anOwner, agents: owners, leads: to(StateConsulting), effect: consult},
	{name: "conference", states: talking, needs: anOwner, agents: owners, leads: to(StateConference), fires: []string{"agent_connect"}, effect: conference},
	{name: "leave", states: in(StateConsulting, StateConference, StateWrapUp), elsewhere: someWrapUp, agents: leavers,
		leads: []lead{{in(StateConsulting, StateConference), StateHandling}, {in(StateConsulting, StateConference), StateWrapUp}, {nil, StateCompleted}},
		fires: all([]string{"agent_connect"}, finishing), effect: leave},
	{name: "transfer", states: append(talking[:3:3], StateComposing, StateQueued), agents: owners,
		leads: []lead{{append(talking[:3:3], StateComposing), StateOffered}, {nil, StateQueued}, {talking, StateHandling}},
		fires: all([]string{"internal_transfer", "agent_connect"}, leaving, queuing), effect: transfer},
	{name: "hold", states: talking, needs: anOwner, agents: owners, effect: hold},
	{name: "retrieve", states: talking, needs: somethingToRetrieve, agents: retrievers, leads: []lead{{in(StateConsulting), StateHandling}},
		fires: []string{"agent_connect", "agent_term", "transfer_term"}, effect: retrieve},
	{name: "place_in_workbin", states: in(StateHandling, StateComposing), asyncWrapUp: true, agents: owners,
		leads: to(StateInWorkbin), fires: leaving, effect: placeInWorkbin},
	{name: "set_disposition", states: open, lingering: true, needs: someAgent, agents: takingPart, fires: []string{"disposition"}, effect: setDisposition},
	{name: "attach_user_data", states: open, lingering: true, agents: takingPart, fires: []string{"user_data_changed"}, effect: attachUserData},
	{name: "update_user_data", states: open, lingering: true, agents: takingPart, fires: []string{"user_data_changed"}, effect: updateUserData},
	{name: "delete_user_data", states: open, lingering: true, agents: takingPart, fires: []string{"user_data_changed"}, effect: deleteUserData},
	{name: "set_attributes", states: open, agents: takingPart, effect: setAttributes},
	{name: "survey", states: open, notSupervisors: true, lingering: true, fires: []string{"survey"}, effect: survey},
	{name: "queue_event", states: open, notSupervisors: true, fires: []string{"queue_event"}, effect: queueEvent},
	{name: "dtmf", states: open, notSupervisors: true, fires: []string{"dtmf"}, effect: dtmf},
	{name: "script_signal", states: open, agents: takingPart, fires: []string{"script_signal"}, effect: scriptSignal},
	{name: "signal_added", states: open, notSupervisors: true, effect: signalAdded},
	{name: "signal_removed", states: open, notSupervisors: true, effect: signalRemoved},
	{name: "engage", states: in(StateStarted, StateEngaging), notSupervisors: true, leads: to(StateEngaging), fires: []string{"engage"}, effect: engage},
	{name: "noengage", states: in(StateStarted, StateEngaging), notSupervisors: true, leads: to(StateCompleted), fires: all([]string{"noengage"}, finishing), effect: noEngage},
	{name: "engagement_result", states: in(StateEngaging), notSupervisors: true, leads: to(StateHandling, StateComposing, StateQueued, StateStarted, StateCompleted),
		fires: all([]string{"engagement_result", "agent_connect"}, queuing, finishing), effect: engagementResult},
	{name: "reply", states: in(StateHandling), needs: roomForDraft, agents: owners, effect: reply},
	{name: "complete", states: open, agents: owners, leads: to(StateCompleted), fires: all(finishing, []string{"disposition"}), effect: complete},
	{name: "cancel", states: open, agents: draftOwners, leads: to(StateCompleted), fires: finishing, effect: cancel},
	{name: "segment_change", states: open, notSupervisors: true, effect: segmentChange,
		fires: all([]string{"internal_transfer", "agent_connect", "connect"}, queuing, finishing)},
}

// timerRules are the internal commands.
var timerRules = []rule{
	{name: OfferTimeout, states: in(StateOffered), leads: to(StateQueued, StateInWorkbin, StateStarted, StateCompleted),
		fires: all(queuing, finishing), effect: offerTimeout},
	{name: QueueTimeout, states: in(StateQueued), leads: to(StateQueued, StateCompleted), fires: all(queuing, finishing), effect: queueTimeout},
	{name: WrapUpTimeout, states: open, leads: []lead{{in(StateWrapUp), StateCompleted}}, fires: finishing, effect: wrapUpTimeout},
	{name: EngagementTimeout, states: in(StateEngaging), leads: to(StateCompleted), fires: all([]string{"engagement_result"}, finishing), effect: engagementTimeout},
	{name: LifetimeTimeout, states: open, leads: to(StateCompleted), fires: finishing, effect: expire},
	{name: LateEventsTimeout, lingering: true, effect: lateEventsTimeout},
	{name: WorkflowCancel, states: open, leads: to(StateCompleted), fires: finishing, effect: cancel},
}

// commandNames are the platform's commands, in the table's order.
var commandNames = namesOf(rules)

func namesOf(rules []rule) []string {
	names := make([]string, len(rules))
	for n := range rules {
		names[n] = rules[n].name
	}
	return names
}
