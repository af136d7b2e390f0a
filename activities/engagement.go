package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"

	"segue/client"
	"segue/contract"
	"segue/delivery"
	"segue/interaction"
)

// The callbacks of the engagement backend, engage and noengage, have lanes of their own, so an engage that is retried
// would reach the backend after the noengage of its attempt, and the visitor would be invited although nobody is
// there. Two checks, right before a callback is sent, prevent that:
//
//   - An engage is sent only while the interaction says that its attempt is open.
//   - A noengage waits until no engage of its interaction is in flight.
//
// The end of an attempt is stored before its noengage is sent, and a lane has stored that it attempts an engage before
// that one checks. So one of the two sees the other.

const (
	// checkWithin bounds one check: it is shorter than the shortest heartbeat timeout.
	checkWithin = 3 * time.Second
	// checkAgain is when a callback is tried again that waits for another one, and askAgain when one is that could
	// not be checked.
	checkAgain = time.Second
	askAgain   = 5 * time.Second
	// overdue is how long after the time of an attempt it is over although the interaction does not say so. It is longer
	// than clocks differ.
	overdue = time.Minute
)

// addEngagement adds to a callback which attempt it is about.
func addEngagement(r *contract.Request, owner contract.Owner, view *interaction.View, event *interaction.Event) {
	if owner.Interaction == "" || !contract.IsEngagementCallback(r.Call, event.Moment) {
		return
	}
	number, _ := event.Fields["attempt"].(float64)
	r.Engagement = &contract.EngagementAttempt{
		ContactCenter: owner.ContactCenter, Interaction: owner.Interaction, FirstRunID: owner.FirstRunID, StartedAt: view.Interaction.StartedAt, Number: int(number),
	}
	if r.Fault == "" {
		r.Headers = append(r.Headers, contract.Header{Name: contract.HeaderEngagement, Value: r.Engagement.Header()})
	}
}

// mustCheck reports whether a callback must not be sent by Dispatch, which cannot check it: an engage whose attempt is
// over already, and a noengage while an engage may be in flight.
func (d *dispatching) mustCheck(r contract.Request) bool {
	if r.Engagement == nil {
		return false
	}
	if r.Call == contract.CallEngage {
		return d.in.Turns[len(d.in.Turns)-1].View.Interaction.State != interaction.StateEngaging
	}
	if invitations, routed := d.lanes[contract.CallEngage]; routed && len(invitations.outgoing) > 0 {
		return true
	}
	return d.in.Lanes[contract.CallEngage] != ""
}

// check returns the outcome of a callback that is not to be sent, or not now; nil for all others.
func (t *attempting) check(r contract.Request, p delivery.Policy) *contract.Outcome {
	if t.in.Owner.Interaction == "" || !contract.IsEngagementCallback(r.Call, interaction.Moment(r.Moment)) {
		return nil
	}
	ctx, cancel := context.WithTimeout(t.ctx, checkWithin)
	defer cancel()
	asked := &client.Client{Temporal: t.Temporal, TaskQueue: t.taskQueue(t.ctx)}
	name := client.Name{ContactCenter: t.in.Owner.ContactCenter, ID: t.in.Owner.Interaction}
	isOver, err := isOver(ctx, asked, name, r)
	if err == nil && isOver != "" {
		outcome := t.countUnsent(r, delivery.Outdated(p, r, isOver))
		return &outcome
	}
	isHeld := false
	why, in := "an engage of the interaction is in flight", checkAgain
	if err == nil && r.Call == contract.CallNoEngage && time.Since(r.At) < t.longestInvitation() {
		isHeld, err = asked.IsAttempting(ctx, name, contract.CallEngage)
	}
	if err != nil {
		activity.GetLogger(t.ctx).Warn("the attempt of a callback cannot be checked now", "call", r.Call, "error", err)
		isHeld, why, in = true, "the interaction did not answer whether the attempt is over", askAgain
	}
	if !isHeld {
		return nil
	}
	outcome := t.countUnsent(r, delivery.Held(p, r, why, in))
	return &outcome
}

// longestInvitation is how long an engage may be in flight that was begun before the attempt ended.
func (t *attempting) longestInvitation() time.Duration {
	timeout := contract.UsualTimeout
	if call, ok := t.set.Call(contract.CallEngage); ok {
		timeout = max(timeout, call.Policy.Timeout)
	}
	return timeout + attemptMargin
}

// isOver returns why a callback is outdated: the attempt of an engage is over, or the visitor was invited again after a
// noengage. It returns "" for one that is to be sent.
func isOver(ctx context.Context, c *client.Client, n client.Name, r contract.Request) (string, error) {
	if r.Call == contract.CallNoEngage && r.Engagement != nil {
		// No worker may be left that can answer for an interaction that has ended; Temporal itself knows whether it was the last.
		if first, err := c.FirstRun(ctx, n); err == nil && first == r.Engagement.FirstRunID {
			return "", nil
		}
	}
	state, err := c.State(ctx, n)
	switch {
	case errors.Is(err, client.ErrNotFound) && r.Call == contract.CallEngage:
		return "not sent: Temporal has the interaction no more, so the attempt is over", nil
	case errors.Is(err, client.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case r.Call == contract.CallNoEngage:
		isLater := r.Engagement != nil && state.StartedAt.After(r.Engagement.StartedAt) && state.Engagement != nil && state.Engagement.Attempts > 0
		if isLater {
			return "not sent: the visitor was invited again since", nil
		}
		return "", nil
	}
	isOpen := state.State == interaction.StateEngaging && (r.Engagement == nil ||
		r.Engagement.IsOf(&state) && (r.Engagement.Number == 0 || r.Engagement.Number == state.Engagement.Attempts))
	// An interaction that was terminated stays as it was.
	isOverdue := state.EngagedUntil != nil && time.Since(*state.EngagedUntil) > overdue
	if !isOpen || isOverdue {
		return "not sent: the attempt to engage the visitor is over", nil
	}
	return "", nil
}
