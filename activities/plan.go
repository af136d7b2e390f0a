package activities

import (
	"context"

	"go.temporal.io/sdk/activity"

	"segue/config"
	"segue/interaction"
	"segue/trigger"
)

// plan renders what the events fire, in order, until the result would be too
// large; at least one event is always dealt with.
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
			parcels := d.fire(view, event)
			for _, p := range parcels {
				size += p.request.Size()
			}
			if size > maxRendered && d.through > d.in.After {
				return
			}
			d.outgoing = append(d.outgoing, parcels...)
			d.through = event.Sequence
		}
	}
}

// withBusinessProcess is a view as triggers, conditions and requests see it: an interaction that says
// no business process itself has that of its queue, as configured.
func (d *dispatching) withBusinessProcess(view interaction.View) *interaction.View {
	if queue, ok := d.set.Queue(view.Interaction.Queue); ok && view.Interaction.BusinessProcess == "" {
		view.Interaction.BusinessProcess = queue.BusinessProcess
	}
	return &view
}

// fire renders the calls of one event, each once however many triggers name it.
func (d *dispatching) fire(view *interaction.View, event *interaction.Event) []*outgoing {
	var parcels []*outgoing
	for _, firing := range match(d.ctx, d.set, view, event) {
		p := d.render(firing.Call, view, event)
		p.dryRun = firing.DryRun || p.policy.DryRun
		parcels = append(parcels, p)
	}
	return parcels
}

// match asks the triggers. One whose condition fails fires nothing, and nothing
// says for whom: the event goes on, and the log has it.
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

// render makes one delivery.
func (d *dispatching) render(name string, view *interaction.View, event *interaction.Event) *outgoing {
	p := &outgoing{request: render(d.ctx, d.set, d.in.Owner, name, view, event), view: view, event: event}
	if call, ok := d.set.Call(name); ok {
		p.policy = call.Policy
	}
	return p
}
