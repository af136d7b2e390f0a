package commands

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"segue/client"
	"segue/contract"
	"segue/excerpt"
	"segue/interaction"
)

// call is what one caller sends, and stays together: a command, an array, or a start.
type call struct {
	// name and payload are set for a command that can go as the update of its name.
	name    string
	payload json.RawMessage
	// alone is set for a command that cannot be an element of an array.
	alone bool
	start json.RawMessage
	// elements are the well-formed commands as elements of an array; places are their indices in
	// results. A single command is rendered as an element only when it joins a group.
	elements []json.RawMessage
	places   []int
	count    int
	bytes    int

	// gone is set when the caller no longer waits for what was sent.
	gone atomic.Bool
	// done is closed when what follows is set: one result for each command, or an error of the
	// whole.
	done    chan struct{}
	results []Result
	started Started
	err     error
}

// oneCommand returns the call of a single command, or a *client.RefusedError.
func oneCommand(name string, payload json.RawMessage) (*call, error) {
	command, err := interaction.Decode(name, payload)
	if err != nil {
		return nil, client.Malformed(err)
	}
	if payload = bytes.TrimSpace(payload); len(payload) == 0 {
		payload = json.RawMessage(`{}`)
	}
	c := &call{count: 1, bytes: len(payload) + len(name), done: make(chan struct{}), results: make([]Result, 1)}
	if command.SourceSequence > 0 {
		// It must not hold back what it waits for, so it is an element with no_wait.
		element, err := rendered(name, payload, true)
		if err != nil {
			return nil, err
		}
		c.elements, c.places = []json.RawMessage{element}, []int{0}
		return c, nil
	}
	_, c.alone = command.Fields["command"]
	c.name, c.payload = name, payload
	return c, nil
}

// array returns the call of an array. Malformed elements have their result already, and are not sent.
func array(commands []json.RawMessage) (*call, error) {
	if len(commands) > contract.CommandsLimit {
		return nil, tooLarge("%d commands; send at most %d in one array", len(commands), contract.CommandsLimit)
	}
	c := &call{done: make(chan struct{}), results: make([]Result, len(commands))}
	for i, item := range commands {
		element, err := elementOf(item)
		if err != nil {
			c.results[i].Err = err
			continue
		}
		c.elements, c.places = append(c.elements, element), append(c.places, i)
		c.bytes += len(element)
	}
	if c.bytes > ArrayBytes+AddedBytes*len(commands) {
		return nil, tooLarge("the commands have %d bytes; send at most %d in one array", c.bytes, ArrayBytes)
	}
	c.count = len(c.elements)
	return c, nil
}

func tooLarge(format string, args ...any) error {
	return &client.RefusedError{
		Type: contract.ErrorInvalidPayload, Message: fmt.Sprintf(format, args...),
		Refusal: contract.Refusal{Why: interaction.WhyTooLarge},
	}
}

// elementOf checks one element of a client's array.
func elementOf(item json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage // a struct would take "Command" for "command"
	var name string
	if json.Unmarshal(item, &fields) != nil || json.Unmarshal(fields["command"], &name) != nil || name == "" {
		return nil, client.Malformed(&interaction.InvalidError{
			Command: contract.UpdateCommands, Field: "command", Value: excerpt.Of(string(item), 60),
			Why: interaction.WhyMissing, Reason: "is missing; send an object with the name of its command",
		})
	}
	command, err := interaction.Decode(name, item)
	if err != nil {
		return nil, client.Malformed(err)
	}
	if command.SourceSequence == 0 {
		return item, nil
	}
	return rendered(name, item, true)
}

// rendered returns a well-formed payload as an element of an array.
func rendered(name string, payload json.RawMessage, noWait bool) (json.RawMessage, error) {
	if bytes.Contains(payload, []byte(`"command"`)) || bytes.Contains(payload, []byte(`"no_wait"`)) {
		return overwritten(name, payload, noWait)
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return nil, fmt.Errorf("command %q: %w", name, err)
	}
	rest := bytes.TrimLeft(payload[1:], " \t\r\n") // an object, by Decode
	element := make([]byte, 0, len(rest)+len(quoted)+32)
	element = append(append(element, `{"command":`...), quoted...)
	if noWait {
		element = append(element, `,"no_wait":true`...)
	}
	if rest[0] != '}' {
		element = append(element, ',')
	}
	return append(element, rest...), nil
}

// overwritten does the same for a payload that may have these keys already.
func overwritten(name string, payload json.RawMessage, noWait bool) (json.RawMessage, error) {
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return nil, fmt.Errorf("command %s: %w", name, err)
	}
	delete(fields, "no_wait")
	fields["command"] = name
	if noWait {
		fields["no_wait"] = true
	}
	return json.Marshal(fields)
}

// isStart reports whether the call starts the interaction.
func (c *call) isStart() bool { return c.start != nil }

// isSingle reports whether the call is one command that can go as the update of its name.
func (c *call) isSingle() bool { return c.name != "" }

// asElements returns the call's commands as elements of an array.
func (c *call) asElements() ([]json.RawMessage, error) {
	if !c.isSingle() {
		return c.elements, nil
	}
	element, err := rendered(c.name, c.payload, false)
	return []json.RawMessage{element}, err
}

// settle gives the call its outcomes, one for each element.
func (c *call) settle(runID string, outcomes []client.Outcome) {
	for i, outcome := range outcomes {
		place := i
		if !c.isSingle() {
			place = c.places[i]
		}
		c.results[place] = Result{Answer: Answer{Answer: outcome.Answer, RunID: runID}, Err: outcome.Err}
	}
	close(c.done)
}

// fail gives the call an error of the whole.
func (c *call) fail(err error) {
	c.err = err
	close(c.done)
}
