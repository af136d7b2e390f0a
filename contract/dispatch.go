package contract

import (
	"encoding/json"
	"strconv"
	"time"

	"segue/interaction"
)

// The names under which the activities are registered.
const (
	ActivityDispatch     = "Dispatch"
	ActivityAttempt      = "Attempt"
	ActivityHandOver     = "HandOver"
	ActivityRender       = "Render"
	ActivityCancelReason = "CancelReason"
	ActivityRecover      = "Recover"
	ActivityInspect      = "Inspect"
	ActivityAlert        = "Alert"
)

// Owner is the owner of deliveries: an interaction, in all its runs, or the Receiver workflow
// whose alerts they are.
type Owner struct {
	ContactCenter string `json:"contact_center"`
	Interaction   string `json:"interaction"`
	// Receiver is the name of the receiver that alerts are about; the two fields above are
	// empty then.
	Receiver string `json:"receiver,omitempty"`
	// FirstRunID is the first run of the continue-as-new chain. It distinguishes a reopened
	// interaction from the one before it.
	FirstRunID string `json:"first_run_id"`
}

// LaneState is what the interaction already has in flight for one call.
type LaneState string

// A lane that is absent from DispatchInput.Lanes is idle.
const (
	// LaneBusy: deliveries of the lane wait in the interaction or are being attempted, so a
	// new one goes behind them.
	LaneBusy LaneState = "busy"
	// LaneHandedOver: the lane belongs to its Delivery workflow; a new delivery is appended
	// there.
	LaneHandedOver LaneState = "handed_over"
)

// DispatchInput is the input of the Dispatch local activity. Local activities get it by
// reference: Dispatch must not change it.
type DispatchInput struct {
	Owner Owner              `json:"owner"`
	Turns []interaction.Turn `json:"turns"`
	// After skips the events up to and including this sequence, which an earlier Dispatch
	// has dispatched.
	After int64 `json:"after,omitempty"`
	// Lanes are the lanes that are not idle, by call.
	Lanes map[string]LaneState `json:"lanes,omitempty"`
	// Known are the rules that the workflow has; nil before the first Dispatch.
	Known *Rules `json:"known,omitempty"`
	// Unpinned reports that the run already continues with newer versions of the workers.
	Unpinned bool `json:"unpinned,omitempty"`
}

// DispatchResult is the result of Dispatch, which its marker records.
type DispatchResult struct {
	// Version is the version of the configuration that the events were dispatched with.
	Version string `json:"version,omitempty"`
	// Rules are set if they differ from those in the input.
	Rules *Rules `json:"rules,omitempty"`
	// Through is the sequence of the last dispatched event. Events after it did not fit and
	// go into the next Dispatch.
	Through    int64      `json:"through"`
	Deliveries []Delivery `json:"deliveries,omitempty"`
	// Sent reports that this Dispatch has sent at least one request to its receiver, or
	// handed one over to its lane.
	Sent bool `json:"sent,omitempty"`
	// Unpinned reports that this Dispatch has made the run continue with newer versions of
	// the workers.
	Unpinned bool `json:"unpinned,omitempty"`
}

// DeliveryStatus is the status of one delivery, as the queries show it.
type DeliveryStatus string

// The statuses of a delivery. A Delivery workflow has waiting, attempting, delivered, parked
// and discarded; an interaction shows attempting, delivered and in_lane.
const (
	StatusWaiting    DeliveryStatus = "waiting"
	StatusAttempting DeliveryStatus = "attempting"
	StatusDelivered  DeliveryStatus = "delivered"
	StatusInLane     DeliveryStatus = "in_lane"
	StatusParked     DeliveryStatus = "parked"
	StatusDiscarded  DeliveryStatus = "discarded"
)

// Delivery is what Dispatch has done with one event for one call.
type Delivery struct {
	ID       string `json:"id"`
	Call     string `json:"call"`
	Moment   string `json:"when"`
	Sequence int64  `json:"sequence"`
	// Status is delivered (the request was sent inline and succeeded, or a dry run is
	// recorded with its Request), in_lane (appended to the Delivery workflow) or waiting (the
	// interaction is to attempt Request).
	Status  DeliveryStatus `json:"status"`
	Request *Request       `json:"request,omitempty"`
	Outcome *Outcome       `json:"outcome,omitempty"`
}

// Header is one HTTP header; a list keeps their order and case.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// Attempt reports that the number of the attempt comes between Value and After. Nothing
	// else of a request is filled in when it is sent.
	Attempt bool   `json:"attempt,omitempty"`
	After   string `json:"after,omitempty"`
}

// Text returns the header's value in an attempt; attempts are numbered from 1.
func (h Header) Text(attempt int) string {
	if !h.Attempt {
		return h.Value
	}
	return h.Value + strconv.Itoa(attempt) + h.After
}

// Request is a rendered call: the bytes of every attempt. It holds no secret: credentials,
// signature and timestamp are added when it is sent.
type Request struct {
	ID       string   `json:"id"`
	Call     string   `json:"call"`
	Moment   string   `json:"when"`
	Sequence int64    `json:"sequence"`
	Method   string   `json:"method"`
	URL      string   `json:"url"`
	Headers  []Header `json:"headers,omitempty"`
	Body     string   `json:"body,omitempty"`
	// At is when the event happened, for the age of the delivery.
	At time.Time `json:"at"`
	// Version is the version of the configuration that rendered the request.
	Version string `json:"version,omitempty"`
	// Once reports that the call is not idempotent: an attempt that ended without an outcome
	// is not repeated.
	Once bool `json:"once,omitempty"`
	// Timeout is the deadline of one attempt if it is longer than UsualTimeout, else 0.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Fault is set if the call could not be rendered. Such a delivery is parked without an
	// attempt, with class "render".
	Fault string `json:"fault,omitempty"`
	// Engagement is set for a callback of the engagement backend.
	Engagement *EngagementAttempt `json:"engagement,omitempty"`
	// Source is what the request was rendered from. Only requests that are handed over to a
	// lane have one; see SourceOf.
	Source json.RawMessage `json:"source,omitempty"`
}

// UsualTimeout is the default deadline of one attempt. Requests carry longer ones only.
const UsualTimeout = 10 * time.Second

// UserAgent is the User-Agent of a request that has none of its own.
const UserAgent = "segue"

// Size returns the approximate size of the request in a payload, in bytes, without its source.
func (r Request) Size() int {
	n := 200 + len(r.ID) + len(r.Call) + len(r.URL) + len(r.Body) + len(r.Fault)
	for _, h := range r.Headers {
		n += len(h.Name) + len(h.Value) + len(h.After) + 24
	}
	if r.Engagement != nil {
		n += 80 + len(r.Engagement.ContactCenter) + len(r.Engagement.Interaction) + len(r.Engagement.FirstRunID)
	}
	return n
}

// AttemptInput is the input of Attempt, which sends requests of one lane in order and stops at
// the first that is not delivered.
type AttemptInput struct {
	Owner    Owner     `json:"owner"`
	Call     string    `json:"call"`
	Requests []Request `json:"requests"`
	// Number is the number of the first request's attempt, from 1; the other requests are at
	// their first attempt.
	Number int `json:"number"`
	// InLane reports that a Delivery workflow makes the attempt, and so parks what is final.
	InLane bool `json:"in_lane,omitempty"`
}

// AttemptResult has one outcome for each attempted request, in order.
type AttemptResult struct {
	Outcomes []Outcome `json:"outcomes"`
}

// Verdict is what an outcome means for the delivery.
type Verdict string

// The verdicts of an attempt.
const (
	VerdictDelivered Verdict = "delivered"
	// VerdictRetry: retry after RetryIn.
	VerdictRetry Verdict = "retry"
	// VerdictFinal: a retry does not help, or the schedule is exhausted; park the delivery.
	VerdictFinal Verdict = "final"
	// VerdictInFlight is set by Dispatch only: the request is still in flight in the process.
	VerdictInFlight Verdict = "in_flight"
)

// AskReceiver is the part of an Outcome's message that states why a request that may have
// arrived is not repeated, and what an operator can do.
const AskReceiver = "the receiver may have the request, and the call is not idempotent: check there, then redeliver or discard"

// Outcome is the outcome of one attempt.
type Outcome struct {
	ID      string  `json:"id"`
	Verdict Verdict `json:"verdict"`
	// Code is the HTTP status, 0 when there was no response.
	Code int `json:"code,omitempty"`
	// Class is one of the closed set of delivery classes, "ok" when delivered.
	Class string `json:"class"`
	// MS is the duration of the attempt in milliseconds.
	MS int64 `json:"ms"`
	// At is when the attempt ended.
	At time.Time `json:"at"`
	// RetryIn is the delay until the next attempt, with jitter and Retry-After included.
	RetryIn time.Duration `json:"retry_in,omitempty"`
	// Free reports that nothing was sent (breaker open, limits reached), so that the attempt
	// takes no step of the schedule.
	Free bool `json:"free,omitempty"`
	// Version is the version of the configuration that the attempt was made with. A delivered
	// outcome in a DispatchResult omits it if it is the result's.
	Version string `json:"version,omitempty"`
	// Of is the number of attempts in the schedule.
	Of int `json:"of,omitempty"`
	// Order is the call's policy for deliveries behind a parked one: block, skip or unordered.
	Order string `json:"order,omitempty"`
	// Retention is how long a parked delivery waits for an operator.
	Retention time.Duration `json:"retention,omitempty"`
	// Message describes the failure for people; it contains no secret.
	Message string `json:"message,omitempty"`
	// Excerpt is the beginning of a failed attempt's response.
	Excerpt string `json:"excerpt,omitempty"`
	// Returns are the values of the response that are written into user data.
	Returns map[string]any `json:"returns,omitempty"`
}

// HandOver is the payload of the append signal: requests for the Delivery workflow of a lane.
type HandOver struct {
	Owner    Owner     `json:"owner"`
	Call     string    `json:"call"`
	Requests []Request `json:"requests"`
	// Failed is the outcome of the first request's first attempt, if that is why the lane is
	// handed over.
	Failed *Outcome `json:"failed,omitempty"`
	// Priority is the interaction's priority; its lanes have the next lower one.
	Priority Priority `json:"priority,omitzero"`
	// Part names the part of the lane to append to; empty is the lane itself.
	Part string `json:"part,omitempty"`
	// Chain changes the place of that workflow in the lane's chain of parts.
	Chain *Chain `json:"chain,omitempty"`
}

// RenderInput is the input of Render. Of the request, only the identity and the source are
// needed.
type RenderInput struct {
	Owner   Owner   `json:"owner"`
	Request Request `json:"request"`
}

// Rules are the configured timers and priority of an interaction in its channel and queue. The
// workflow uses those of its last Dispatch.
type Rules struct {
	Timeouts
	// Overflow is the queue that the queue timer moves an interaction to; without one, the
	// timer ends the interaction.
	Overflow string `json:"overflow,omitempty"`
	// MaxMisses is how many missed offers overflow a queue; 0 is no limit.
	MaxMisses int `json:"max_misses,omitempty"`
	// Priority is the priority of the interaction's activities.
	Priority Priority `json:"priority,omitzero"`
}

// Timeouts are the durations of an interaction's timers; 0 turns a timer off.
type Timeouts struct {
	Offer       time.Duration `json:"offer"`
	Queue       time.Duration `json:"queue"`
	WrapUp      time.Duration `json:"wrap_up"`
	Engagement  time.Duration `json:"engagement"`
	Lifetime    time.Duration `json:"lifetime"`
	LateEvents  time.Duration `json:"late_events"`
	Orphan      time.Duration `json:"orphan"`
	SequenceGap time.Duration `json:"sequence_gap"`
}
