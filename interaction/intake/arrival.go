package intake

import (
	"encoding/json"
	"fmt"
	"time"

	"segue/interaction"
)

// Arrival is one command as it arrived. Its JSON is enough to judge it in a later run.
type Arrival struct {
	Name    string          `json:"name"`
	Payload json.RawMessage `json:"payload"`
	// Number is the command's source_sequence; 0 is none.
	Number int64 `json:"number"`
	// EventID identifies the command, so that a repeat is recognized: the command's own
	// event_id, else the id of the message, else number and name.
	EventID string `json:"event_id"`
	// At is when the command arrived.
	At time.Time `json:"at"`

	// Awaited: the sender waits for the verdict. It is not carried over: an awaited
	// command has to be judged in the run in which it arrived.
	Awaited bool `json:"-"`

	command    interaction.Command
	err        error      // why a carried command no longer decodes
	duplicates []*Arrival // awaited repeats of this command while it is buffered
}

// Verdict is the result of an arrival: an effect, or an error, or neither if the arrival
// is a duplicate of one that was applied.
type Verdict struct {
	Effect    interaction.Effect
	Duplicate bool
	Err       error
}

// Read decodes a command. messageID identifies a command that has no event_id; it may be
// empty. The error is an *interaction.InvalidError.
func Read(name string, payload []byte, messageID string) (*Arrival, error) {
	command, err := interaction.Decode(name, payload)
	if err != nil {
		return nil, err
	}
	a := &Arrival{Name: name, Payload: payload, Number: command.SourceSequence, EventID: command.EventID, command: command}
	if a.EventID == "" {
		a.EventID = messageID
	}
	if a.EventID == "" && a.Number > 0 {
		// No event_id can contain a line break, so none equals this one.
		a.EventID = fmt.Sprintf("\n%d %s", a.Number, a.Name)
	}
	a.command.EventID = a.EventID
	return a, nil
}

// Command returns the decoded command.
func (a *Arrival) Command() interaction.Command { return a.command }

// UnmarshalJSON restores an arrival that was buffered when its run ended.
func (a *Arrival) UnmarshalJSON(data []byte) error {
	type plain Arrival
	if err := json.Unmarshal(data, (*plain)(a)); err != nil {
		return fmt.Errorf("buffered command: %w", err)
	}
	a.command, a.err = interaction.Decode(a.Name, a.Payload)
	a.command.EventID = a.EventID
	return nil
}
