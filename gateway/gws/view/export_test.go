package view

import (
	"encoding/json"

	"segue/contract"
)

// Notifications are those of the change between two states, for tests that have no changes.
func Notifications(before *Look, change *contract.Notice, agent, base string, referenceID json.RawMessage) []Message {
	return NewChange(before, change, nil).Notifications(agent, base, referenceID)
}

// Over is the resource of an agent without a part after a change; nil without a state.
func Over(before *Look, change *contract.Notice, agent, base string) *Resource {
	c := NewChange(before, change, nil)
	if c.state() == nil {
		return nil
	}
	return c.over(agent, base)
}
