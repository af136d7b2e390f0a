package workflows

import "segue/interaction"

// cause is what made a visible change: a command, a timer, a fault, or returned values.
type cause struct {
	command string
	eventID string
	by      *interaction.Actor
	events  []interaction.Event
}

// noteChange counts a visible change, after it was made.
func (r *run) noteChange(_ cause) {
	r.Revision++
}
