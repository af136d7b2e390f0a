package contract

import (
	"time"

	"segue/interaction"
)

// ReceiverStart is the input of a Receiver workflow: the call whose receiver it tracks.
type ReceiverStart struct {
	Call string `json:"call"`
}

// Health is the health of a receiver, as one worker process last saw it.
type Health string

// The healths. A HealthReport without one reports parked deliveries only.
const (
	// HealthFailing: nothing has been delivered since the first failure.
	HealthFailing Health = "failing"
	// HealthBreakerOpen: failing, and the process sends only probes.
	HealthBreakerOpen Health = "breaker_open"
	// HealthDelivered: a delivery has succeeded.
	HealthDelivered Health = "delivered"
)

// HealthReport is what one worker process reports about the receiver of a call.
type HealthReport struct {
	Health Health `json:"health,omitempty"`
	// Since is when the first attempt after the last success failed; At is when the latest
	// reported attempt ended.
	Since time.Time `json:"since,omitzero"`
	At    time.Time `json:"at,omitzero"`
	// Failure is the latest failure.
	Failure *Failure `json:"failure,omitempty"`
	// Parked counts the deliveries that were parked since the last report; LastParked is the
	// latest of them.
	Parked     int      `json:"parked,omitempty"`
	LastParked *Failure `json:"last_parked,omitempty"`
}

// Failure is one failed attempt, as an example of an episode's failures.
type Failure struct {
	Class string `json:"class"`
	// Code is the HTTP status, 0 when there was no response.
	Code int `json:"code,omitempty"`
	// Message describes the failure for people; it contains no secret.
	Message       string    `json:"message,omitempty"`
	Delivery      string    `json:"delivery,omitempty"`
	ContactCenter string    `json:"contact_center,omitempty"`
	Interaction   string    `json:"interaction,omitempty"`
	At            time.Time `json:"at,omitzero"`
}

// AlertFacts are the fields of an alert's event that expressions see, in addition to when, at,
// sequence and reason.
type AlertFacts struct {
	Call    string
	Failure Failure
	// Since is when the episode began; expressions see a zero time as missing.
	Since time.Time
	// FailingFor is how long nothing has been delivered.
	FailingFor time.Duration
	// Count is how many deliveries were parked since the last alert.
	Count int
	// Lanes and Parked are those of an Inspection.
	Lanes, Parked int
}

// Fields returns the facts by their names. Numbers are float64, as JSON decodes them. Every
// field is present at every moment, as 0 or empty if it has no value.
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

// AlertRules are the configured rules for alerts.
type AlertRules struct {
	// FailingAfter is how long nothing must be delivered before operators are notified; 0
	// turns the alert off.
	FailingAfter time.Duration `json:"failing_after"`
	// RecoveredAfter is how long a receiver must deliver without a failure before it has
	// recovered.
	RecoveredAfter time.Duration `json:"recovered_after"`
	// RemindEvery is how often operators are notified again while a receiver is failing or
	// deliveries are parked; 0 is never.
	RemindEvery time.Duration `json:"remind_every"`
}

// DefaultAlertRules are the rules of a configuration that gives none.
func DefaultAlertRules() AlertRules {
	return AlertRules{FailingAfter: 5 * time.Minute, RecoveredAfter: time.Minute, RemindEvery: 24 * time.Hour}
}

// InspectInput is the input of Inspect.
type InspectInput struct {
	Call string `json:"call"`
}

// Inspection is the state of a call's receiver, as one worker sees it.
type Inspection struct {
	Rules AlertRules `json:"rules"`
	// Counted reports that Lanes and Parked are known. Lanes counts the interactions whose
	// deliveries of the call wait in lane workflows, Parked those of them with parked ones.
	Counted bool `json:"counted,omitempty"`
	Lanes   int  `json:"lanes,omitempty"`
	Parked  int  `json:"parked,omitempty"`
	// Delivered and Failed are when the worker's process last saw a success and a failure.
	Delivered time.Time `json:"delivered,omitzero"`
	Failed    time.Time `json:"failed,omitzero"`
}

// AlertInput is the input of Alert, which fires the calls of one moment for operators.
type AlertInput struct {
	Owner Owner `json:"owner"`
	// Turn has one event and an empty view.
	Turn interaction.Turn `json:"turn"`
}

// AlertResult is the result of Alert.
type AlertResult struct {
	// Version is the version of the configuration that fired the calls.
	Version string `json:"version,omitempty"`
	// Deliveries have the status in_lane or, for a dry run, delivered.
	Deliveries []Delivery `json:"deliveries,omitempty"`
}
