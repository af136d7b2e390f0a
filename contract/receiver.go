package contract

import (
	"time"

	"segue/interaction"
)

// ReceiverStart is the input of a Receiver workflow: the call whose receiver it
// watches over.
type ReceiverStart struct {
	Call string `json:"call"`
}

// Health is what one worker process last saw of a receiver.
type Health string

// The healths that are told; an empty one says nothing.
const (
	// HealthFailing: nothing has been delivered since the first failure.
	HealthFailing Health = "failing"
	// HealthBreakerOpen: failing, and the process sends no more but probes.
	HealthBreakerOpen Health = "breaker_open"
	// HealthDelivered: a delivery arrived.
	HealthDelivered Health = "delivered"
)

// HealthReport is what one worker process tells of the receiver of a call.
type HealthReport struct {
	Health Health `json:"health,omitempty"`
	// Since is when the first attempt failed after the last success; At is the time
	// of the latest attempt that the telling speaks of.
	Since time.Time `json:"since,omitzero"`
	At    time.Time `json:"at,omitzero"`
	// Failure is the latest one.
	Failure *Failure `json:"failure,omitempty"`
	// Parked counts the deliveries that were parked since the telling before, and
	// LastParked is the latest of them.
	Parked     int      `json:"parked,omitempty"`
	LastParked *Failure `json:"last_parked,omitempty"`
}

// Failure is one failed attempt, as an example of what goes wrong.
type Failure struct {
	Class string `json:"class"`
	// Code is the HTTP status, 0 when there was no response.
	Code int `json:"code,omitempty"`
	// Message says in plain words what went wrong; it holds no secret.
	Message       string    `json:"message,omitempty"`
	Delivery      string    `json:"delivery,omitempty"`
	ContactCenter string    `json:"contact_center,omitempty"`
	Interaction   string    `json:"interaction,omitempty"`
	At            time.Time `json:"at,omitzero"`
}

// AlertFacts are what an alert's expressions see as fields of the event, besides
// when, at, sequence and reason.
type AlertFacts struct {
	Call    string
	Failure Failure
	// Since is when the trouble began; zero reads as missing.
	Since time.Time
	// FailingFor is how long nothing was delivered.
	FailingFor time.Duration
	// Count is how many deliveries were parked since the alert before.
	Count int
	// Lanes and Parked are as in an Inspection.
	Lanes, Parked int
}

// Fields are the facts by their names; numbers are as JSON has them, and all are
// there at every moment, be it as 0 or empty.
func (f AlertFacts) Fields() map[string]any {
	fields := map[string]any{
		"call": f.Call, "class": f.Failure.Class, "code": float64(f.Failure.Code), "message": f.Failure.Message,
		"since": "", "failing_for": f.FailingFor.Round(time.Second).Seconds(),
		"count": float64(f.Count), "lanes": float64(f.Lanes), "parked": float64(f.Parked),
		"contact_center": f.Failure.ContactCenter, "interaction": f.Failure.Interaction, "delivery": f.Failure.Delivery,
	}
	if !f.Since.IsZero() {
		fields["since"] = f.Since.UTC().Format(time.RFC3339Nano)
	}
	return fields
}

// AlertRules are what the configuration says about alerts.
type AlertRules struct {
	// FailingAfter is how long nothing was delivered before operators are told; 0 is off.
	FailingAfter time.Duration `json:"failing_after"`
	// RecoveredAfter is how long a receiver must deliver without failing before it is
	// said to have recovered.
	RecoveredAfter time.Duration `json:"recovered_after"`
	// RemindEvery is how often operators are told again of what still fails or is still
	// parked; 0 is never.
	RemindEvery time.Duration `json:"remind_every"`
}

// DefaultAlertRules are the rules of a configuration that gives none.
func DefaultAlertRules() AlertRules {
	return AlertRules{FailingAfter: 5 * time.Minute, RecoveredAfter: time.Minute, RemindEvery: 24 * time.Hour}
}

// InspectInput asks how a call stands.
type InspectInput struct {
	Call string `json:"call"`
}

// Inspection is how a call stands, for all that one worker can see.
type Inspection struct {
	Rules AlertRules `json:"rules"`
	// Counted says that Lanes and Parked are known: the interactions with deliveries
	// of the call that wait in lane workflows, and those of them with parked ones.
	Counted bool `json:"counted,omitempty"`
	Lanes   int  `json:"lanes,omitempty"`
	Parked  int  `json:"parked,omitempty"`
	// Delivered and Failed are when the worker's process saw that last.
	Delivered time.Time `json:"delivered,omitzero"`
	Failed    time.Time `json:"failed,omitzero"`
}

// AlertInput asks to fire the calls of one moment for operators.
type AlertInput struct {
	Owner Owner `json:"owner"`
	// Turn has the one event, and an empty view.
	Turn interaction.Turn `json:"turn"`
}

// AlertResult names the calls that were fired.
type AlertResult struct {
	Version string `json:"version,omitempty"`
	// Deliveries are in_lane, or delivered when they were a dry run.
	Deliveries []Delivery `json:"deliveries,omitempty"`
}
