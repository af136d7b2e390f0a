package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"segue/config"
	"segue/interaction"
	"segue/trigger"
)

// plan renders what the events fire, in order, until the result would be too large. It takes
// at least one event.
func (d *dispatching) plan() {
	size := 0
	for i := range d.in.Turns {
		turn := &d.in.Turns[i]
		view := d.withBusinessProcess(turn.View)
		for j := range turn.Events {
			event := &turn.Events[j]
			if event.Sequence <= d.in.After {
				continue
			}
			deliveries := d.fire(view, event)
			for _, out := range deliveries {
				size += out.request.Size()
			}
			if size > maxRendered && d.through > d.in.After {
				return
			}
			d.outgoing = append(d.outgoing, deliveries...)
			d.through = event.Sequence
		}
	}
}

// withBusinessProcess returns the view that triggers, conditions and requests see: an
// interaction without a business process has the one that is configured for its queue.
func (d *dispatching) withBusinessProcess(view interaction.View) *interaction.View {
	if queue, ok := d.set.Queue(view.Interaction.Queue); ok && view.Interaction.BusinessProcess == "" {
		view.Interaction.BusinessProcess = queue.BusinessProcess
	}
	return &view
}

// fire renders the calls of one event, each once however many triggers name it.
func (d *dispatching) fire(view *interaction.View, event *interaction.Event) []*outgoing {
	var deliveries []*outgoing
	for _, firing := range match(d.ctx, d.set, view, event) {
		out := d.render(firing.Call, view, event)
		out.dryRun = firing.DryRun || out.policy.DryRun
		deliveries = append(deliveries, out)
	}
	return deliveries
}

// match returns the calls that an event fires. A trigger whose condition fails fires nothing
// and is logged; the other triggers are matched nevertheless.
func match(ctx context.Context, set *config.Set, view *interaction.View, event *interaction.Event) (firings []trigger.Firing) {
	log := func(what string, why any) {
		activity.GetLogger(ctx).Error(what, "when", event.Moment, "sequence", event.Sequence, "error", why)
	}
	defer func() {
		if defect := recover(); defect != nil {
			log("matching triggers panicked", defect)
			firings = nil
		}
	}()
	firings, failed := set.Triggers.Match(view, event)
	for _, err := range failed {
		log("a trigger's condition failed", err)
	}
	return firings
}

// render renders one delivery.
func (d *dispatching) render(name string, view *interaction.View, event *interaction.Event) *outgoing {
	out := &outgoing{request: render(d.ctx, d.set, d.in.Owner, name, view, event), view: view, event: event}
	if call, ok := d.set.Call(name); ok {
		out.policy = call.Policy
	}
	return out
}
