package workflows

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/excerpt"
	"segue/interaction"
	"segue/interaction/intake"
)

// rejectedLimit is how many refused signals the query "rejected" shows.
const rejectedLimit = 100

// rejections are the refused signals: all are counted, the last ones are kept.
type rejections struct {
	Count int                 `json:"count,omitempty"`
	Last  []contract.Rejected `json:"last,omitempty"`
}

func (j *rejections) add(entry contract.Rejected) {
	j.Count++
	j.Last = append(j.Last, entry)
	if len(j.Last) > rejectedLimit {
		j.Last = append([]contract.Rejected(nil), j.Last[len(j.Last)-rejectedLimit:]...)
	}
}

// receive handles one signal: a report of a lane, or a command. It changes only the run's
// own state, so it may run before and between the workflow's coroutines.
func (r *run) receive(ctx workflow.Context, s signal) {
	payload, err := r.inbox.jsonOf(s.args)
	if err == nil && (s.name == signalLaneResult || s.name == signalLaneDrained) {
		if err = r.receiveReport(s.name, payload); err == nil {
			return
		}
	}
	var arrival *intake.Arrival
	if err == nil {
		arrival, err = intake.Read(s.name, payload, "")
	}
	if err != nil {
		countCommand(ctx, s.name, false, err)
		r.recordRejection(ctx, s.name, eventIDOf(payload), err)
		return
	}
	r.takeCommand(arrival)
}

func (r *run) recordRejection(ctx workflow.Context, name, eventID string, reason error) {
	r.changed = true
	r.Rejected.add(contract.Rejected{
		Command: excerpt.Of(name, 128),
		EventID: excerpt.Of(eventID, 256),
		Reason:  excerpt.Of(reason.Error(), 512),
		At:      stamp(workflow.Now(ctx)),
	})
	logRefusal(ctx, name, r.Rejected.Count, reason)
}

// applyInternal applies a command of a timer or a cancellation. It is legal when its timer
// fires, unless the state has changed since; then it is only logged.
func (r *run) applyInternal(command interaction.Command) {
	verdict := r.Apply(command, workflow.Now(r.ctx))
	if verdict.Err != nil {
		workflow.GetLogger(r.ctx).Info("internal command is no longer legal", "command", command.Name, "reason", verdict.Err.Error())
		return
	}
	r.applied, r.OrphanSince = true, time.Time{}
	r.keepEffect(verdict.Effect)
}

// keepEffect adds what an applied command caused to what is to be dispatched.
func (r *run) keepEffect(effect interaction.Effect) {
	r.changed = true
	r.Outbox.addTurn(effect.Turn)
	r.Children = append(r.Children, effect.Children...)
}

// registerUpdates registers every command as an update, all with one handler, and the array
// of commands.
func (r *run) registerUpdates(ctx workflow.Context) error {
	handle := r.handleUpdate
	options := workflow.UpdateHandlerOptions{Validator: r.validateUpdate, Description: "command of the interaction"}
	for _, name := range interaction.Commands() {
		if err := workflow.SetUpdateHandlerWithOptions(ctx, name, handle, options); err != nil {
			return fmt.Errorf("update %s: %w", name, err)
		}
	}
	return r.registerArray(ctx)
}

// readUpdate reads the command of the current update. Without an event_id, the id of the
// update identifies the command.
func readUpdate(ctx workflow.Context, raw converter.RawValue) (*intake.Arrival, error) {
	payload, err := jsonOfRaw(raw)
	if err != nil {
		return nil, err
	}
	update := workflow.GetCurrentUpdateInfo(ctx)
	return intake.Read(update.Name, payload, update.ID)
}

func (r *run) handleUpdate(ctx workflow.Context, raw converter.RawValue) (contract.Answer, error) {
	r.updates++
	arrival, err := readUpdate(ctx, raw)
	if err != nil {
		countCommand(ctx, workflow.GetCurrentUpdateInfo(ctx).Name, false, err)
		return contract.Answer{}, refusal(err)
	}
	reply := r.request(arrival)
	if err := r.awaitReplies(ctx, reply); err != nil {
		return contract.Answer{}, err
	}
	if reply.err != nil {
		return contract.Answer{}, refusal(reply.err)
	}
	return reply.answer, nil
}

func (r *run) validateUpdate(ctx workflow.Context, raw converter.RawValue) error {
	arrival, err := readUpdate(ctx, raw)
	if err == nil && !r.isJudgedLater(arrival) {
		err = r.Interaction.Check(arrival.Command())
	}
	if err == nil {
		err = r.checkOverload(arrival)
	}
	if err != nil {
		countCommand(ctx, workflow.GetCurrentUpdateInfo(ctx).Name, false, err)
		return refusal(err)
	}
	return nil
}

func (r *run) answer(duplicate bool) contract.Answer {
	return contract.Answer{
		State:        r.Interaction.Facts().State,
		Sequence:     r.Interaction.Sequence(),
		Capabilities: r.Interaction.Capabilities(),
		Duplicate:    duplicate,
	}
}

// eventIDOf returns the event_id of any payload; "" if it has none.
func eventIDOf(payload []byte) string {
	var envelope struct {
		EventID string `json:"event_id"`
	}
	if json.Unmarshal(payload, &envelope) != nil {
		return ""
	}
	return envelope.EventID
}

// registerArray registers the update "commands": an array that is applied in order, with one
// result for each command. A refused command does not stop the following ones.
func (r *run) registerArray(ctx workflow.Context) error {
	handle := func(ctx workflow.Context, raw converter.RawValue) ([]contract.CommandResult, error) {
		r.updates++
		items, err := arrayOf(raw)
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
		return results, nil
	}
	validate := func(ctx workflow.Context, raw converter.RawValue) error {
		items, err := arrayOf(raw)
		if err == nil {
			err = r.checkOverloadOfArray(items, workflow.GetCurrentUpdateInfo(ctx).ID)
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
			Command: contract.UpdateCommands, Field: "payload", Value: excerpt.Of(string(payload), 60),
			Reason: "must be an array of objects, each with a command",
		}
	}
	if len(items) > arrayLimit {
		return nil, &interaction.InvalidError{
			Command: contract.UpdateCommands, Field: "payload", Value: fmt.Sprintf("%d commands", len(items)),
			Reason: fmt.Sprintf("send at most %d commands in one array", arrayLimit),
		}
	}
	return items, nil
}

// itemID identifies an element without an event_id, so that an array which is sent again,
// because its answer was lost, repeats every command.
func itemID(updateID string, i int) string { return fmt.Sprintf("%s#%d", updateID, i) }

// requestItem takes in one element. An element that waits for a missing number does not
// hold up those behind it in the array: one of them may have the number.
func (r *run) requestItem(item json.RawMessage, messageID string) *reply {
	name, arrival, err := readItem(item, messageID)
	if err != nil {
		countCommand(r.ctx, name, false, err)
		answer := replyOf(r.answer(false), err)
		return &answer
	}
	return r.request(arrival)
}

// readItem reads one element; messageID identifies it if it has no event_id.
func readItem(item json.RawMessage, messageID string) (name string, arrival *intake.Arrival, err error) {
	var named struct {
		Command        string `json:"command"`
		SourceSequence any    `json:"source_sequence"`
	}
	if err := json.Unmarshal(item, &named); err != nil || named.Command == "" {
		return named.Command, nil, &interaction.InvalidError{
			Command: contract.UpdateCommands, Field: "command", Value: excerpt.Of(string(item), 60), Reason: "name the command",
		}
	}
	if named.SourceSequence != nil {
		messageID = "" // the number identifies it, in any array
	}
	arrival, err = intake.Read(named.Command, item, messageID)
	return named.Command, arrival, err
}

func (a *reply) result() contract.CommandResult {
	result := contract.CommandResult{Answer: a.answer}
	if a.err != nil {
		result.Error = &contract.CommandError{Type: typeOf(a.err), Message: a.err.Error()}
	}
	return result
}

func typeOf(err error) string {
	illegal, outOfOrder, overloaded := (*interaction.IllegalError)(nil), (*intake.OrderError)(nil), (*OverloadedError)(nil)
	if errors.As(err, &overloaded) {
		return contract.ErrorOverloaded
	}
	if errors.As(err, &illegal) || errors.As(err, &outOfOrder) {
		return contract.ErrorIllegalCommand
	}
	return contract.ErrorInvalidPayload
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
