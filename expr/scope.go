package expr

import (
	"errors"

	"segue/interaction"

	"cel.dev/cel-go/cel"
)

// ErrMissing says that a value does not exist: an absent key, no agent, or a
// fact that has no value yet.
var ErrMissing = errors.New("no value")

// Missing is what happens to a value that does not exist.
type Missing string

// The policies for a missing value; the zero value counts as MissingEmpty.
const (
	MissingEmpty Missing = "empty" // the empty string
	MissingOmit  Missing = "omit"  // the key, element, parameter or header is left out
	MissingNull  Missing = "null"  // JSON null; empty where there is no null
	MissingPark  Missing = "park"  // the delivery is parked
)

// Delivery is what a header's expression may say about the delivery itself.
type Delivery struct{ ID string }

// Scope is what one evaluation sees. It resolves only the variables that are
// used and copies nothing.
type Scope struct {
	View     *interaction.View
	Event    *interaction.Event
	Delivery Delivery
}

var _ cel.Activation = (*Scope)(nil)

// Parent is nil: a scope is complete.
func (s *Scope) Parent() cel.Activation { return nil }

// ResolveName finds a declared variable.
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

// agent is whom the event is about; without such an agent, the interaction's.
func (s *Scope) agent() *interaction.Agent {
	if s.Event.Agent != nil {
		return s.Event.Agent
	}
	return s.View.Agent
}

// previousAgent belongs to the same agent as agent does.
func (s *Scope) previousAgent() *interaction.Agent {
	if s.Event.Agent != nil {
		return s.Event.PreviousAgent
	}
	return s.View.PreviousAgent
}
