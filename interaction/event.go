package interaction

import "time"

// Event is one moment of an interaction, at which triggers fire.
type Event struct {
	// Sequence numbers the events of one interaction from 1, without gaps.
	Sequence int64 `json:"sequence"`
	// Cause identifies the event by its cause: the command's event_id, the timer, the failed
	// delivery. The sequence number is final only when the workflow task that applied the
	// command has completed; the cause stays the same if Temporal has the task done again
	// and another command has arrived in between. Empty for events that only their sequence
	// number identifies: those of the start, and of signals without an event_id.
	Cause  string `json:"cause,omitempty"`
	Moment Moment `json:"when"`
	// At is when it happened: the command's own "at", else when the command was applied. It
	// is never before an earlier event's.
	At time.Time `json:"at"`
	// Command is the wire name of the command that caused the event.
	Command string `json:"command"`
	// Segment and Leg are set for a segment_change. From is the segment that the leg left;
	// empty if the leg is new. To equals Segment.
	Segment Segment `json:"segment,omitempty"`
	Leg     Leg     `json:"leg,omitempty"`
	From    Segment `json:"from,omitempty"`
	To      Segment `json:"to,omitempty"`
	// Agent is the agent whom the event is about: the agent of the leg, or the owner.
	Agent *Agent `json:"agent,omitempty"`
	// PreviousAgent is the agent who owned the interaction before Agent; never Agent.
	PreviousAgent *Agent `json:"previous_agent,omitempty"`
	// Session is Agent's time with the customer; nil before the first contact.
	Session *Session `json:"session,omitempty"`
	Queue   string   `json:"queue,omitempty"`
	// Reason is the reason of a dequeue.
	Reason string `json:"reason,omitempty"`
	// Fields are the command's own fields as they arrived, without the envelope, plus those
	// that the moment adds (agent_needed: excluded, attempt). Read only.
	Fields map[string]any `json:"fields,omitempty"`
}

// Session is an agent's time with the customer; the last one if there were several.
type Session struct {
	ConnectedAt time.Time `json:"connected_at"`
	// EndedAt is zero while it lasts.
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// Turn is what one applied command caused: its events, and the interaction after the
// command, as the expressions of the calls see it.
type Turn struct {
	View   View    `json:"view"`
	Events []Event `json:"events"`
}

// View is what a call's expressions see of an interaction at one time. Later commands do
// not change it.
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
	// Destination is the number or address that was or will be dialed.
	Destination string         `json:"destination,omitempty"`
	Customer    map[string]any `json:"customer,omitempty"`
	StartedAt   time.Time      `json:"started_at"`
	// EnqueuedAt is when the interaction was placed in its current or last queue; a missed
	// offer does not change it. DequeuedAt is when it left the queue; zero while it waits.
	EnqueuedAt time.Time `json:"enqueued_at,omitzero"`
	DequeuedAt time.Time `json:"dequeued_at,omitzero"`
	// ConnectedAt is the customer's first contact with an agent or, without agents, with the
	// other side. DisconnectedAt is when the customer left.
	ConnectedAt    time.Time  `json:"connected_at,omitzero"`
	DisconnectedAt time.Time  `json:"disconnected_at,omitzero"`
	EndedAt        *time.Time `json:"ended_at,omitempty"`
}

// Durations are the durations of an interaction so far, in seconds.
type Durations struct {
	Queue  float64 `json:"queue"`
	Offer  float64 `json:"offer"`
	Handle float64 `json:"handle"`
	Hold   float64 `json:"hold"`
	WrapUp float64 `json:"wrap_up"`
	Total  float64 `json:"total"`
}
