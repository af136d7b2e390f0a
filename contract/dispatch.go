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

// Owner says whose deliveries these are: one interaction, over all its runs, or
// the workflow that watches over a receiver, for its alerts.
type Owner struct {
	ContactCenter string `json:"contact_center"`
	Interaction   string `json:"interaction"`
	// Receiver is the one that alerts tell of, by its name; the two above are empty then.
	Receiver string `json:"receiver,omitempty"`
	// FirstRunID is the first run of the continue-as-new chain: it tells a
	// reopened interaction from the one before it.
	FirstRunID string `json:"first_run_id"`
}

// LaneState says what the interaction already has under way for one call.
type LaneState string

// A lane that is absent from Input.Lanes is idle.
const (
	// LaneBusy: deliveries of the lane wait in the interaction or are being attempted,
	// so a new one goes behind them.
	LaneBusy LaneState = "busy"
	// LaneHandedOver: the lane belongs to its Delivery workflow; a new one is appended there.
	LaneHandedOver LaneState = "handed_over"
)

// DispatchInput is what the dispatcher gives to the Dispatch local activity. Local
// activities get it by reference: it is read only.
type DispatchInput struct {
	Owner Owner              `json:"owner"`
	Turns []interaction.Turn `json:"turns"`
	// After skips the events up to and including this sequence, which an earlier
	// Dispatch has dealt with.
	After int64                `json:"after,omitempty"`
	Lanes map[string]LaneState `json:"lanes,omitempty"`
	// Known are the rules that the workflow has; nil before the first Dispatch.
	Known *Rules `json:"known,omitempty"`
	// Unpinned says that the run goes on with newer versions of the workers already.
	Unpinned bool `json:"unpinned,omitempty"`
}

// DispatchResult is what Dispatch records in its marker.
type DispatchResult struct {
	// Version is the configuration that the events were dispatched with.
	Version string `json:"version,omitempty"`
	// Rules are set when they differ from those in the input.
	Rules *Rules `json:"rules,omitempty"`
	// Through is the last event sequence that was dealt with; events after it did
	// not fit and go into the next Dispatch.
	Through    int64      `json:"through"`
	Deliveries []Delivery `json:"deliveries,omitempty"`
	// Sent says that at least one request left inside this Dispatch, for its receiver or
	// its lane workflow.
	Sent bool `json:"sent,omitempty"`
	// Unpinned says that the run was told to go on with newer versions of the workers.
	Unpinned bool `json:"unpinned,omitempty"`
}

// DeliveryStatus is where one delivery stands, as the queries show it.
type DeliveryStatus string

// The statuses of a delivery. A Delivery workflow has waiting, attempting,
// delivered, parked and discarded; an interaction shows attempting, delivered and in_lane.
const (
	StatusWaiting    DeliveryStatus = "waiting"
	StatusAttempting DeliveryStatus = "attempting"
	StatusDelivered  DeliveryStatus = "delivered"
	StatusInLane     DeliveryStatus = "in_lane"
	StatusParked     DeliveryStatus = "parked"
	StatusDiscarded  DeliveryStatus = "discarded"
)

// Delivery is what Dispatch did with one event for one call.
type Delivery struct {
	ID       string `json:"id"`
	Call     string `json:"call"`
	Moment   string `json:"when"`
	Sequence int64  `json:"sequence"`
	// Status is delivered (the POST left inline and succeeded, or a dry run is recorded
	// with its Request), in_lane (appended to the Delivery workflow) or waiting (Request
	// is to be attempted by the interaction).
	Status  DeliveryStatus `json:"status"`
	Request *Request       `json:"request,omitempty"`
	Outcome *Outcome       `json:"outcome,omitempty"`
}

// Header is one HTTP header; a list keeps their order and case.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// Attempt says that the number of the attempt comes between Value and After: the
	// one thing of a request that is put in when it is sent.
	Attempt bool   `json:"attempt,omitempty"`
	After   string `json:"after,omitempty"`
}

// Text is the header's value in an attempt, counted from 1.
func (h Header) Text(attempt int) string {
	if !h.Attempt {
		return h.Value
	}
	return h.Value + strconv.Itoa(attempt) + h.After
}

// Request is a rendered call: the bytes of every attempt. It holds no secret;
// credentials, signature and timestamp are added when it is sent.
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
	// Version is the configuration that rendered it.
	Version string `json:"version,omitempty"`
	// Once says that the call is not idempotent: an attempt that ended without an outcome
	// is not repeated.
	Once bool `json:"once,omitempty"`
	// Timeout is the deadline of one attempt where it is longer than UsualTimeout, else 0.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Fault is set when the call could not be rendered: such a delivery is parked
	// without an attempt, class "render".
	Fault string `json:"fault,omitempty"`
	// Source is what it was rendered from. Only what is handed over to a lane workflow
	// has one, see SourceOf.
	Source json.RawMessage `json:"source,omitempty"`
}

// UsualTimeout is the default deadline of one attempt. Requests carry longer ones only.
const UsualTimeout = 10 * time.Second

// UserAgent is the User-Agent of a request that has none of its own.
const UserAgent = "segue"

// Size is roughly what the request weighs in a payload, in bytes, without its source.
func (r Request) Size() int {
	n := 200 + len(r.ID) + len(r.Call) + len(r.URL) + len(r.Body) + len(r.Fault)
	for _, h := range r.Headers {
		n += len(h.Name) + len(h.Value) + len(h.After) + 24
	}
	return n
}

// AttemptInput asks to send requests of one lane, in order, stopping at the
// first that is not delivered.
type AttemptInput struct {
	Owner    Owner     `json:"owner"`
	Call     string    `json:"call"`
	Requests []Request `json:"requests"`
	// Number is the attempt number of the first request, from 1; the others are
	// at their first attempt.
	Number int `json:"number"`
	// InLane says that the lane workflow asks: what is final is parked there.
	InLane bool `json:"in_lane,omitempty"`
}

// AttemptResult has one outcome for each request that was tried, in order.
type AttemptResult struct {
	Outcomes []Outcome `json:"outcomes"`
}

// Verdict is what an outcome means for the delivery.
type Verdict string

// The verdicts of an attempt.
const (
	VerdictDelivered Verdict = "delivered"
	// VerdictRetry: worth another attempt after RetryIn.
	VerdictRetry Verdict = "retry"
	// VerdictFinal: no attempt will help; park. An exhausted schedule is final too.
	VerdictFinal Verdict = "final"
	// VerdictInFlight is Dispatch's own: the POST goes on in the process.
	VerdictInFlight Verdict = "in_flight"
)

// AskReceiver is the part of an Outcome's message that says why a request is not repeated
// that may have arrived, and what an operator can do.
const AskReceiver = "the receiver may have the request, and the call is not idempotent: check there, then redeliver or discard"

// Outcome is what came of one attempt.
type Outcome struct {
	ID      string  `json:"id"`
	Verdict Verdict `json:"verdict"`
	// Code is the HTTP status, 0 when there was no response.
	Code int `json:"code,omitempty"`
	// Class is one of the closed set of delivery classes, "ok" when delivered.
	Class string `json:"class"`
	// MS is how long the attempt took, in milliseconds.
	MS int64     `json:"ms"`
	At time.Time `json:"at"`
	// RetryIn is how long to wait before the next attempt: schedule, jitter and
	// Retry-After are already in it.
	RetryIn time.Duration `json:"retry_in,omitempty"`
	// Free says that nothing was sent (breaker open, limits reached), so that the
	// attempt takes no step of the schedule.
	Free bool `json:"free,omitempty"`
	// Version is the configuration that the attempt was made with. A delivered one in
	// a Result has none when it is the result's.
	Version string `json:"version,omitempty"`
	// Of is how many attempts the schedule has in all.
	Of int `json:"of,omitempty"`
	// Order is the call's policy behind a parked delivery: block, skip or unordered.
	Order string `json:"order,omitempty"`
	// Retention is how long a parked delivery waits for an operator.
	Retention time.Duration `json:"retention,omitempty"`
	// Message says in plain words what went wrong; it holds no secret.
	Message string `json:"message,omitempty"`
	// Excerpt is the bounded beginning of a failed attempt's response.
	Excerpt string `json:"excerpt,omitempty"`
	// Returns are the response values to write back into user data.
	Returns map[string]any `json:"returns,omitempty"`
}

// HandOver appends requests to the lane's Delivery workflow.
type HandOver struct {
	Owner    Owner     `json:"owner"`
	Call     string    `json:"call"`
	Requests []Request `json:"requests"`
	// Failed is the outcome of the first request's first attempt, when that is
	// why the lane is handed over.
	Failed *Outcome `json:"failed,omitempty"`
	// Priority is the interaction's; its lanes go behind it.
	Priority Priority `json:"priority,omitzero"`
	// Part names the part of the lane to append to; empty is the lane itself.
	Part string `json:"part,omitempty"`
	// Chain changes the place of that workflow in the lane's chain of parts.
	Chain *Chain `json:"chain,omitempty"`
}

// RenderInput asks to render a request anew; of the request only the identity and
// the source are needed.
type RenderInput struct {
	Owner   Owner   `json:"owner"`
	Request Request `json:"request"`
}

// Rules are what the configuration says about an interaction's timers and whose turn
// it is, for its channel and the queue it is in. The workflow uses those of its last
// Dispatch.
type Rules struct {
	Timeouts
	// Overflow is where the queue timer sends an interaction; empty ends it.
	Overflow string `json:"overflow,omitempty"`
	// MaxMisses is how many missed offers overflow a queue; 0 is no limit.
	MaxMisses int `json:"max_misses,omitempty"`
	// Priority is whose turn the interaction's activities are.
	Priority Priority `json:"priority,omitzero"`
}

// Timeouts are the durations that an interaction's timers use; 0 is off.
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
