package contract

import "segue/interaction"

// The workflow types, as any Temporal SDK names them.
const (
	WorkflowInteraction = "Interaction"
	WorkflowDelivery    = "Delivery"
	WorkflowReceiver    = "Receiver"
)

// UpdateCommands is the update that applies an array of commands in order. Every
// command of interaction.Commands is a signal and an update of its own name.
const UpdateCommands = "commands"

// The queries; an Interaction has the first four, a Delivery deliveries and parts, a
// Receiver only state.
const (
	QueryState      = "state"
	QueryTimeline   = "timeline"
	QueryDeliveries = "deliveries"
	QueryRejected   = "rejected"
	// QueryParts asks a lane for the part that is sent now or next, and a part for the
	// part that follows it.
	QueryParts = "parts"
)

// The signals of a Delivery: append carries a HandOver and comes from the interaction, the
// others carry an OperatorRequest.
const (
	SignalAppend    = "append"
	SignalRedeliver = "redeliver"
	SignalDiscard   = "discard"
)

// SignalHealth is the signal of a Receiver: worker processes send it with a HealthReport.
const SignalHealth = "tell"

// The application error types of a refused command or start.
const (
	ErrorIllegalCommand = "IllegalCommand"
	ErrorInvalidPayload = "InvalidPayload"
	// ErrorOverloaded is an update's alone: the interaction owes its receivers all
	// that it may, and the same update may be sent again later.
	ErrorOverloaded = "Overloaded"
)

// Answer is what an update answers.
type Answer struct {
	State interaction.State `json:"state"`
	// Sequence is the number of the last event the interaction has.
	Sequence     int64    `json:"sequence"`
	Capabilities []string `json:"capabilities"`
	// Duplicate says that the command's event_id was applied before.
	Duplicate bool `json:"duplicate,omitempty"`
}

// CommandResult is one element of what the update "commands" answers: an Answer,
// or the error of a command that was refused.
type CommandResult struct {
	Answer
	Error *CommandError `json:"error,omitempty"`
}

// CommandError says why one command of an array was refused.
type CommandError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// Rejected is one refused signal, as the query "rejected" shows it.
type Rejected struct {
	Command string `json:"command"`
	EventID string `json:"event_id,omitempty"`
	Reason  string `json:"reason"`
	At      string `json:"at"`
}

// OperatorRequest is the payload of redeliver and discard; an empty id means
// every parked delivery of the lane.
type OperatorRequest struct {
	ID string `json:"id,omitempty"`
	// All means every delivery of the lane that is not settled, also those that wait.
	All bool `json:"all,omitempty"`
	// By is who asks, for the record.
	By string `json:"by,omitempty"`
	// Rerender asks redeliver to render the request anew, with the configuration of
	// then, from the same event; it keeps its id.
	Rerender bool `json:"rerender,omitempty"`
}
