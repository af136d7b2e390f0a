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
	// Reopen lets a completed id start anew.
	Reopen bool `json:"reopen,omitempty"`
	// Draft begins in composing, handled by Agent: an outbound draft, as reply makes them.
	Draft bool `json:"draft,omitempty"`
	// At is when it began at the source, if the source says so.
	At *time.Time `json:"at,omitempty"`
	// SourceSequence is the number of the start itself, if its source numbers it:
	// the commands go on from there.
	SourceSequence int64 `json:"source_sequence,omitempty"`
	// EventID and By are the envelope's, as on every command.
	EventID string `json:"event_id,omitempty"`
	By      *Actor `json:"by,omitempty"`
	// Fields are the payload's own fields as they came; not sent on.
	Fields map[string]any `json:"-"`
}

// Envelope is what every command may carry beside its own fields.
type Envelope struct {
	// EventID is the idempotency key.
	EventID string
	// At is when it happened at the source.
	At *time.Time
	// SourceSequence numbers the source's messages on one interaction from 1; 0 is none.
	SourceSequence int64
	By             *Actor
}

// Command is one decoded command.
type Command struct {
	Name string
	Envelope
	// Body is the typed payload, one of the struct types below; nil where a command has none.
	Body any
	// Fields are the command's own fields as they came, unknown ones too: what
	// expressions see as event.<field>. Read only.
	Fields map[string]any
}

// The bodies of the commands, by name.
type (
	// PlaceInQueue is the body of place_in_queue.
	PlaceInQueue struct{ Queue string }
	// Offer is the body of offer: whom the interaction rings at, at once.
	Offer struct {
		Agents  []Agent
		Preview bool
		// Timeout replaces the configured offer timeout when it is set.
		Timeout time.Duration
	}
	// Accept is the body of accept; Agent may be left to the envelope's by.
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
		// WrapUp lets the giver wrap up after handing over.
		WrapUp bool
	}
	// SegmentReport is the body of segment_change, the platform's own report.
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
	// DeleteUserData is the body of delete_user_data: keys, or an object that names inner ones.
	DeleteUserData struct {
		Keys     []string
		UserData map[string]any
	}
	// SetAttributes is the body of set_attributes; what is nil stays as it is.
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
		// Params are those of p1 … p20 that were given.
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
		// Channel is what the visitor chose, when the source says it: chat or webcallback.
		Channel string
	}
	// Timer is the body of the internal commands that timers give.
	Timer struct {
		// Agent is whose wrap-up ran out.
		Agent string
		// Overflow is the queue that takes over; empty is none.
		Overflow string
		// MaxMisses is how many offers may be missed before the queue overflows; 0 is no limit.
		MaxMisses int
	}
)

// TransferMode is how a transfer reaches the receiving agent.
type TransferMode string

// The modes of a transfer; single_step is the default.
const (
	TransferSingleStep TransferMode = "single_step"
	TransferOffer      TransferMode = "offer"
	TransferConsult    TransferMode = "consult"
)
