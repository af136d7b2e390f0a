package interaction

import (
	"fmt"
	"slices"
)

// refusal is why a command is not legal now. It is an error, so that an effect can return it.
type refusal struct {
	why    Why
	reason string
}

func (r *refusal) Error() string { return r.reason }

// notInState refuses a command that the state alone rules out.
var notInState = &refusal{WhyState, "not in this state"}

// unmet refuses a command for what it needs besides the state.
func unmet(reason string) *refusal { return &refusal{WhyNeeds, reason} }

// notThisAgent refuses a command that this agent may not give or be given, others perhaps.
func notThisAgent(reason string) *refusal { return &refusal{WhyAgent, reason} }

// notThisRole refuses a command that nobody of a role may give.
func notThisRole(reason string) *refusal { return &refusal{WhyRole, reason} }

// refusal returns why the command is not legal now for the actor; nil if it is legal, as
// long as its payload fits. What no state changes comes first: the role.
func (r *rule) refusal(rec *record, by *Actor) *refusal {
	if refused := r.refusalOf(by); refused != nil {
		return refused
	}
	if !r.legalIn(rec) {
		return notInState
	}
	if r.needs != nil {
		if missing := r.needs(rec); missing != "" {
			return unmet(missing)
		}
	}
	if by == nil || by.Role != RoleAgent {
		return nil
	}
	return r.agents(rec, by.ID)
}

// refusalOf returns why nobody of the actor's role may give the command; nil if somebody may.
func (r *rule) refusalOf(by *Actor) *refusal {
	switch {
	case by == nil:
		return nil
	case by.Role == RoleAgent && r.agents == nil:
		return notThisRole("agents may not give this command")
	case by.Role == RoleSupervisor && r.notSupervisors:
		return notThisRole("supervisors may not give this command")
	}
	return nil
}

func (r *rule) legalIn(rec *record) bool {
	switch {
	case slices.Contains(r.states, rec.State):
		return true
	case rec.State == StateCompleted:
		return r.lingering && rec.lingers()
	case r.asyncWrapUp && rec.State == StateWrapUp:
		return rec.Channel.Async()
	}
	return r.elsewhere != nil && r.elsewhere(rec)
}

// Capabilities returns the commands that are legal now for the platform, in the table's
// order; never nil.
func (i *Interaction) Capabilities() []string {
	return i.CapabilitiesFor(Actor{Role: RolePlatform})
}

// CapabilitiesFor returns the commands that are legal now for an actor; never nil.
func (i *Interaction) CapabilitiesFor(actor Actor) []string {
	legal := make([]string, 0, len(rules))
	for n := range rules {
		if rules[n].refusal(&i.r, &actor) == nil {
			legal = append(legal, rules[n].name)
		}
	}
	return legal
}

var ruleIndex = func() map[string]*rule {
	index := make(map[string]*rule, len(rules)+len(timerRules))
	for n := range rules {
		index[rules[n].name] = &rules[n]
	}
	for n := range timerRules {
		index[timerRules[n].name] = &timerRules[n]
	}
	return index
}()

func ruleOf(name string) (*rule, bool) {
	r, ok := ruleIndex[name]
	return r, ok
}

// Conditions of commands besides the state. Each returns why the condition is not met.

func anOwner(r *record) string {
	if r.ownerLeg() == nil {
		return "no agent has the interaction"
	}
	return ""
}

// somethingToRetrieve: a customer is on hold, or waits while the owner consults.
func somethingToRetrieve(r *record) string {
	if r.State != StateConsulting && r.ownerLeg() != nil && r.first(held) == nil {
		return notOnHold
	}
	return anOwner(r)
}

const notOnHold = "the customer is not on hold"

func someAgent(r *record) string {
	if len(r.Agents) == 0 {
		return "no agent has had the interaction yet"
	}
	return ""
}

func someWrapUp(r *record) bool {
	return r.State != StateCompleted && r.first(wrapping) != nil
}

func roomForDraft(r *record) string {
	if len(r.Children) >= maxChildren {
		return fmt.Sprintf("the interaction has %d replies, and that is the most", len(r.Children))
	}
	return anOwner(r)
}

// What agents may do (docs/lifecycle.md). Each function returns why an agent may not; nil if the
// agent may.

// owners: agents may do it with an interaction that they own.
func owners(r *record, agent string) *refusal {
	if r.Owner == agent {
		return nil
	}
	return notThisAgent(agent + " does not own the interaction")
}

// retrievers: with one that they own and have put on hold, or consult about.
func retrievers(r *record, agent string) *refusal {
	if l := r.ownerLeg(); l != nil && l.Agent == agent && !l.Held && r.State != StateConsulting {
		return unmet(notOnHold)
	}
	return owners(r, agent)
}

// dialers: with one that they own, or that no agent has begun with.
func dialers(r *record, agent string) *refusal {
	if r.Owner == "" && r.State == StateStarted {
		return nil
	}
	return owners(r, agent)
}

// takers: with one that is offered to them or, without an offer, that nobody owns.
func takers(r *record, agent string) *refusal {
	if r.State == StateOffered {
		return offerees(r, agent)
	}
	if r.Owner == "" || r.Owner == agent {
		return nil
	}
	return notThisAgent("the interaction is assigned to " + r.Owner)
}

func offerees(r *record, agent string) *refusal {
	if r.first(ofAgent(agent), r.offered) == nil {
		return notThisAgent("the interaction is not offered to " + agent)
	}
	return nil
}

// leavers: with their own part in a consultation or conference, and their own wrap-up.
func leavers(r *record, agent string) *refusal {
	shared := r.State == StateConsulting || r.State == StateConference
	if r.first(ofAgent(agent), wrapping) != nil || shared && r.first(ofAgent(agent), present) != nil {
		return nil
	}
	return notThisAgent(agent + " has no leg to leave")
}

// workers: if they are in contact with the customer, or own it.
func workers(r *record, agent string) *refusal {
	if r.Owner == agent || r.first(ofAgent(agent), working) != nil {
		return nil
	}
	return notThisAgent(agent + " takes no part in the interaction")
}

// takingPart: if they have a leg that is more than an offer, or have worked on it.
func takingPart(r *record, agent string) *refusal {
	if k := r.known(agent); k != nil && (k.TookPart || r.Owner == agent) {
		return nil
	}
	if l := r.first(ofAgent(agent), present); l != nil && !r.offered(l) {
		return nil
	}
	return notThisAgent(agent + " takes no part in the interaction")
}

// draftOwners: with a draft that they own.
func draftOwners(r *record, agent string) *refusal {
	if !r.Draft {
		return notThisRole("agents may only cancel drafts")
	}
	return owners(r, agent)
}

// Moments lists the moments that a command may fire besides segment_change, without the
// channel before the dot. A test holds the state machine to the list.
func Moments(command string) []string {
	r, ok := ruleOf(command)
	if !ok {
		return nil
	}
	moments := slices.Clone(r.fires)
	slices.Sort(moments)
	return slices.Compact(moments)
}

// actsForAnother returns the agent for whom another agent gives a command; "" if there is none.
func actsForAnother(cmd Command) string {
	if cmd.By == nil || cmd.By.Role != RoleAgent {
		return ""
	}
	if named := actorIn(cmd.Body); named != nil && named.ID != cmd.By.ID {
		return named.ID
	}
	return ""
}

// actorIn returns the agent who acts according to the command's body; nil if it names none.
func actorIn(body any) *Agent {
	switch b := body.(type) {
	case Accept:
		return b.Agent
	case Reject:
		return b.Agent
	case Dial:
		return b.Agent
	case ByAgent:
		return b.Agent
	case PlaceInWorkbin:
		return b.Agent
	case SetDisposition:
		return b.Agent
	case Complete:
		return b.Agent
	case Cancel:
		return b.Agent
	}
	return nil
}
