package workflows

import (
	"segue/contract"
	"segue/interaction"
)

// The workflow types, as any Temporal SDK names them.
const (
	TypeInteraction = "Interaction"
	TypeDelivery    = contract.WorkflowDelivery
	TypeReceiver    = contract.WorkflowReceiver
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
	// QueryParts asks a lane for the workflows that have what it cannot hold.
	QueryParts = "parts"
)

// The signals of a Delivery: append comes from the interaction, the others from operators.
const (
	SignalAppend    = contract.SignalAppend
	SignalRedeliver = "redeliver"
	SignalDiscard   = "discard"
)

// SignalTell is the signal of a Receiver: worker processes send it.
const SignalTell = contract.SignalTell

// The internal signals that a Delivery sends to its interaction while that is open.
const (
	signalLaneResult  = "lane_result"
	signalLaneDrained = "lane_drained"
	// Between a lane and its parts: begin; this one has had its turn; is it my turn?
	signalRelease    = "release"
	signalPartPassed = "part_passed"
	signalPartWaits  = "part_waits"
)

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

// DeliveryRecord is one delivery as the query "deliveries" shows it.
type DeliveryRecord struct {
	ID       string          `json:"id"`
	Call     string          `json:"call"`
	When     string          `json:"when"`
	Sequence int64           `json:"sequence"`
	Status   contract.Status `json:"status"`
	Code     int             `json:"code,omitempty"`
	Class    string          `json:"class,omitempty"`
	At       string          `json:"at,omitempty"`
	// Why is the last failure in plain words or, of one that was delivered, what
	// could not be read of the response; it holds no secret.
	Why string `json:"why,omitempty"`
	// Answer is how the response to the last attempt began, if that failed.
	Answer string `json:"answer,omitempty"`
	// Version is the configuration of the last attempt; without one, of the dispatch.
	Version string `json:"version,omitempty"`

	// What follows is filled by a Delivery only.

	// EventAt is when the event happened.
	EventAt string `json:"event_at,omitempty"`
	// Due is when a waiting one is tried next; empty behind another of its lane.
	Due string `json:"due,omitempty"`
	// CanRerender says that redeliver may ask for new bytes.
	CanRerender bool            `json:"can_rerender,omitempty"`
	Attempts    []AttemptRecord `json:"attempts,omitempty"`
	// Sent counts all attempts that were made; Attempts has the last ones.
	Sent int `json:"sent,omitempty"`
	// Discarded says who gave the delivery up, and when.
	Discarded *Discarding `json:"discarded,omitempty"`
}

// Discarding says when a delivery was discarded, and by whom: what the signal gave as
// "by", or "retention" where its retention ended. Without a name, the signal in the
// history has the identity of the client that sent it.
type Discarding struct {
	At string `json:"at"`
	By string `json:"by,omitempty"`
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
	// Drained says that the lane had nothing left; the signal's name tells.
	Drained bool `json:"drained,omitempty"`
}

type laneResult struct {
	ID      string          `json:"id"`
	Status  contract.Status `json:"status"`
	When    string          `json:"when,omitempty"` // of one that is parked
	Code    int             `json:"code,omitempty"`
	Class   string          `json:"class,omitempty"`
	At      string          `json:"at,omitempty"`
	Why     string          `json:"why,omitempty"`
	Version string          `json:"version,omitempty"`
	Returns map[string]any  `json:"returns,omitempty"`
}

// ReceiverStatus is the answer of a Receiver to the query "state".
type ReceiverStatus struct {
	Call string `json:"call"`
	// State is failing, recovering (it delivered, and may fail again), parked (it
	// answers, and deliveries are parked) or recovered.
	State string `json:"state"`
	// Since is when the trouble began.
	Since string `json:"since,omitempty"`
	// Failure is the latest one.
	Failure *contract.Failure `json:"failure,omitempty"`
	// Lanes and Parked count the interactions with deliveries of the call that wait,
	// and those of them with parked ones, when that was looked at last: CountedAt.
	Lanes     int    `json:"lanes"`
	Parked    int    `json:"parked"`
	CountedAt string `json:"counted_at,omitempty"`
	// Alerts are the moments that operators were told of, the last ones.
	Alerts []AlertRecord `json:"alerts"`
}

// AlertRecord is one moment for operators and the deliveries that told of it; where
// these stand, their lane workflows know.
type AlertRecord struct {
	When       string                `json:"when"`
	Sequence   int64                 `json:"sequence"`
	At         string                `json:"at"`
	Deliveries []AlertDeliveryRecord `json:"deliveries"`
	// GivenUp says that Temporal did not take it for an hour.
	GivenUp bool `json:"given_up,omitempty"`
}

// AlertDeliveryRecord is one alert on its way.
type AlertDeliveryRecord struct {
	ID         string `json:"id"`
	Call       string `json:"call"`
	WorkflowID string `json:"workflow_id,omitempty"`
	DryRun     bool   `json:"dry_run,omitempty"`
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
