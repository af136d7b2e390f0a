package contract

import (
	"bytes"
	"encoding/json"
	"time"

	"segue/interaction"
	"segue/interaction/intake"
)

// State is the answer of the query "state" and the result of an Interaction workflow: the
// domain's Status, and what only the workflow knows.
type State struct {
	interaction.Status
	RunID string `json:"run_id"`
	// Revision is the number of the last visible change: every applied command, timer and fault, and
	// every write-back of returned values that changes something, is one.
	Revision int64 `json:"revision"`
	// CapabilitiesFor lists what each agent with an open leg may do; nil unless a query asked for it.
	CapabilitiesFor map[string][]string `json:"capabilities_for,omitempty"`
	// OfferedUntil and EngagedUntil are when the open offer, or the invitation to the visitor,
	// expires; nil if there is none.
	OfferedUntil *time.Time `json:"offered_until,omitempty"`
	EngagedUntil *time.Time `json:"engaged_until,omitempty"`
	// RejectedCount counts the refused signals, Duplicates the repeated commands.
	RejectedCount int `json:"rejected_count"`
	Duplicates    int `json:"duplicates"`
	// Undelivered counts the deliveries that are neither delivered nor discarded.
	Undelivered int `json:"undelivered"`
	// Runs counts the continue-as-new runs of the workflow.
	Runs int `json:"runs"`
	// LateUntil is the time until which a completed interaction accepts disposition, survey
	// and user data; nil if it accepts none.
	LateUntil *time.Time `json:"late_until,omitempty"`
	// Gaps counts how often the interaction went on without commands that the source had
	// numbered and that did not arrive in time; Missing are the last of them.
	Gaps    int          `json:"gaps,omitempty"`
	Missing []intake.Gap `json:"missing,omitempty"`
}

// UnmarshalJSON reads a state with every number as it was: a long one keeps its digits.
func (s *State) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	type plain State
	if err := decoder.Decode((*plain)(s)); err != nil {
		return err
	}
	for _, object := range []map[string]any{s.Customer, s.UserData, s.Survey} {
		interaction.Settled(object)
	}
	s.Workbin = interaction.Settled(s.Workbin)
	if s.Engagement != nil {
		interaction.Settled(s.Engagement.Profile)
		interaction.Settled(s.Engagement.CancelData)
	}
	return nil
}
