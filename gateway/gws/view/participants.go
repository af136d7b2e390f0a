package view

import (
	"cmp"
	"slices"
	"strings"

	"segue/contract"
	"segue/gateway/parts"
	"segue/interaction"
)

// participant is who else takes part, from one agent's point of view.
//
// An agent is {"type":"Agent","id","nickname","uri","path","held"}. A number is {"type":"External",
// "phoneNumber","digits","formattedPhoneNumber","e164Number","held"}, in a call and in a chat. The
// customer is of type Customer: a number in a call, as long as the customer is there, and a nickname
// alone in a chat.
type participant struct {
	kind, id, nickname, number string
	held                       bool
}

// The types of participants.
const (
	kindAgent    = "Agent"
	kindCustomer = "Customer"
	kindExternal = "External"
)

// participants lists the customer and the others.
func (r *Resource) participants() []participant {
	others := othersIn(r.state, r.agent)
	if customer, ok := customerOf(r.state, r.medium); ok {
		return slices.Insert(others, 0, customer)
	}
	return others
}

// othersIn lists the agents and numbers that take part besides an agent, each once: the longest
// present first. An agent who wraps up takes part; one to whom the interaction is offered does not.
func othersIn(state *contract.State, agent string) []participant {
	others := make([]participant, 0, len(state.Participants)+1)
	for n := range state.Participants {
		p := &state.Participants[n]
		switch {
		case p.Agent == nil:
			others = append(others, participant{kind: kindExternal, number: p.Party, held: p.Held})
		case p.Agent.ID != agent && !isListed(others, p.Agent.ID):
			held := parts.Of(state, p.Agent.ID).Held
			others = append(others, participant{kind: kindAgent, id: p.Agent.ID, nickname: cmp.Or(p.Agent.Name, p.Agent.ID), held: held})
		}
	}
	return others
}

func isListed(others []participant, agent string) bool {
	return slices.ContainsFunc(others, func(p participant) bool { return p.kind == kindAgent && p.id == agent })
}

// sameOthers reports whether the same agents and numbers take part, and hold.
func sameOthers(a, b []participant) bool {
	if len(a) != len(b) {
		return false
	}
	for _, p := range a {
		p.nickname = ""
		if !slices.ContainsFunc(b, func(q participant) bool { q.nickname = ""; return p == q }) {
			return false
		}
	}
	return true
}

// customerOf returns the customer as a participant, if enough is known.
func customerOf(state *contract.State, m Medium) (participant, bool) {
	customer := participant{kind: kindCustomer}
	switch {
	case !state.DisconnectedAt.IsZero() || state.State == interaction.StateCompleted:
	case m.Name == Call.Name && state.Direction == directionOutbound:
		customer.number = cmp.Or(state.Destination, state.DNIS)
	case m.Name == Call.Name:
		customer.number = state.ANI
	case m.Name == Chat.Name:
		customer.nickname = nameOf(state.Customer)
	}
	return customer, customer.number != "" || customer.nickname != ""
}

func nameOf(customer map[string]any) string {
	both := strings.TrimSpace(text(customer, "firstName", "first_name") + " " + text(customer, "lastName", "last_name"))
	return cmp.Or(text(customer, "nickname", "name", "displayName"), both)
}

func (b *buffer) participants(key string, all []participant, base string) {
	b.key(key)
	*b = append(*b, '[')
	for n := range all {
		if n > 0 {
			*b = append(*b, ',')
		}
		*b = append(*b, '{')
		b.participant(&all[n], base)
		*b = append(*b, '}')
	}
	*b = append(*b, ']')
}

func (b *buffer) participant(p *participant, base string) {
	b.text("type", p.kind)
	switch {
	case p.kind == kindAgent:
		b.text("id", p.id)
		b.text("nickname", p.nickname)
		b.text("uri", URI(base, "users", p.id))
		b.text("path", Path("users", p.id))
	case p.number != "":
		b.text("phoneNumber", p.number)
		b.text("digits", strings.TrimPrefix(p.number, "+"))
		b.text("formattedPhoneNumber", p.number)
		b.text("e164Number", e164(p.number))
	default:
		b.text("nickname", p.nickname)
	}
	b.flag("held", p.held)
}

// e164 returns a number that is in the international form; else nothing.
func e164(number string) string {
	if digits, ok := strings.CutPrefix(number, "+"); ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
		return number
	}
	return ""
}
