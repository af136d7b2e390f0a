package interaction

import (
	"bytes"
	"encoding/json"
	"time"
)

// record is the whole state of an interaction, which continue-as-new carries over. Maps,
// agents, spans and other slices are replaced, never changed in place. Only legs are
// changed in place, and a draft has legs of its own.
type record struct {
	Facts
	Draft bool `json:"draft,omitempty"`
	// Owner is the id of the agent who has the interaction. Past are the ids of the agents
	// who had it and took part, in order; no id occurs twice in a row.
	Owner   string   `json:"owner,omitempty"`
	Past    []string `json:"past,omitempty"`
	Agents  []*known `json:"agents,omitempty"`
	Parties []party  `json:"parties,omitempty"`

	Legs   []*leg  `json:"legs,omitempty"`
	Closed []entry `json:"closed,omitempty"`
	// Entries counts the segments ever entered; it orders the timeline.
	Entries int64 `json:"entries"`
	// Clock is the latest time of the timeline; late reports do not set it back.
	Clock  time.Time `json:"clock"`
	Totals totals    `json:"meters"`

	// Waiting: the business process waits for an agent and has not been dequeued.
	Waiting bool `json:"waiting,omitempty"`
	// Announced: chat.new has fired.
	Announced bool `json:"announced,omitempty"`
	// HungUp: the customer has left, and the moments for that have fired.
	HungUp bool `json:"hung_up,omitempty"`
	// EndedBy is what ended the interaction, in words.
	EndedBy string `json:"ended_by,omitempty"`
	// TransferredOut: the interaction was transferred to a number; when that ends, the
	// transfer ends.
	TransferredOut bool `json:"sent_away,omitempty"`
	// Closing: the timer late_events has fired, and no command is taken any more.
	Closing bool `json:"closing,omitempty"`

	Excluded     []string      `json:"excluded,omitempty"`
	Attempt      int           `json:"attempt,omitempty"`
	Misses       int           `json:"misses,omitempty"`
	OfferTimeout time.Duration `json:"offer_timeout,omitempty"`

	UserData    map[string]any `json:"user_data,omitempty"`
	Survey      map[string]any `json:"survey,omitempty"`
	Disposition *Disposition   `json:"disposition,omitempty"`
	Engagement  *Engagement    `json:"engagement,omitempty"`
	// Engaged is the sequence number of the last event "engage".
	Engaged  int64    `json:"engaged,omitempty"`
	Signals  []Signal `json:"signals,omitempty"`
	Children []string `json:"children,omitempty"`
	Sequence int64    `json:"sequence"`
	// Internals counts the commands of timers and of a cancellation.
	Internals int64 `json:"internals,omitempty"`
	// Faults counts the permanent failures of deliveries; one delivery may fail several times.
	Faults int64 `json:"faults,omitempty"`

	// OpenedAt, Since and QueuedAt are the times of the start, of the entry into the current
	// state, and of the entry into the queue. Timers run from them, so they are when a command
	// was applied, not when its source says it happened: the source's clock may be wrong.
	OpenedAt time.Time `json:"opened_at"`
	Since    time.Time `json:"since"`
	QueuedAt time.Time `json:"queued_at,omitzero"`
}

// known is an agent who had a leg.
type known struct {
	Agent *Agent `json:"agent"`
	// TookPart: the agent was connected or worked on a draft; an offer alone does not count.
	TookPart bool `json:"took_part,omitempty"`
	// Code is the agent's disposition code.
	Code string `json:"code,omitempty"`
	// Session is the agent's latest time with the customer.
	Session *Session `json:"session,omitempty"`
}

// party is an outside participant: a number that is consulted or in a conference.
type party struct {
	Number  string  `json:"number"`
	Segment Segment `json:"segment"`
}

// Engagement is the state of the attempts to engage a web visitor (GWE Engagement API).
type Engagement struct {
	Profile    map[string]any `json:"profile,omitempty"`
	CancelData map[string]any `json:"cancel_data,omitempty"`
	Attempts   int            `json:"attempts"`
	Result     string         `json:"result,omitempty"`
	// EndedAt is when the last attempt ended, however it ended; nil while it is open.
	EndedAt *time.Time `json:"ended_at,omitempty"`
}

// MarshalJSON writes the whole interaction, for the next run.
func (i Interaction) MarshalJSON() ([]byte, error) {
	return json.Marshal(i.r)
}

// UnmarshalJSON reads what MarshalJSON wrote, with every number as it was.
func (i *Interaction) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var r record
	if err := decoder.Decode(&r); err != nil {
		return err
	}
	for _, object := range []map[string]any{r.Customer, r.UserData, r.Survey} {
		Settled(object)
	}
	r.Workbin = Settled(r.Workbin)
	if r.Engagement != nil {
		Settled(r.Engagement.Profile)
		Settled(r.Engagement.CancelData)
	}
	i.r = r
	return nil
}

// UnmarshalJSON reads a turn with every number as it was, so that a call rendered from a
// stored or carried-over turn has the bytes of the original.
func (t *Turn) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	type plain Turn
	if err := decoder.Decode((*plain)(t)); err != nil {
		return err
	}
	t.View.Settle()
	for i := range t.Events {
		Settled(t.Events[i].Fields)
	}
	return nil
}

// Settle gives the numbers of a view that was decoded with json.Decoder.UseNumber the
// types that Decode gives them.
func (v *View) Settle() {
	for _, object := range []map[string]any{v.Interaction.Customer, v.UserData, v.Survey} {
		Settled(object)
	}
	v.Interaction.Workbin = Settled(v.Interaction.Workbin)
}
