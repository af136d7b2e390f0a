package interaction

import (
	"fmt"
	"slices"
	"strings"

	"segue/spelling"
)

// commandStart is the name of the start in errors and events.
const commandStart = "start"

// DecodeStart reads the input of an interaction. Its error is an *InvalidError.
func DecodeStart(data []byte) (Start, error) {
	body, _, err := startMessage.decode(commandStart, data)
	if err != nil {
		return Start{}, err
	}
	start := body.(Start)
	if together := len(start.ContactCenter) + len(start.ID); together > MaxIdentity {
		return Start{}, &InvalidError{Field: "id", Value: shown(start.ID), Why: WhyTooLarge, Reason: fmt.Sprintf(
			"has %d bytes together with contact_center; keep both together within %d", together, MaxIdentity)}
	}
	if start.Draft && start.Agent == nil {
		return Start{}, &InvalidError{Command: commandStart, Field: "agent", Why: WhyMissing, Reason: "is missing; a draft belongs to an agent"}
	}
	return start, nil
}

// Decode reads a command of the platform by its wire name. Its error is an *InvalidError.
func Decode(name string, data []byte) (Command, error) {
	known, ok := messages[name]
	if !ok {
		return Command{}, unknownCommand(name)
	}
	body, read, err := known.decode(name, data)
	if err != nil {
		return Command{}, err
	}
	return Command{Name: name, Envelope: read.envelope(), Body: body, Fields: read.ownFields()}, nil
}

// Commands lists the wire names of the platform's commands, in the table's order.
func Commands() []string {
	return slices.Clone(commandNames)
}

// IsCommand reports whether the platform may send a command of that name.
func IsCommand(name string) bool {
	_, ok := messages[name]
	return ok
}

func unknownCommand(name string) *InvalidError {
	reason := "no such command"
	if meant := spelling.Closest(name, commandNames); meant != "" {
		reason += fmt.Sprintf("; did you mean %s?", meant)
	} else {
		reason += "; use one of " + strings.Join(commandNames, ", ")
	}
	return &InvalidError{Command: shortened(strings.ToValidUTF8(name, "�")), Why: WhyUnknown, Reason: reason}
}

// decode checks the payload against envelope and fields, and builds the body.
func (m message) decode(name string, data []byte) (any, payload, error) {
	object, invalid := parseObject(data)
	if invalid == nil {
		invalid = m.check(object)
	}
	if invalid != nil {
		invalid.Command = name
		return nil, nil, invalid
	}
	read := payload(object)
	if m.body == nil {
		return nil, read, nil
	}
	return m.body(read), read, nil
}

func (m message) check(object map[string]any) *InvalidError {
	if invalid := misspelled(object, m.fields, envelopeShape).invalid(); invalid != nil {
		return invalid
	}
	if invalid := envelopeShape.check(object); invalid != nil {
		return invalid
	}
	if invalid := m.fields.check(object); invalid != nil {
		return invalid
	}
	given := 0
	for _, name := range m.anyOf {
		if isGiven(object[name]) {
			given++
		}
	}
	switch {
	case len(m.anyOf) > 0 && given == 0:
		return &InvalidError{Field: m.anyOf[0], Why: WhyMissing, Reason: "is missing; send " + strings.Join(m.anyOf, " or ")}
	case len(m.notBoth) > 0 && given > 1:
		return &InvalidError{Field: m.notBoth[1], Why: WhyInvalid, Reason: "send " + strings.Join(m.notBoth, " or ") + ", not both"}
	}
	return nil
}

func isGiven(value any) bool {
	return value != nil && value != ""
}
