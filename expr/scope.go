package expr

import (
	"errors"

	"segue/interaction"

	"cel.dev/cel-go/cel"
)

// ErrMissing is the error for a value that does not exist: an absent key, no agent, or a fact
// that has no value yet.
var ErrMissing = errors.New("no value")

// Missing is the policy for a value that does not exist.
type Missing string

// The policies for a missing value; the zero value counts as MissingEmpty.
const (
	MissingEmpty Missing = "empty" // the empty string
	MissingOmit  Missing = "omit"  // the key, element, parameter or header is left out
	MissingNull  Missing = "null"  // JSON null; empty where there is no null
	MissingPark  Missing = "park"  // the delivery is parked
)

// Delivery is what the expression of a header can read of its delivery.
type Delivery struct{ ID string }

// Scope is the data of one evaluation. It resolves only the variables that an expression
// uses, and copies nothing.
type Scope struct {
	View     *interaction.View
	Event    *interaction.Event
	Delivery Delivery
}

var _ cel.Activation = (*Scope)(nil)

// Parent returns nil: a scope is complete.
func (s *Scope) Parent() cel.Activation { return nil }

// ResolveName returns the value of a declared variable.
func (s *Scope) ResolveName(name string) (any, bool) {
	switch name {
	case "interaction":
		return &s.View.Interaction, true
	case "agent":
		return s.agent(), true
	case "previous_agent":
		return s.previousAgent(), true
	case "event":
		return s.Event, true
	case "user_data":
		return s.View.UserData, true
	case "disposition":
		return s.View.Disposition, true
	case "survey":
		return s.View.Survey, true
	case "durations":
		return &s.View.Durations, true
	case "delivery":
		return &s.Delivery, true
	}
	return nil, false
}

// agent returns the agent of the event, else the agent of the interaction.
func (s *Scope) agent() *interaction.Agent {
	if s.Event.Agent != nil {
		return s.Event.Agent
	}
	return s.View.Agent
}

// previousAgent returns the previous agent of the event if the event has an agent, else that
// of the interaction.
func (s *Scope) previousAgent() *interaction.Agent {
	if s.Event.Agent != nil {
		return s.Event.PreviousAgent
	}
	return s.View.PreviousAgent
}
