package interaction

import (
	"bytes"
	"encoding/json"
	"time"
)

// record is everything that is known of an interaction: what a continue-as-new
// carries. Maps, agents, spans and the other slices are replaced, never changed
// in place; only the legs are, and a draft has its own.
type record struct {
	Facts
	Draft bool `json:"draft,omitempty"`
	// Owner is the id of the agent who has it, Past those of the agents who had it and
	// took part, in order; none comes twice in a row.
	Owner   string   `json:"owner,omitempty"`
	Past    []string `json:"past,omitempty"`
	Agents  []*known `json:"agents,omitempty"`
	Parties []party  `json:"parties,omitempty"`

	Legs   []*leg  `json:"legs,omitempty"`
	Closed []entry `json:"closed,omitempty"`
	// Entries counts the segments ever entered; it orders the timeline.
	Entries int64 `json:"entries"`
	// Clock is the latest instant of the timeline: reports that come late do not turn it back.
	Clock  time.Time `json:"clock"`
	Meters meters    `json:"meters"`

	// Waiting: the business process waits for an agent and has not been dequeued.
	Waiting bool `json:"waiting,omitempty"`
	// Announced: chat.new was fired.
	Announced bool `json:"announced,omitempty"`
	// HungUp: the customer has left; what that fires was fired.
	HungUp bool `json:"hung_up,omitempty"`
	// EndedBy is what ended it, in words.
	EndedBy string `json:"ended_by,omitempty"`
	// SentAway: it was transferred to a number, whose end is the transfer's end.
	SentAway bool `json:"sent_away,omitempty"`
	// Closing: the late-events timer ran out; nothing is taken any more.
	Closing bool `json:"closing,omitempty"`

	Excluded     []string      `json:"excluded,omitempty"`
	Attempt      int           `json:"attempt,omitempty"`
	Misses       int           `json:"misses,omitempty"`
	OfferTimeout time.Duration `json:"offer_timeout,omitempty"`

	UserData    map[string]any `json:"user_data,omitempty"`
	Survey      map[string]any `json:"survey,omitempty"`
	Disposition *Disposition   `json:"disposition,omitempty"`
	Engagement  *Engagement    `json:"engagement,omitempty"`
	Signals     []Signal       `json:"signals,omitempty"`
	Children    []string       `json:"children,omitempty"`
	Sequence    int64          `json:"sequence"`
	// Internals counts the commands that timers, or a cancel, gave.
	Internals int64 `json:"internals,omitempty"`
	// Faults counts the deliveries that failed for good, each as often as it did.
	Faults int64 `json:"faults,omitempty"`

	// OpenedAt, Since and QueuedAt are for timers, so they are when a command was
	// applied and not when its source says it happened, whose clock may be off:
	// the start, the entry into the present state, and into the queue.
	OpenedAt time.Time `json:"opened_at"`
	Since    time.Time `json:"since"`
	QueuedAt time.Time `json:"queued_at,omitzero"`
}

// known is an agent who had a leg.
type known struct {
	Agent *Agent `json:"agent"`
	// TookPart: the agent was connected, or worked on a draft; an offer alone does not count.
	TookPart bool `json:"took_part,omitempty"`
	// Code is the agent's disposition code.
	Code string `json:"code,omitempty"`
	// Session is the agent's latest time with the customer.
	Session *Session `json:"session,omitempty"`
}

// party is somebody outside who takes part: a number consulted or in a conference.
type party struct {
	Number  string  `json:"number"`
	Segment Segment `json:"segment"`
}

// Engagement is where an attempt to engage a web visitor stands (GWE Engagement API).
type Engagement struct {
	Profile    map[string]any `json:"profile,omitempty"`
	CancelData map[string]any `json:"cancel_data,omitempty"`
	Attempts   int            `json:"attempts"`
	Result     string         `json:"result,omitempty"`
}

// MarshalJSON writes the whole interaction, for a run that carries on.
func (i Interaction) MarshalJSON() ([]byte, error) {
	return json.Marshal(i.r)
}

// UnmarshalJSON restores what MarshalJSON wrote, number for number.
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

// UnmarshalJSON restores a turn number for number, so that a call rendered from a
// turn that was stored or carried over has the bytes of the original.
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

// Settle settles the numbers of a view that was decoded with json.Decoder.UseNumber.
func (v *View) Settle() {
	for _, object := range []map[string]any{v.Interaction.Customer, v.UserData, v.Survey} {
		Settled(object)
	}
	v.Interaction.Workbin = Settled(v.Interaction.Workbin)
}
