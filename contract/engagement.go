package contract

import (
	"strconv"
	"strings"

	"segue/interaction"
)

// The names of the calls that engagement.backend configures. Each is fired at the moment of its name.
const (
	CallEngage   = "engage"
	CallNoEngage = "noengage"
)

// IsEngagementCallback reports whether a call that is fired at a moment is a callback of the engagement backend.
func IsEngagementCallback(call string, moment interaction.Moment) bool {
	return call == string(moment) && (call == CallEngage || call == CallNoEngage)
}

// EngagementAttempt is the attempt to engage a visitor that a callback of the engagement backend is about.
type EngagementAttempt struct {
	ContactCenter string `json:"contact_center,omitempty"`
	Interaction   string `json:"interaction"`
	// FirstRunID identifies the interaction among those with the same id: one that has ended may be
	// started again, and its attempts begin at 1 again.
	FirstRunID string `json:"first_run_id"`
	// Number is 0 for a noengage without an attempt, and for an event of an earlier version.
	Number int `json:"number,omitempty"`
}

// HeaderEngagement is the header of the callbacks. It tells a backend which attempt a callback is about, also if
// the profile does not, and the gateway that a callback is Segue's own.
const HeaderEngagement = "Segue-Engagement"

// Header returns the value of the header: "interaction=visit-v-1; attempt=1; run=…; contact_center=berlin".
func (a *EngagementAttempt) Header() string {
	return "interaction=" + a.Interaction + "; attempt=" + strconv.Itoa(a.Number) + "; run=" + a.FirstRunID + "; contact_center=" + a.ContactCenter
}

// ParseEngagement reads the value of the header. It returns false for a value that Header cannot have returned.
func ParseEngagement(value string) (EngagementAttempt, bool) {
	given := map[string]string{}
	for part := range strings.SplitSeq(value, ";") {
		name, text, _ := strings.Cut(strings.TrimSpace(part), "=")
		given[name] = text
	}
	number, err := strconv.Atoi(given["attempt"])
	a := EngagementAttempt{ContactCenter: given["contact_center"], Interaction: given["interaction"], FirstRunID: given["run"], Number: number}
	return a, err == nil && number >= 0 && a.Interaction != "" && a.FirstRunID != "" && a.ContactCenter != ""
}
