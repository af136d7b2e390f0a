package intake

import (
	"encoding/json"
	"fmt"
	"strings"
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

	// Element: the command came in an array. NoWait: there, its sender does not wait for its number.
	Element bool `json:"element,omitempty"`
	NoWait  bool `json:"no_wait,omitempty"`

	command    interaction.Command
	err        error      // why a carried command no longer decodes
	duplicates []*Arrival // awaited repeats of this command while it is buffered
}

// Verdict is the result of an arrival: an effect, or an error, or neither if the arrival
// is a duplicate of one that was applied.
type Verdict struct {
	Effect    interaction.Effect
	Duplicate bool
	// Child is the id of the draft that the command, a reply, has started, also if the arrival is
	// a duplicate of that reply.
	Child string
	// Attempt is the number of the attempt to engage a visitor that the command has opened; 0 for
	// none, and for a duplicate.
	Attempt int
	Err     error
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
		a.EventID = fmt.Sprintf("%s%d %s", byNumber, a.Number, a.Name)
	}
	a.command.EventID = a.EventID
	return a, nil
}

// byNumber begins what identifies a command by its number. No event_id can contain a line break, so
// none equals it.
const byNumber = "\n"

// ShownID returns what identifies the command, for others to see; "" if its number does.
func (a *Arrival) ShownID() string {
	if strings.HasPrefix(a.EventID, byNumber) {
		return ""
	}
	return a.EventID
}

// repeat returns an arrival that repeats an applied command, whatever its payload is.
func repeat(name, eventID string, by *interaction.Actor) *Arrival {
	a := &Arrival{Name: name, EventID: eventID}
	a.command = interaction.Command{Name: name, Envelope: interaction.Envelope{EventID: eventID, By: by}}
	return a
}

// Envelope reads the event_id and the actor of a payload that may be no valid command; what
// cannot be read is "" and nil.
func Envelope(payload []byte) (eventID string, by *interaction.Actor) {
	var fields struct {
		EventID json.RawMessage `json:"event_id"`
		By      json.RawMessage `json:"by"`
	}
	if json.Unmarshal(payload, &fields) != nil {
		return "", nil
	}
	if json.Unmarshal(fields.EventID, &eventID) != nil {
		eventID = ""
	}
	if json.Unmarshal(fields.By, &by) != nil {
		by = nil
	}
	return eventID, by
}

// The fields that only elements of arrays have. They are none of the command's own: its events are
// the same whether it came alone or in an array.
const (
	fieldCommand = "command"
	fieldNoWait  = "no_wait"
)

func withoutElementFields(fields map[string]any) map[string]any {
	delete(fields, fieldCommand)
	delete(fields, fieldNoWait)
	return fields
}

// ReadElement reads an element of an array of commands, as Read does. In addition, the element has
// the name of the command, and may have the boolean field no_wait.
func ReadElement(name string, element []byte, messageID string) (*Arrival, error) {
	a, err := Read(name, element, messageID)
	if err != nil {
		return nil, err
	}
	value := a.command.Fields[fieldNoWait]
	noWait, isBool := value.(bool)
	if !isBool && value != nil {
		return nil, &interaction.InvalidError{Command: name, Field: fieldNoWait, Why: interaction.WhyInvalid, Reason: "not a boolean; send true or false"}
	}
	a.Element, a.NoWait = true, noWait
	a.command.Fields = withoutElementFields(a.command.Fields)
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
	if a.Element {
		a.command.Fields = withoutElementFields(a.command.Fields)
	}
	return nil
}
