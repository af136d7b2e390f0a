package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"segue/config"
	"segue/contract"
	"segue/interaction"
)

// Render renders a request again from its event, with the current configuration. The id stays
// and the bytes are new. A failure is in the result's fault, never an error.
func (a *Activities) Render(ctx context.Context, in contract.RenderInput) (contract.Request, error) {
	view, event, err := in.Request.DecodeSource()
	if err != nil {
		in.Request.Fault = err.Error()
		return in.Request.WithoutSource(), nil
	}
	owner := in.Owner
	if in.Request.Engagement != nil { // the lane may be that of an earlier interaction with the same id
		owner.FirstRunID = in.Request.Engagement.FirstRunID
	}
	return render(ctx, a.Config(), owner, in.Request.Call, view, event), nil
}

// render renders a call for one event. A failure becomes a fault of this delivery alone.
func render(ctx context.Context, set *config.Set, owner contract.Owner, name string, view *interaction.View, event *interaction.Event) (r contract.Request) {
	id := contract.DeliveryID(owner, event, name)
	r = contract.Request{ID: id, Call: name, Moment: string(event.Moment), Sequence: event.Sequence, At: event.At, Version: set.Version}
	call, ok := set.Call(name)
	if !ok {
		r.Fault = "the call is not in the configuration"
		return r
	}
	blank := r
	defer func() {
		if defect := recover(); defect != nil {
			activity.GetLogger(ctx).Error("rendering panicked", "call", name, "sequence", event.Sequence, "panic", defect)
			r = blank
			r.Fault = "rendering failed by a defect"
		}
	}()
	r, _ = call.Template.Render(id, view, event) // the error is also the request's Fault
	addEngagement(&r, owner, event)
	return r
}
