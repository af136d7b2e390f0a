package interaction

import "slices"

// notInState is the refusal that the state alone explains.
const notInState = "not in this state"

// refusal says why the command is not legal now for the actor; "" when it is,
// provided that its payload fits.
func (r *rule) refusal(rec *record, by *Actor) string {
	if !r.legalIn(rec) {
		return notInState
	}
	if r.needs != nil {
		if missing := r.needs(rec); missing != "" {
			return missing
		}
	}
	if by == nil || by.Role != RoleAgent {
		return ""
	}
	if r.agents == nil {
		return "it is not for agents"
	}
	return r.agents(rec, by.ID)
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

// Capabilities are the commands that are legal now for the platform, in the
// table's order; never nil.
func (i *Interaction) Capabilities() []string {
	return i.CapabilitiesFor(Actor{Role: RolePlatform})
}

// CapabilitiesFor are the commands that are legal now for an actor.
func (i *Interaction) CapabilitiesFor(actor Actor) []string {
	legal := []string{}
	for n := range rules {
		if rules[n].refusal(&i.r, &actor) == "" {
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

// What a command needs beside its state.

func anOwner(r *record) string {
	if r.ownerLeg() == nil {
		return "no agent has it"
	}
	return ""
}

// somethingToRetrieve: a customer on hold, or one who waits while the owner consults.
func somethingToRetrieve(r *record) string {
	if r.State != StateConsulting && r.ownerLeg() != nil && r.first(held) == nil {
		return notOnHold
	}
	return anOwner(r)
}

const notOnHold = "nobody has put it on hold"

func someAgent(r *record) string {
	if len(r.Agents) == 0 {
		return "no agent had it yet"
	}
	return ""
}

func someWrapUp(r *record) bool {
	return r.State != StateCompleted && r.first(wrapping) != nil
}

func roomForDraft(r *record) string {
	if len(r.Children) >= maxChildren {
		return "it has as many replies as it can have"
	}
	return anOwner(r)
}

// What agents may do: lifecycle.md, "who".

// owners: what they own.
func owners(r *record, agent string) string {
	if r.Owner == agent {
		return ""
	}
	return agent + " does not own it"
}

// retrievers: what they own and have put on hold, or consult about.
func retrievers(r *record, agent string) string {
	if l := r.ownerLeg(); l != nil && l.Agent == agent && !l.Held && r.State != StateConsulting {
		return notOnHold
	}
	return owners(r, agent)
}

// dialers: what they own, and what nobody has begun with.
func dialers(r *record, agent string) string {
	if r.Owner == "" && r.State == StateStarted {
		return ""
	}
	return owners(r, agent)
}

// takers: what was offered to them; without an offer, what nobody has.
func takers(r *record, agent string) string {
	if r.State == StateOffered {
		return offerees(r, agent)
	}
	if r.Owner == "" || r.Owner == agent {
		return ""
	}
	return "it is assigned to " + r.Owner
}

func offerees(r *record, agent string) string {
	if r.first(of(agent), r.offered) == nil {
		return "it was not offered to " + agent
	}
	return ""
}

// leavers: their own part in a consultation or conference, and their own wrap-up.
func leavers(r *record, agent string) string {
	shared := r.State == StateConsulting || r.State == StateConference
	if r.first(of(agent), wrapping) != nil || shared && r.first(of(agent), present) != nil {
		return ""
	}
	return agent + " has no leg to leave"
}

// workers: those who are at the customer, or wrap up.
func workers(r *record, agent string) string {
	if r.Owner == agent || r.first(of(agent), working) != nil {
		return ""
	}
	return agent + " takes no part in it"
}

// takingPart: those who have a leg beyond an offer, and those who worked on it.
func takingPart(r *record, agent string) string {
	if k := r.known(agent); k != nil && (k.TookPart || r.Owner == agent) {
		return ""
	}
	if l := r.first(of(agent), present); l != nil && !r.offered(l) {
		return ""
	}
	return agent + " takes no part in it"
}

// draftOwners: a draft of theirs, nothing else.
func draftOwners(r *record, agent string) string {
	if !r.Draft {
		return "an agent can only cancel a draft"
	}
	return owners(r, agent)
}

// Moments lists what a command may fire besides segment_change, without the
// channel in front: the table's own account, which a test holds it to.
func Moments(command string) []string {
	r, ok := ruleOf(command)
	if !ok {
		return nil
	}
	moments := slices.Clone(r.fires)
	slices.Sort(moments)
	return slices.Compact(moments)
}

// actsForAnother is the agent in whose place another agent gives a command; "" for nobody.
func actsForAnother(cmd Command) string {
	if cmd.By == nil || cmd.By.Role != RoleAgent {
		return ""
	}
	if named := actorIn(cmd.Body); named != nil && named.ID != cmd.By.ID {
		return named.ID
	}
	return ""
}

// actorIn is the agent whose own doing the command is, if it names one.
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
