package contract

import "segue/interaction"

// Notice is one visible change of an interaction, for whoever shows interactions live. Every
// revision of an interaction has one.
type Notice struct {
	ContactCenter string `json:"contact_center"`
	Interaction   string `json:"interaction"`
	// FirstRunID distinguishes a reopened interaction from the one before it. RunID is the run
	// that made the change.
	FirstRunID string `json:"first_run_id"`
	RunID      string `json:"run_id"`
	// Revision numbers the changes of an interaction from 1, over continue-as-new too. Sequence
	// is the number of its last event.
	Revision int64 `json:"revision"`
	Sequence int64 `json:"sequence"`
	// Command is the wire name of the command, timer or other cause; EventID and By are those of
	// the command.
	Command string             `json:"command"`
	EventID string             `json:"event_id,omitempty"`
	By      *interaction.Actor `json:"by,omitempty"`
	// Events are the moments of the change, in order.
	Events []interaction.Event `json:"events,omitempty"`
	// AgentsBefore are the agents who had an open leg before the change.
	AgentsBefore []string `json:"agents_before,omitempty"`
	// CapabilitiesFor lists what each agent with an open leg may do after the change.
	CapabilitiesFor map[string][]string `json:"capabilities_for,omitempty"`
	// State is the whole state after the change; nil if it is over NoticeStateLimit or, in a
	// notice that repairs a lost one, not known. Then query it.
	State *State `json:"state,omitempty"`
}

// NoticeStateLimit is the largest state that a notice carries, in bytes of JSON.
const NoticeStateLimit = 512 << 10

// Due announces a notice: the change is about to be committed, or was committed and its notice
// may be lost. Whoever misses the revision a little later queries the state.
type Due struct {
	ContactCenter string `json:"contact_center"`
	Interaction   string `json:"interaction"`
	RunID         string `json:"run_id"`
	Revision      int64  `json:"revision"`
}
