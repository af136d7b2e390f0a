package contract

// ShownOpen is how many of its open deliveries an interaction shows: the first ones. The
// others are counted; their lane workflow has them.
const ShownOpen = 500

// DeliveryRecord is one delivery as the query "deliveries" shows it.
type DeliveryRecord struct {
	ID       string         `json:"id"`
	Call     string         `json:"call"`
	Moment   string         `json:"when"`
	Sequence int64          `json:"sequence"`
	Status   DeliveryStatus `json:"status"`
	Code     int            `json:"code,omitempty"`
	Class    string         `json:"class,omitempty"`
	At       string         `json:"at,omitempty"`
	// Why is the last failure in plain words or, of one that was delivered, what
	// could not be read of the response; it holds no secret.
	Why string `json:"why,omitempty"`
	// Answer is how the response to the last attempt began, if that failed.
	Answer string `json:"answer,omitempty"`
	// Version is the configuration of the last attempt; without one, of the dispatch.
	Version string `json:"version,omitempty"`

	// What follows is filled by a Delivery only.

	// EventAt is when the event happened.
	EventAt string `json:"event_at,omitempty"`
	// Due is when a waiting one is tried next; empty behind another of its lane.
	Due string `json:"due,omitempty"`
	// CanRerender says that redeliver may ask for new bytes.
	CanRerender bool            `json:"can_rerender,omitempty"`
	Attempts    []AttemptRecord `json:"attempts,omitempty"`
	// Sent counts all attempts that were made; Attempts has the last ones.
	Sent int `json:"sent,omitempty"`
	// Discarded says who gave the delivery up, and when.
	Discarded *Discarding `json:"discarded,omitempty"`
}

// Discarding says when a delivery was discarded, and by whom: what the signal gave as
// "by", or "retention" where its retention ended. Without a name, the signal in the
// history has the identity of the client that sent it.
type Discarding struct {
	At string `json:"at"`
	By string `json:"by,omitempty"`
}

// AttemptRecord is one attempt of a delivery in its lane workflow.
type AttemptRecord struct {
	At    string `json:"at"`
	Code  int    `json:"code,omitempty"`
	Class string `json:"class"`
	MS    int64  `json:"ms"`
	// Version is the configuration that it was made with.
	Version string `json:"version,omitempty"`
}

// ReceiverStatus is the answer of a Receiver to the query "state".
type ReceiverStatus struct {
	Call string `json:"call"`
	// State is failing, recovering (it delivered, and may fail again), parked (it
	// answers, and deliveries are parked) or recovered.
	State string `json:"state"`
	// Since is when the trouble began.
	Since string `json:"since,omitempty"`
	// Failure is the latest one.
	Failure *Failure `json:"failure,omitempty"`
	// Lanes and Parked count the interactions with deliveries of the call that wait,
	// and those of them with parked ones, when that was looked at last: CountedAt.
	Lanes     int    `json:"lanes"`
	Parked    int    `json:"parked"`
	CountedAt string `json:"counted_at,omitempty"`
	// Alerts are the moments that operators were told of, the last ones.
	Alerts []AlertRecord `json:"alerts"`
}

// AlertRecord is one moment for operators and the deliveries that told of it; where
// these stand, their lane workflows know.
type AlertRecord struct {
	Moment     string                `json:"when"`
	Sequence   int64                 `json:"sequence"`
	At         string                `json:"at"`
	Deliveries []AlertDeliveryRecord `json:"deliveries"`
	// GivenUp says that Temporal did not take it for an hour.
	GivenUp bool `json:"given_up,omitempty"`
}

// AlertDeliveryRecord is one alert on its way.
type AlertDeliveryRecord struct {
	ID         string `json:"id"`
	Call       string `json:"call"`
	WorkflowID string `json:"workflow_id,omitempty"`
	DryRun     bool   `json:"dry_run,omitempty"`
}
