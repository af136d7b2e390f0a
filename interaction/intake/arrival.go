package intake

import (
	"encoding/json"
	"fmt"
	"time"

	"segue/interaction"
)

// Arrival is one command as it came. Its JSON is enough to judge it in a later run.
type Arrival struct {
	Name    string          `json:"name"`
	Payload json.RawMessage `json:"payload"`
	// Number is the command's source_sequence; 0 is none.
	Number int64 `json:"number"`
	// EventID is what tells a repeat: the command's own, else that of its sender's
	// message, else its number and name.
	EventID string `json:"event_id"`
	// At is when it came.
	At time.Time `json:"at"`

	// Judged is told what became of it, once. It is not carried over: what somebody
	// waits for has to be judged in the run it came in.
	Judged func(Verdict) `json:"-"`

	command interaction.Command
	err     error      // set when a carried one does not decode any more
	twins   []*Arrival // repeats of one that waits; they get its verdict
}

// Verdict is what became of an arrival: an effect, or an error, or neither because
// it repeats what was applied.
type Verdict struct {
	Effect    interaction.Effect
	Duplicate bool
	Err       error
}

// Read decodes a command. messageID identifies one that has no event_id of its
// own; it may be empty. The error is an *interaction.InvalidError.
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
		// The line break keeps it apart from every event_id that can be sent.
		a.EventID = fmt.Sprintf("\n%d %s", a.Number, a.Name)
	}
	a.command.EventID = a.EventID
	return a, nil
}

// Command is the decoded command.
func (a *Arrival) Command() interaction.Command { return a.command }

// UnmarshalJSON restores one that waited when its run ended.
func (a *Arrival) UnmarshalJSON(data []byte) error {
	type plain Arrival
	if err := json.Unmarshal(data, (*plain)(a)); err != nil {
		return fmt.Errorf("waiting command: %w", err)
	}
	a.command, a.err = interaction.Decode(a.Name, a.Payload)
	a.command.EventID = a.EventID
	return nil
}
