package interaction

import "time"

// Event is one moment of an interaction: what a trigger may fire at.
type Event struct {
	// Sequence numbers the events of one interaction from 1, without gaps.
	Sequence int64 `json:"sequence"`
	// Cause identifies the event by what it came of: the command's event_id, the timer,
	// the failed delivery. Unlike its place in the sequence, which is final only when the
	// workflow task that applied it has completed, it stays the same when Temporal has
	// that task done again and something else has come in between. Empty for what has no
	// identity but its place: the start, and signals without an event_id.
	Cause  string `json:"cause,omitempty"`
	Moment Moment `json:"when"`
	// At is when it happened: the command's own "at", else when it was applied. As the
	// timeline's, it is never before an earlier event's.
	At time.Time `json:"at"`
	// Command is the wire name of the command that caused the event.
	Command string `json:"command"`
	// Segment and Leg are set for a segment_change; From is the segment that the
	// leg left (empty when the leg is new) and To equals Segment.
	Segment Segment `json:"segment,omitempty"`
	Leg     Leg     `json:"leg,omitempty"`
	From    Segment `json:"from,omitempty"`
	To      Segment `json:"to,omitempty"`
	// Agent is whom the event is about: the agent of the leg, or the owner.
	Agent *Agent `json:"agent,omitempty"`
	// PreviousAgent is who owned the interaction before that agent; never that agent.
	PreviousAgent *Agent `json:"previous_agent,omitempty"`
	// Session is that agent's time with the customer; nil before the first contact.
	Session *Session `json:"session,omitempty"`
	Queue   string   `json:"queue,omitempty"`
	// Reason says why, where the lifecycle names a reason (a dequeue's).
	Reason string `json:"reason,omitempty"`
	// Fields are the command's own fields as they came, without the envelope, plus
	// what the moment adds (agent_needed: excluded, attempt). Read only.
	Fields map[string]any `json:"fields,omitempty"`
}

// Session is an agent's time with the customer, the latest when there were several.
type Session struct {
	ConnectedAt time.Time `json:"connected_at"`
	// EndedAt is zero while it lasts.
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// Turn is what one applied command caused: its events, and the interaction as
// it stood afterwards, which is what the expressions of their calls see.
type Turn struct {
	View   View    `json:"view"`
	Events []Event `json:"events"`
}

// View is what a call's expressions see of an interaction at one instant. It
// shares nothing that a later command changes.
type View struct {
	Interaction   Facts          `json:"interaction"`
	Agent         *Agent         `json:"agent,omitempty"`
	PreviousAgent *Agent         `json:"previous_agent,omitempty"`
	UserData      map[string]any `json:"user_data,omitempty"`
	Disposition   *Disposition   `json:"disposition,omitempty"`
	Survey        map[string]any `json:"survey,omitempty"`
	Durations     Durations      `json:"durations"`
}

// Facts are the plain facts of an interaction.
type Facts struct {
	ID              string  `json:"id"`
	ContactCenter   string  `json:"contact_center"`
	Channel         Channel `json:"channel"`
	Direction       string  `json:"direction,omitempty"`
	State           State   `json:"state"`
	Outcome         Outcome `json:"outcome,omitempty"`
	BusinessProcess string  `json:"business_process,omitempty"`
	Queue           string  `json:"queue,omitempty"`
	Workbin         any     `json:"workbin,omitempty"`
	ANI             string  `json:"ani,omitempty"`
	DNIS            string  `json:"dnis,omitempty"`
	NativeID        string  `json:"native_id,omitempty"`
	Parent          string  `json:"parent,omitempty"`
	Comment         string  `json:"comment,omitempty"`
	// Destination is what was or is to be dialed.
	Destination string         `json:"destination,omitempty"`
	Customer    map[string]any `json:"customer,omitempty"`
	StartedAt   time.Time      `json:"started_at"`
	// EnqueuedAt is when it was placed in the queue it is or was in; a missed offer
	// does not change that. DequeuedAt is when it left the queue; zero while it waits.
	EnqueuedAt time.Time `json:"enqueued_at,omitzero"`
	DequeuedAt time.Time `json:"dequeued_at,omitzero"`
	// ConnectedAt is the customer's first contact with an agent or, where there is
	// none, with the far side. DisconnectedAt is when the customer left.
	ConnectedAt    time.Time  `json:"connected_at,omitzero"`
	DisconnectedAt time.Time  `json:"disconnected_at,omitzero"`
	EndedAt        *time.Time `json:"ended_at,omitempty"`
}

// Durations are spans of an interaction's life so far, in seconds.
type Durations struct {
	Queue  float64 `json:"queue"`
	Offer  float64 `json:"offer"`
	Handle float64 `json:"handle"`
	Hold   float64 `json:"hold"`
	WrapUp float64 `json:"wrap_up"`
	Total  float64 `json:"total"`
}
