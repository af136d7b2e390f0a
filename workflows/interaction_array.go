package workflows

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
	"segue/interaction"
	"segue/interaction/intake"
)

// Commands also come in arrays: as an update, as a signal, and with the start.

// registerArray registers the update "commands": an array that is applied in order, with one
// result for each command. A refused command does not stop the following ones.
func (r *run) registerArray(ctx workflow.Context) error {
	handle := func(ctx workflow.Context, raw converter.RawValue) ([]contract.CommandResult, error) {
		r.updates++
		items, err := arrayOfRaw(raw)
		if err != nil {
			return nil, refusal(err)
		}
		replies := make([]*reply, len(items))
		for i, item := range items {
			replies[i] = r.requestItem(item, itemID(workflow.GetCurrentUpdateInfo(ctx).ID, i))
		}
		if err := r.awaitReplies(ctx, replies...); err != nil {
			return nil, err
		}
		results := make([]contract.CommandResult, len(items))
		for i, reply := range replies {
			results[i] = reply.result()
		}
		return bounded(results), nil
	}
	validate := func(ctx workflow.Context, raw converter.RawValue) error {
		items, err := arrayOfRaw(raw)
		if err == nil {
			err = r.checkOverloadOfArray(items, workflow.GetCurrentUpdateInfo(ctx).ID)
		}
		if err == nil {
			err = r.admit(raw.Payload().GetData(), len(items))
		}
		if err != nil {
			return refusal(err)
		}
		return nil
	}
	options := workflow.UpdateHandlerOptions{Validator: validate, Description: "commands of the interaction, applied in order"}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, contract.UpdateCommands, handle, options); err != nil {
		return fmt.Errorf("update %s: %w", contract.UpdateCommands, err)
	}
	return nil
}

func arrayOfRaw(raw converter.RawValue) ([]json.RawMessage, error) {
	payload, err := jsonOfRaw(raw)
	if err != nil {
		return nil, err
	}
	return arrayOf(payload)
}

func arrayOf(payload []byte) ([]json.RawMessage, error) {
	var items []json.RawMessage
	if len(payload) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(payload, &items); err != nil {
		return nil, notAnArray(payload)
	}
	if len(items) > contract.CommandsLimit {
		return nil, &interaction.InvalidError{
			Command: contract.UpdateCommands, Field: "payload", Value: fmt.Sprintf("%d commands", len(items)),
			Why: interaction.WhyTooLarge, Reason: fmt.Sprintf("send at most %d commands in one array", contract.CommandsLimit),
		}
	}
	return items, nil
}

func notAnArray(payload []byte) error {
	return &interaction.InvalidError{
		Command: contract.UpdateCommands, Field: "payload", Value: excerpt.Of(string(payload), 60),
		Why: interaction.WhyInvalid, Reason: "must be an array of objects, each with a command",
	}
}

// takeArray takes in the commands of a signal "commands", in order, as signals of their own. It returns an error, and takes
// in nothing, if the payload is not an array of commands: a sender of a signal learns that only from the rejection.
func (r *run) takeArray(ctx workflow.Context, payload []byte) error {
	items, err := arrayOf(payload)
	if err == nil && items == nil {
		err = notAnArray(payload)
	}
	if err == nil {
		r.takeItems(ctx, items)
	}
	return err
}

// takeItems takes in commands whose sender does not wait for an answer. One without an event_id and without a number is not
// identified: it is applied as often as it is sent, as a signal is.
func (r *run) takeItems(ctx workflow.Context, items []json.RawMessage) {
	for _, item := range items {
		name, arrival, err := r.readItem(item, "")
		if err != nil {
			r.refuse(ctx, cmp.Or(name, contract.SignalCommands), item, err)
			continue
		}
		r.takeCommand(arrival)
	}
}

// itemID identifies an element without an event_id, so that an array which is sent again,
// because its answer was lost, repeats every command.
func itemID(updateID string, i int) string { return fmt.Sprintf("%s#%d", updateID, i) }

// requestItem takes in one element. An element that waits for a missing number does not
// hold up those behind it in the array: one of them may have the number.
func (r *run) requestItem(item json.RawMessage, messageID string) *reply {
	name, arrival, err := r.readItem(item, messageID)
	if err != nil {
		countCommand(r.ctx, name, false, err)
		_, by := intake.Envelope(item)
		return &reply{done: true, answer: r.answer(by), err: err}
	}
	return r.request(arrival)
}

// readItem reads one element; messageID identifies it if it has no event_id.
func (r *run) readItem(item json.RawMessage, messageID string) (name string, arrival *intake.Arrival, err error) {
	name, arrival, err = readElement(item, messageID)
	arrival, err = r.orRepeat(arrival, err, name, item, messageID)
	return name, arrival, err
}

func readElement(item json.RawMessage, messageID string) (name string, arrival *intake.Arrival, err error) {
	var fields map[string]json.RawMessage // a struct would take "Command" for "command"
	if json.Unmarshal(item, &fields) != nil || json.Unmarshal(fields["command"], &name) != nil || name == "" {
		why := interaction.WhyInvalid
		if fields != nil && (fields["command"] == nil || name == "") {
			why = interaction.WhyMissing
		}
		return name, nil, &interaction.InvalidError{
			Command: contract.UpdateCommands, Field: "command", Value: excerpt.Of(string(item), 60), Why: why, Reason: "name the command",
		}
	}
	if number := string(fields["source_sequence"]); number != "" && number != "null" {
		messageID = "" // the number identifies it, in any array
	}
	arrival, err = intake.ReadElement(name, item, messageID)
	return name, arrival, err
}

// firstCommandsOf returns the commands with which a client started the workflow: its second argument, if that is a
// contract.FirstCommands. The start is refused if that has no array of commands.
func firstCommandsOf(ctx workflow.Context, argument converter.RawValue) (items []json.RawMessage, given bool, err error) {
	payload, err := jsonOfRaw(argument)
	if err != nil || continues(ctx) {
		return nil, false, err
	}
	var first contract.FirstCommands
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&first) != nil || first.Commands == nil {
		return nil, false, nil
	}
	items, err = arrayOf(first.Commands)
	return items, true, err
}
