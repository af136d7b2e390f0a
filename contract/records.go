package contract

// ShownOpen is how many of its open deliveries an interaction lists: the first ones. It counts
// the others; their lane workflow lists them.
const ShownOpen = 500

// ShownRejected is how many refused signals an interaction lists: the last ones. It counts all.
const ShownRejected = 100

// DeliveryRecord is one delivery in the answer of the query "deliveries". Its times are RFC
// 3339 in UTC.
type DeliveryRecord struct {
	// ID is what the receiver sees as webhook-id.
	ID       string         `json:"id"`
	Call     string         `json:"call"`
	Moment   string         `json:"when"`
	Sequence int64          `json:"sequence"`
	Status   DeliveryStatus `json:"status"`
	// Code is the HTTP status of the last attempt, Class its class, and At when it ended.
	Code  int    `json:"code,omitempty"`
	Class string `json:"class,omitempty"`
	At    string `json:"at,omitempty"`
	// Why is the last failure in plain words or, for a delivered one, what could not be read
	// from the response; it holds no secret.
	Why string `json:"why,omitempty"`
	// Answer is the beginning of the response to the last attempt, if that failed.
	Answer string `json:"answer,omitempty"`
	// Version is the version of the configuration of the last attempt or, before one, of the
	// dispatch.
	Version string `json:"version,omitempty"`

	// Only a Delivery workflow fills in the following fields.

	// EventAt is when the event happened.
	EventAt string `json:"event_at,omitempty"`
	// Due is when a waiting delivery is retried; empty if it waits for another of its lane.
	Due string `json:"due,omitempty"`
	// CanRerender reports that redeliver can render the request again.
	CanRerender bool `json:"can_rerender,omitempty"`
	// Attempts are the last attempts, and Sent counts all of them.
	Attempts []AttemptRecord `json:"attempts,omitempty"`
	Sent     int             `json:"sent,omitempty"`
	// Discarded is set if the delivery was discarded.
	Discarded *Discarding `json:"discarded,omitempty"`
}

// Discarding records when and by whom a delivery was discarded. By is the name in the signal, or
// "retention" if the delivery's retention ended. If it is empty, the signal in the history has
// the identity of the client that sent it.
type Discarding struct {
	At string `json:"at"`
	By string `json:"by,omitempty"`
}

// AttemptRecord is one attempt of a delivery in its lane workflow.
type AttemptRecord struct {
	At    string `json:"at"`
	Code  int    `json:"code,omitempty"`
	Class string `json:"class"`
	// MS is the duration in milliseconds.
	MS int64 `json:"ms"`
	// Version is the version of the configuration that the attempt was made with.
	Version string `json:"version,omitempty"`
}

// ReceiverStatus is the answer of a Receiver to the query "state".
type ReceiverStatus struct {
	Call string `json:"call"`
	// State is failing, recovering (it delivers again and may still fail), parked (it
	// responds, and deliveries are parked) or recovered.
	State string `json:"state"`
	// Since is when the episode began.
	Since string `json:"since,omitempty"`
	// Failure is the latest failure.
	Failure *Failure `json:"failure,omitempty"`
	// Lanes counts the interactions with waiting deliveries of the call, and Parked those of
	// them with parked ones, at the last count: CountedAt.
	Lanes     int    `json:"lanes"`
	Parked    int    `json:"parked"`
	CountedAt string `json:"counted_at,omitempty"`
	// Alerts are the last moments that operators were notified of.
	Alerts []AlertRecord `json:"alerts"`
}

// AlertRecord is one moment for operators and the deliveries that notify of it. Their lane
// workflows have the status of each.
type AlertRecord struct {
	Moment     string                `json:"when"`
	Sequence   int64                 `json:"sequence"`
	At         string                `json:"at"`
	Deliveries []AlertDeliveryRecord `json:"deliveries"`
	// GivenUp reports that the alert could not be handed over for an hour and was dropped.
	GivenUp bool `json:"given_up,omitempty"`
}

// AlertDeliveryRecord is one delivery of an alert.
type AlertDeliveryRecord struct {
	ID         string `json:"id"`
	Call       string `json:"call"`
	WorkflowID string `json:"workflow_id,omitempty"`
	DryRun     bool   `json:"dry_run,omitempty"`
}
