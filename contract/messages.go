package contract

import (
	"encoding/json"

	"segue/excerpt"
	"segue/interaction"
)

// The workflow types, as any Temporal SDK names them.
const (
	WorkflowInteraction = "Interaction"
	WorkflowDelivery    = "Delivery"
	WorkflowReceiver    = "Receiver"
)

// UpdateCommands and SignalCommands are the update and the signal that apply an array of commands
// in order. In addition, every command of interaction.Commands is a signal and an update of the same
// name.
const (
	UpdateCommands = "commands"
	SignalCommands = UpdateCommands
)

// CommandsLimit bounds one array of commands.
const CommandsLimit = 1000

// FirstCommands is the second argument of an Interaction that is started with its first commands:
// the array that the signal "commands" takes. The interaction applies them before any signal.
type FirstCommands struct {
	Commands json.RawMessage `json:"commands"`
}

// The queries. An Interaction has the first four, a Delivery has deliveries and parts, a
// Receiver has state.
const (
	QueryState      = "state"
	QueryTimeline   = "timeline"
	QueryDeliveries = "deliveries"
	QueryRejected   = "rejected"
	// QueryParts returns, from a lane, the part that is sent now or next and, from a part,
	// the part that follows it.
	QueryParts = "parts"
)

// The signals of a Delivery. The interaction sends append with a HandOver; operators send the
// others with an OperatorRequest.
const (
	SignalAppend    = "append"
	SignalRedeliver = "redeliver"
	SignalDiscard   = "discard"
)

// SignalHealth is the signal of a Receiver. Worker processes send it with a HealthReport.
const SignalHealth = "tell"

// The application error types of a refused command or start.
const (
	ErrorIllegalCommand = "IllegalCommand"
	ErrorInvalidPayload = "InvalidPayload"
	// ErrorOverloaded refuses updates only: the interaction has as many open deliveries as it
	// can hold. The same update may be sent again later.
	ErrorOverloaded = "Overloaded"
)

// Answer is the answer of an update.
type Answer struct {
	State interaction.State `json:"state"`
	// Sequence is the number of the interaction's last event.
	Sequence int64 `json:"sequence"`
	// Revision is the number of the interaction's last visible change.
	Revision int64 `json:"revision"`
	// Capabilities are the commands that are legal now for the actor of the command, else for
	// the platform. If the results of an array together are too large, only the last one has
	// them, and refusals have no Legal; nil is not known.
	Capabilities []string `json:"capabilities,omitzero"`
	// Duplicate reports that the command's event_id was applied before.
	Duplicate bool `json:"duplicate,omitempty"`
	// Waiting reports that the command has a source_sequence that is ahead and was sent with
	// no_wait: it will be judged later, as a signal is.
	Waiting bool `json:"waiting,omitempty"`
	// Child is the id of the draft that reply started.
	Child string `json:"child,omitempty"`
	// Attempt is the number of the attempt to engage a visitor that the command, an engage, has
	// opened; 0 for none. Commands that are answered together may have one revision.
	Attempt int `json:"attempt,omitempty"`
}

// CommandResult is one element of the answer of the update "commands": an Answer, or the error
// of a refused command.
type CommandResult struct {
	Answer
	Error *CommandError `json:"error,omitempty"`
}

// CommandError is the reason why one command of an array was refused.
type CommandError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Refusal
}

// Rejected is one refused signal, or refused command of an array, as the query "rejected" shows it.
type Rejected struct {
	Command string `json:"command"`
	EventID string `json:"event_id,omitempty"`
	Reason  string `json:"reason"`
	At      string `json:"at"`
}

// Shown returns the command and the event id of a refused signal as Rejected has them: cut to 128 and 256 bytes.
func Shown(command, eventID string) (shownCommand, shownEventID string) {
	return excerpt.Of(command, 128), excerpt.Of(eventID, 256)
}

// OperatorRequest is the payload of redeliver and discard.
type OperatorRequest struct {
	// ID selects one delivery; empty selects every parked delivery of the lane.
	ID string `json:"id,omitempty"`
	// All selects every delivery of the lane that is not settled, also those that wait.
	All bool `json:"all,omitempty"`
	// By names the operator, for the record.
	By string `json:"by,omitempty"`
	// Rerender makes redeliver render the request again from the same event, with the
	// configuration at that time; it keeps its id.
	Rerender bool `json:"rerender,omitempty"`
}

// StateRequest is the optional argument of the query "state": the actor whose capabilities the
// answer has. Without one, they are the platform's.
type StateRequest struct {
	ID   string           `json:"id,omitempty"`
	Role interaction.Role `json:"role,omitempty"`
	// Agents asks for CapabilitiesFor as well.
	Agents bool `json:"agents,omitempty"`
}
