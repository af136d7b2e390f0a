package interaction

import "time"

// Start is the input of an interaction: what is known when it begins.
type Start struct {
	ID              string         `json:"id"`
	ContactCenter   string         `json:"contact_center"`
	Channel         Channel        `json:"channel"`
	Direction       string         `json:"direction,omitempty"`
	BusinessProcess string         `json:"business_process,omitempty"`
	Queue           string         `json:"queue,omitempty"`
	Agent           *Agent         `json:"agent,omitempty"`
	Destination     string         `json:"destination,omitempty"`
	NativeID        string         `json:"native_id,omitempty"`
	Parent          string         `json:"parent,omitempty"`
	ANI             string         `json:"ani,omitempty"`
	DNIS            string         `json:"dnis,omitempty"`
	Customer        map[string]any `json:"customer,omitempty"`
	UserData        map[string]any `json:"user_data,omitempty"`
	// Reopen lets the id of a completed interaction start again.
	Reopen bool `json:"reopen,omitempty"`
	// Draft makes the interaction an outbound draft, as reply does: it starts in composing,
	// handled by Agent.
	Draft bool `json:"draft,omitempty"`
	// At is when the interaction began at the source, if the source reports it.
	At *time.Time `json:"at,omitempty"`
	// SourceSequence is the number of the start, if its source numbers it; the numbers of
	// commands follow it.
	SourceSequence int64 `json:"source_sequence,omitempty"`
	// EventID and By are the envelope's, as on every command.
	EventID string `json:"event_id,omitempty"`
	By      *Actor `json:"by,omitempty"`
	// Reply are the fields of the reply that starts the interaction, except its user data. To the
	// interaction they are a field of the platform's own: expressions see them as event.reply.
	Reply map[string]any `json:"reply,omitempty"`
	// Fields are the payload's own fields as they arrived; they are not serialized.
	Fields map[string]any `json:"-"`
}

// FirstState returns the state in which the interaction opens.
func (s Start) FirstState() State {
	if s.Draft {
		return StateComposing
	}
	return StateStarted
}

// Envelope is the fields that every command may have besides its own.
type Envelope struct {
	// EventID is the idempotency key.
	EventID string
	// At is when the command happened at the source.
	At *time.Time
	// SourceSequence numbers the source's messages on one interaction from 1; 0 is none.
	SourceSequence int64
	By             *Actor
}

// Command is one decoded command.
type Command struct {
	Name string
	Envelope
	// Body is the typed payload, one of the struct types below; nil if the command has none.
	Body any
	// Fields are the command's own fields as they arrived, also unknown ones. Expressions see
	// them as event.<field>. Read only.
	Fields map[string]any
}

// The bodies of the commands, by name.
type (
	// PlaceInQueue is the body of place_in_queue.
	PlaceInQueue struct{ Queue string }
	// Offer is the body of offer: the agents to whom the interaction is offered, at the same time.
	Offer struct {
		Agents  []Agent
		Preview bool
		// Timeout replaces the configured offer timeout when it is set.
		Timeout time.Duration
	}
	// Accept is the body of accept; without Agent, the envelope's by is meant.
	Accept struct{ Agent *Agent }
	// Reject is the body of reject.
	Reject struct {
		Agent  *Agent
		Reason string
		// Final ends the interaction instead of asking for another agent.
		Final bool
	}
	// Dial is the body of dial.
	Dial struct {
		Agent       *Agent
		Destination string
	}
	// Consult is the body of consult.
	Consult struct{ To Target }
	// Conference is the body of conference: who joins, an agent or an outside party.
	Conference struct {
		Agent *Agent
		Party string
	}
	// ByAgent is the body of leave, hold and retrieve.
	ByAgent struct{ Agent *Agent }
	// Transfer is the body of transfer.
	Transfer struct {
		To   Target
		Mode TransferMode
		// WrapUp lets the agent who transfers wrap up afterwards.
		WrapUp bool
	}
	// SegmentReport is the body of segment_change, a report of the platform.
	SegmentReport struct {
		Segment Segment
		Leg     Leg
		Agent   *Agent
		Queue   string
		Party   string
	}
	// Complete is the body of complete.
	Complete struct {
		Agent       *Agent
		Disposition *Disposition
	}
	// Cancel is the body of cancel.
	Cancel struct {
		Agent  *Agent
		Reason string
	}
	// Reply is the body of reply.
	Reply struct {
		All      bool
		UserData map[string]any
	}
	// PlaceInWorkbin is the body of place_in_workbin; Workbin is a name or an object.
	PlaceInWorkbin struct {
		Workbin any
		Agent   *Agent
	}
	// SetDisposition is the body of set_disposition.
	SetDisposition struct {
		Code, Notes string
		Agent       *Agent
	}
	// UserData is the body of attach_user_data and update_user_data.
	UserData struct{ UserData map[string]any }
	// DeleteUserData is the body of delete_user_data: keys, or an object that names inner keys.
	DeleteUserData struct {
		Keys     []string
		UserData map[string]any
	}
	// SetAttributes is the body of set_attributes; nil leaves an attribute unchanged.
	SetAttributes struct {
		NativeID, BusinessProcess, ANI, DNIS, Comment *string
		Customer                                      map[string]any
	}
	// Survey is the body of survey.
	Survey struct{ Answers map[string]any }
	// Signal is the body of signal_added and signal_removed, and of the query's signals.
	Signal struct {
		Name    string
		Tooltip string
		// Params are those of p1 … p20 that are set.
		Params map[string]string
	}
	// Engage is the body of engage.
	Engage struct{ Profile map[string]any }
	// NoEngage is the body of noengage.
	NoEngage struct{ CancelData map[string]any }
	// EngagementResult is the body of engagement_result.
	EngagementResult struct {
		Result string
		Agent  *Agent
		Queue  string
		// Channel is what the visitor chose, if the source reports it: chat or webcallback.
		Channel string
		// Attempt is the attempt that was answered, and Started when the interaction started; zero if
		// the source does not report them.
		Attempt int
		Started *time.Time
	}
	// Timer is the body of the internal commands of timers.
	Timer struct {
		// Agent is the agent whose wrap-up ended.
		Agent string
		// Overflow is the queue that takes over; empty is none.
		Overflow string
		// MaxMisses is how many missed offers make the queue overflow; 0 is no limit.
		MaxMisses int
	}
)

// TransferMode is how the receiving agent gets a transfer.
type TransferMode string

// The modes of a transfer; single_step is the default.
const (
	TransferSingleStep TransferMode = "single_step"
	TransferOffer      TransferMode = "offer"
	TransferConsult    TransferMode = "consult"
)
