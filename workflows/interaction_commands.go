package workflows

import (
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

// rejections are the refused signals: all are counted, the last ones are kept.
type rejections struct {
	Count int                 `json:"count,omitempty"`
	Last  []contract.Rejected `json:"last,omitempty"`
}

func (j *rejections) add(entry contract.Rejected) {
	j.Count++
	j.Last = append(j.Last, entry)
	if len(j.Last) > contract.ShownRejected {
		j.Last = append([]contract.Rejected(nil), j.Last[len(j.Last)-contract.ShownRejected:]...)
	}
}

// receive handles one signal: a report of a lane, a command, or an array of commands. It changes only the run's
// own state, so it may run before and between the workflow's coroutines.
func (r *run) receive(ctx workflow.Context, s signal) {
	payload, err := r.inbox.jsonOf(s.args)
	if err == nil && (s.name == signalLaneResult || s.name == signalLaneDrained) {
		if err = r.receiveReport(s.name, payload); err == nil {
			return
		}
	}
	if err == nil && s.name == contract.SignalCommands {
		if err = r.takeArray(ctx, payload); err == nil {
			return
		}
	}
	var arrival *intake.Arrival
	if err == nil {
		arrival, err = r.read(s.name, payload, "")
	}
	if err != nil {
		r.refuse(ctx, s.name, payload, err)
		return
	}
	r.takeCommand(arrival)
}

// refuse counts and records a signal, or an element of one, that is not a command.
func (r *run) refuse(ctx workflow.Context, name string, payload []byte, reason error) {
	countCommand(ctx, name, false, reason)
	eventID, _ := intake.Envelope(payload)
	r.recordRejection(ctx, name, eventID, reason)
}

func (r *run) recordRejection(ctx workflow.Context, name, eventID string, reason error) {
	r.changed = true
	command, id := contract.Shown(name, eventID)
	r.Rejected.add(contract.Rejected{
		Command: command,
		EventID: id,
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
	r.noteChange(cause{command: command.Name, events: verdict.Effect.Turn.Events})
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
func (r *run) readUpdate(ctx workflow.Context, raw converter.RawValue) (*intake.Arrival, error) {
	payload, err := jsonOfRaw(raw)
	if err != nil {
		return nil, err
	}
	update := workflow.GetCurrentUpdateInfo(ctx)
	return r.read(update.Name, payload, update.ID)
}

// read reads a command that is not part of an array.
func (r *run) read(name string, payload []byte, messageID string) (*intake.Arrival, error) {
	arrival, err := intake.Read(name, payload, messageID)
	return r.orRepeat(arrival, err, name, payload, messageID)
}

// orRepeat returns what was read. What cannot be read is a repeat if it has the event_id of an
// applied command: a repeat succeeds, whatever else it has.
func (r *run) orRepeat(arrival *intake.Arrival, err error, name string, payload []byte, messageID string) (*intake.Arrival, error) {
	if err == nil {
		return arrival, nil
	}
	if repeat, isRepeat := r.Repeat(name, payload, messageID); isRepeat {
		return repeat, nil
	}
	return nil, err
}

func (r *run) handleUpdate(ctx workflow.Context, raw converter.RawValue) (contract.Answer, error) {
	r.updates++
	arrival, err := r.readUpdate(ctx, raw)
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
	arrival, err := r.readUpdate(ctx, raw)
	if err == nil && !r.isJudgedLater(arrival) {
		err = r.Interaction.Check(arrival.Command())
	}
	if err == nil {
		err = r.checkOverload(arrival)
	}
	if err == nil {
		err = r.admit(raw.Payload().GetData(), 1)
	}
	if err != nil {
		countCommand(ctx, workflow.GetCurrentUpdateInfo(ctx).Name, false, err)
		return refusal(err)
	}
	return nil
}

// answer returns the present state, with the capabilities of the actor of a command; without
// one, of the platform.
func (r *run) answer(by *interaction.Actor) contract.Answer {
	if by == nil {
		by = &interaction.Actor{Role: interaction.RolePlatform}
	}
	return contract.Answer{
		State:        r.Interaction.Facts().State,
		Sequence:     r.Interaction.Sequence(),
		Revision:     r.Revision,
		Capabilities: r.Interaction.CapabilitiesFor(*by),
	}
}

func (a *reply) result() contract.CommandResult {
	result := contract.CommandResult{Answer: a.answer}
	if a.err != nil {
		reason, _ := contract.RefusalOf(a.err)
		result.Error = &contract.CommandError{Type: typeOf(a.err), Message: a.err.Error(), Refusal: reason}
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
