package workflows

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"segue/interaction"
)

// rejectedLimit is how many refused signals the query "rejected" still shows.
const rejectedLimit = 100

// rejections are the signals that changed nothing: all counted, the last ones kept.
type rejections struct {
	Count int        `json:"count,omitempty"`
	Last  []Rejected `json:"last,omitempty"`
}

func (j *rejections) add(entry Rejected) {
	j.Count++
	j.Last = append(j.Last, entry)
	if len(j.Last) > rejectedLimit {
		j.Last = append([]Rejected(nil), j.Last[len(j.Last)-rejectedLimit:]...)
	}
}

// receive takes one signal: a report of a lane, or a command. It is pure but for
// the run's own state, so it may run before and between the workflow's coroutines.
func (r *run) receive(ctx workflow.Context, s signal) {
	payload, err := r.inbox.jsonOf(s.args)
	if err == nil && (s.name == signalLaneResult || s.name == signalLaneDrained) {
		if err = r.takeReport(s.name, payload); err == nil {
			return
		}
	}
	var command interaction.Command
	duplicate := false
	if err == nil {
		command, err = interaction.Decode(s.name, payload)
	}
	if err == nil {
		duplicate, err = r.apply(command)
	}
	count(ctx, s.name, duplicate, err)
	if err != nil {
		r.reject(ctx, s.name, eventIDOf(payload), err)
	}
}

func (r *run) reject(ctx workflow.Context, name, eventID string, reason error) {
	r.touched = true
	r.Rejected.add(Rejected{
		Command: excerpt(name, 128),
		EventID: excerpt(eventID, 256),
		Reason:  excerpt(reason.Error(), 512),
		At:      stamp(workflow.Now(ctx)),
	})
	workflow.GetLogger(ctx).Warn("signal rejected", "signal", excerpt(name, 128), "reason", excerpt(reason.Error(), 512))
}

// apply gives one command to the state machine, once: a repeat of an applied
// event id changes nothing and says so.
func (r *run) apply(command interaction.Command) (duplicate bool, err error) {
	if r.Seen.has(command.EventID) {
		r.Duplicates++
		return true, nil
	}
	effect, err := r.Interaction.Apply(command, workflow.Now(r.ctx))
	if err != nil {
		return false, err
	}
	r.Seen.add(command.EventID)
	r.applied, r.OrphanSince = true, time.Time{}
	r.take(effect)
	return false, nil
}

// applyInternal applies a command of Segue's own, which is legal by construction
// where it is given; one that came too late is only logged.
func (r *run) applyInternal(command interaction.Command) {
	if _, err := r.apply(command); err != nil {
		workflow.GetLogger(r.ctx).Info("internal command came too late", "command", command.Name, "reason", err.Error())
	}
}

func (r *run) take(effect interaction.Effect) {
	r.touched = true
	r.Outbox.add(effect.Turn)
	r.Children = append(r.Children, effect.Children...)
}

// takeUpdates registers every command as an update, and the array of commands.
func (r *run) takeUpdates(ctx workflow.Context) error {
	for _, name := range interaction.Commands() {
		if err := r.takeUpdate(ctx, name); err != nil {
			return err
		}
	}
	return r.takeArray(ctx)
}

func (r *run) takeUpdate(ctx workflow.Context, name string) error {
	decode := func(ctx workflow.Context, raw converter.RawValue) (interaction.Command, error) {
		payload, err := jsonOfRaw(raw)
		if err != nil {
			return interaction.Command{}, err
		}
		command, err := interaction.Decode(name, payload)
		if command.EventID == "" {
			// The update's own id does the same for a caller that gives no event id.
			command.EventID = workflow.GetCurrentUpdateInfo(ctx).ID
		}
		return command, err
	}
	handle := func(ctx workflow.Context, raw converter.RawValue) (Answer, error) {
		r.updates++
		command, err := decode(ctx, raw)
		duplicate := false
		if err == nil {
			duplicate, err = r.apply(command)
		}
		count(ctx, name, duplicate, err)
		if err != nil {
			return Answer{}, refusal(err)
		}
		return r.answer(duplicate), nil
	}
	validate := func(ctx workflow.Context, raw converter.RawValue) error {
		command, err := decode(ctx, raw)
		if err == nil && !r.Seen.has(command.EventID) {
			err = r.Interaction.Check(command)
		}
		if err != nil {
			count(ctx, name, false, err)
			return refusal(err)
		}
		return nil
	}
	options := workflow.UpdateHandlerOptions{Validator: validate, Description: "command of the interaction"}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, name, handle, options); err != nil {
		return fmt.Errorf("update %s: %w", name, err)
	}
	return nil
}

func (r *run) answer(duplicate bool) Answer {
	return Answer{
		State:        r.Interaction.Facts().State,
		Sequence:     r.Interaction.Sequence(),
		Capabilities: r.Interaction.Capabilities(),
		Duplicate:    duplicate,
	}
}

// eventIDOf finds the event id of a payload that may be anything.
func eventIDOf(payload []byte) string {
	var envelope struct {
		EventID string `json:"event_id"`
	}
	if json.Unmarshal(payload, &envelope) != nil {
		return ""
	}
	return envelope.EventID
}

// takeArray registers the update "commands": applied in order, one result each.
// A command that is refused does not stop those behind it.
func (r *run) takeArray(ctx workflow.Context) error {
	handle := func(ctx workflow.Context, raw converter.RawValue) ([]CommandResult, error) {
		r.updates++
		items, err := arrayOf(raw)
		if err != nil {
			return nil, refusal(err)
		}
		results := make([]CommandResult, 0, len(items))
		for _, item := range items {
			results = append(results, r.applyItem(ctx, item))
		}
		return results, nil
	}
	validate := func(_ workflow.Context, raw converter.RawValue) error {
		if _, err := arrayOf(raw); err != nil {
			return refusal(err)
		}
		return nil
	}
	options := workflow.UpdateHandlerOptions{Validator: validate, Description: "commands of the interaction, applied in order"}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateCommands, handle, options); err != nil {
		return fmt.Errorf("update %s: %w", UpdateCommands, err)
	}
	return nil
}

// arrayLimit bounds one array of commands.
const arrayLimit = 1000

func arrayOf(raw converter.RawValue) ([]json.RawMessage, error) {
	payload, err := jsonOfRaw(raw)
	if err != nil {
		return nil, err
	}
	var items []json.RawMessage
	if len(payload) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(payload, &items); err != nil {
		return nil, &interaction.InvalidError{
			Command: UpdateCommands, Field: "payload", Value: excerpt(string(payload), 60),
			Reason: "must be an array of objects, each with its command",
		}
	}
	if len(items) > arrayLimit {
		return nil, &interaction.InvalidError{
			Command: UpdateCommands, Field: "payload", Value: fmt.Sprintf("%d commands", len(items)),
			Reason: fmt.Sprintf("at most %d commands in one array", arrayLimit),
		}
	}
	return items, nil
}

func (r *run) applyItem(ctx workflow.Context, item json.RawMessage) CommandResult {
	var named struct {
		Command string `json:"command"`
	}
	err := json.Unmarshal(item, &named)
	if err != nil || named.Command == "" {
		err = &interaction.InvalidError{
			Command: UpdateCommands, Field: "command", Value: excerpt(string(item), 60), Reason: "name the command",
		}
	}
	var command interaction.Command
	if err == nil {
		command, err = interaction.Decode(named.Command, item)
	}
	duplicate := false
	if err == nil {
		duplicate, err = r.apply(command)
	}
	count(ctx, named.Command, duplicate, err)
	result := CommandResult{Answer: r.answer(duplicate)}
	if err != nil {
		result.Error = &CommandError{Type: typeOf(err), Message: err.Error()}
	}
	return result
}

func typeOf(err error) string {
	if illegal := (*interaction.IllegalError)(nil); errors.As(err, &illegal) {
		return ErrorIllegalCommand
	}
	return ErrorInvalidPayload
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
