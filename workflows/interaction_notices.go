package workflows

import (
	"cmp"

	"go.temporal.io/sdk/workflow"

	"segue/contract"
	"segue/interaction"
	"segue/workflows/notices"
)

// cause is what made a visible change: a command, a timer, a fault, or returned values.
type cause struct {
	command string
	eventID string
	by      *interaction.Actor
	events  []interaction.Event
}

// noteChange counts a visible change, after it was made, and collects its notice. The notice
// shares its data with the run: what an interaction shows of itself is never changed in place.
func (r *run) noteChange(c cause) {
	r.Revision++
	if r.inbox.notices == nil {
		return
	}
	before := r.agents
	r.agents = r.Interaction.Present()
	if workflow.IsReplaying(r.ctx) {
		return
	}
	state := r.status()
	r.inbox.notices.Add(r.noticeTask(), &contract.Notice{
		ContactCenter:   state.ContactCenter,
		Interaction:     state.ID,
		FirstRunID:      cmp.Or(r.FirstRunID, workflow.GetInfo(r.ctx).FirstRunID),
		RunID:           state.RunID,
		Revision:        r.Revision,
		Sequence:        state.Sequence,
		Command:         c.command,
		EventID:         c.eventID,
		By:              c.by,
		Events:          c.events,
		AgentsBefore:    before,
		CapabilitiesFor: r.capabilitiesOf(r.agents),
		State:           &state,
	})
}

func (r *run) capabilitiesOf(agents []string) map[string][]string {
	if len(agents) == 0 {
		return nil
	}
	capabilities := make(map[string][]string, len(agents))
	for _, agent := range agents {
		capabilities[agent] = r.Interaction.CapabilitiesFor(interaction.Actor{ID: agent, Role: interaction.RoleAgent})
	}
	return capabilities
}

// watchChanges begins with what an earlier run left.
func (r *run) watchChanges() {
	if r.inbox.notices != nil {
		r.agents = r.Interaction.Present()
	}
}

// amendNotice sets the times in the last notice of the task that depend on the durations of the
// timers, which Dispatch has just returned: the notice of a start was made without them.
func (r *run) amendNotice() {
	if r.inbox.notices == nil || workflow.IsReplaying(r.ctx) {
		return
	}
	now := r.status()
	r.inbox.notices.AmendLast(r.noticeTask(), func(last *contract.Notice) {
		last.State.OfferedUntil, last.State.EngagedUntil, last.State.LateUntil = now.OfferedUntil, now.EngagedUntil, now.LateUntil
	})
}

// noticeTask identifies the present workflow task.
func (r *run) noticeTask() notices.Task {
	info := workflow.GetInfo(r.ctx)
	return notices.Task{RunID: info.WorkflowExecution.RunID, Started: int64(info.GetCurrentHistoryLength())}
}
