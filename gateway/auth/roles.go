package auth

import (
	"segue/interaction"
)

// notSupervisors are the commands that a supervisor may not give: they say what happened in the
// channel, which the platform alone knows.
var notSupervisors = map[string]bool{"start": true, "connect": true, "abandon": true, "segment_change": true, "survey": true,
	"queue_event": true, "dtmf": true, "signal_added": true, "signal_removed": true,
	"engage": true, "engagement_result": true, "noengage": true}

// MayCommand reports whether the caller's role may give a command at all. Whether an agent may give it
// to this interaction is for the state machine to say.
func MayCommand(c *Caller, command string) bool {
	switch c.Role {
	case interaction.RolePlatform, interaction.RoleAdmin:
		return true
	case interaction.RoleSupervisor:
		return !notSupervisors[command]
	case interaction.RoleAgent:
		return command != "start"
	default:
		return false
	}
}
