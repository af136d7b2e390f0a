package workflows

import (
	"segue/dispatch"
	"segue/interaction"
)

// The workflow types, as any Temporal SDK names them.
const (
	TypeInteraction = "Interaction"
	TypeDelivery    = dispatch.WorkflowDelivery
)

// UpdateCommands is the update that applies an array of commands in order. Every
// command of interaction.Commands is a signal and an update of its own name.
const UpdateCommands = "commands"

// The queries of both workflows; an Interaction has all four, a Delivery only deliveries.
const (
	QueryState      = "state"
	QueryTimeline   = "timeline"
	QueryDeliveries = "deliveries"
	QueryRejected   = "rejected"
)

// The signals of a Delivery: append comes from the interaction, the others from operators.
const (
	SignalAppend    = dispatch.SignalAppend
	SignalRedeliver = "redeliver"
	SignalDiscard   = "discard"
)

// The internal signals that a Delivery sends to its interaction while that is open.
const (
	signalLaneResult  = "lane_result"
	signalLaneDrained = "lane_drained"
)

// The application error types of a refused command or start.
const (
	ErrorIllegalCommand = "IllegalCommand"
	ErrorInvalidPayload = "InvalidPayload"
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

// DeliveryRecord is one delivery as the query "deliveries" shows it.
type DeliveryRecord struct {
	ID       string          `json:"id"`
	Call     string          `json:"call"`
	When     string          `json:"when"`
	Sequence int64           `json:"sequence"`
	Status   dispatch.Status `json:"status"`
	Code     int             `json:"code,omitempty"`
	Class    string          `json:"class,omitempty"`
	At       string          `json:"at,omitempty"`
	// Version is the configuration of the last attempt; without one, of the dispatch.
	Version string `json:"version,omitempty"`

	// What follows is filled by a Delivery only.

	// EventAt is when the event happened.
	EventAt string `json:"event_at,omitempty"`
	// Due is when a waiting one is tried next; empty behind another of its lane.
	Due string `json:"due,omitempty"`
	// Why is the last failure in plain words; it holds no secret.
	Why string `json:"why,omitempty"`
	// CanRerender says that redeliver may ask for new bytes.
	CanRerender bool            `json:"can_rerender,omitempty"`
	Attempts    []AttemptRecord `json:"attempts,omitempty"`
}

// AttemptRecord is one attempt of a delivery in its lane workflow.
type AttemptRecord struct {
	At    string `json:"at"`
	Code  int    `json:"code,omitempty"`
	Class string `json:"class"`
	MS    int64  `json:"ms"`
	// Version is the configuration that it was made with.
	Version string `json:"version,omitempty"`
}

// laneReport is the payload of both internal signals: what became of deliveries
// that the interaction handed over, and the last delivery the lane has seen.
type laneReport struct {
	Call    string       `json:"call"`
	Results []laneResult `json:"results,omitempty"`
	Last    string       `json:"last,omitempty"`
}

type laneResult struct {
	ID      string          `json:"id"`
	Status  dispatch.Status `json:"status"`
	Code    int             `json:"code,omitempty"`
	Class   string          `json:"class,omitempty"`
	At      string          `json:"at,omitempty"`
	Version string          `json:"version,omitempty"`
	Returns map[string]any  `json:"returns,omitempty"`
}

// OperatorRequest is the payload of redeliver and discard; an empty id means
// every parked delivery of the lane.
type OperatorRequest struct {
	ID string `json:"id,omitempty"`
	// Rerender asks redeliver to render the request anew, with the configuration of
	// then, from the same event; it keeps its id.
	Rerender bool `json:"rerender,omitempty"`
}
