package view

import (
	"cmp"

	"segue/contract"
)

// Look is what is needed to see an interaction: the whole state, and what each agent with an open leg
// may do.
type Look struct {
	State           *contract.State
	CapabilitiesFor map[string][]string
}

// Resource is an interaction as GWS shows it to one agent, always whole. It marshals to the documented
// JSON.
type Resource struct {
	state        *contract.State
	medium       Medium
	name         string
	capabilities []string
	agent, base  string
	// userData is the user data as JSON if it is encoded already.
	userData []byte
}

// Of returns the resource of an interaction for an agent; for an agent without an open part, or an
// empty agent, it has no capabilities. base is the start of absolute URIs: https://host.
func Of(l Look, agent, base string) *Resource {
	return resourceOf(l.State, stateName(l.State, agent), lookAt(l, agent).capabilities(), agent, base)
}

func resourceOf(state *contract.State, name string, capabilities []string, agent, base string) *Resource {
	return &Resource{
		state: state, medium: MediumOf(state.Channel), name: name, capabilities: capabilities, agent: agent, base: base,
	}
}

// Medium returns the medium of the interaction.
func (r *Resource) Medium() Medium { return r.medium }

// StateName returns the name of the state, such as Ringing.
func (r *Resource) StateName() string { return r.name }

// Capabilities lists the operations that the agent may give; never nil.
func (r *Resource) Capabilities() []string { return r.capabilities }

// Path and URI return where the interaction is: /calls/{id}, and the same as an absolute URI.
func (r *Resource) Path() string { return Path(r.medium.Plural, r.state.ID) }

// URI returns the absolute address of the interaction.
func (r *Resource) URI() string { return URI(r.base, r.medium.Plural, r.state.ID) }

// direction is the value of callType, chatType, ….
func direction(state *contract.State) string {
	switch state.Direction {
	case directionOutbound:
		return "Outbound"
	case directionInternal:
		return "Internal"
	}
	return "Inbound"
}

// receivedLayout is how GWS writes the time at which an interaction arrived, which is in UTC here.
const receivedLayout = "2006-01-02 15:04:05.000+0000"

// mail is who writes to whom, and about what.
type mail struct {
	subject, from string
	to            []string
}

// mailOf finds the fields of an email in what the platform has sent: the user data, in the spelling of
// GWS or of email, and the customer.
func mailOf(state *contract.State) mail {
	address := text(state.Customer, "email", "emailAddress", "address")
	m := mail{
		subject: cmp.Or(text(state.UserData, "subject", "Subject"), text(state.Customer, "subject", "Subject")),
		from:    text(state.UserData, "from", "From", "FromAddress"),
		to:      textsIn(state.UserData, "to", "To", "ToAddress"),
	}
	theirs, ours := text(state.Customer, "from", "From"), textsIn(state.Customer, "to", "To")
	if state.Direction == directionOutbound {
		if customer := cmp.Or(theirs, address, state.Destination); len(m.to) == 0 && customer != "" {
			m.to = []string{customer}
		}
		if m.from == "" && len(ours) > 0 {
			m.from = ours[0]
		}
		return m
	}
	m.from = cmp.Or(m.from, theirs, address, state.ANI)
	if len(m.to) == 0 {
		m.to = ours
	}
	if len(m.to) == 0 && state.DNIS != "" {
		m.to = []string{state.DNIS}
	}
	return m
}

// text returns the first of the keys' values that is a text.
func text(object map[string]any, keys ...string) string {
	for _, key := range keys {
		if value, ok := object[key].(string); ok && value != "" {
			return value
		}
	}
	return ""
}

// textsIn returns the first of the keys' values that is a text or a list of texts.
func textsIn(object map[string]any, keys ...string) []string {
	for _, key := range keys {
		switch value := object[key].(type) {
		case string:
			if value != "" {
				return []string{value}
			}
		case []any:
			found := make([]string, 0, len(value))
			for _, item := range value {
				if one, ok := item.(string); ok {
					found = append(found, one)
				}
			}
			if len(found) > 0 {
				return found
			}
		}
	}
	return nil
}
