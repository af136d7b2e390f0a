package lanes

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"segue/client"
	"segue/contract"
)

// Filter selects deliveries. An empty field does not narrow the selection; the zero Filter
// selects all deliveries that are neither delivered nor discarded.
type Filter struct {
	ContactCenter, Interaction, Call string
	// Class is the class of the last failure, such as "http_5xx".
	Class string
	// Since leaves out deliveries whose last attempt was earlier; those without an attempt
	// count from their event, discarded ones from when they were discarded.
	Since time.Time
	// IDs are delivery ids, which receivers see as webhook-id.
	IDs []string
	// Parked selects the deliveries that wait for an operator, Retrying those that wait for
	// the time of their next attempt; both together select either.
	Parked, Retrying bool
	// Settled adds deliveries that are delivered or discarded.
	Settled bool
	// Discarded selects discarded deliveries and nothing else, also in lanes that have closed.
	Discarded bool
}

// Query returns a query in Temporal's list language for the lanes that may hold selected
// deliveries.
func (f Filter) Query() string {
	conditions := []string{"WorkflowType = '" + contract.WorkflowDelivery + "'"}
	if f.Discarded { // a run that continued as new has passed on what it lists
		conditions = append(conditions, "ExecutionStatus != 'ContinuedAsNew'", client.Equals(contract.AttributeOutcome.GetName(), string(contract.StatusDiscarded)))
	} else {
		conditions = append(conditions, "ExecutionStatus = 'Running'")
	}
	for _, keyword := range []struct{ attribute, value string }{
		{contract.AttributeContactCenter.GetName(), f.ContactCenter},
		{contract.AttributeInteraction.GetName(), f.Interaction},
		{contract.AttributeCall.GetName(), f.Call},
	} {
		if keyword.value != "" {
			conditions = append(conditions, client.Equals(keyword.attribute, keyword.value))
		}
	}
	if f.Parked && !f.Retrying {
		conditions = append(conditions, contract.AttributeParked.GetName()+" > 0")
	}
	return strings.Join(conditions, " AND ")
}

// Match reports whether the filter selects a delivery, apart from its contact center and
// interaction, which Query has checked.
func (f Filter) Match(record contract.DeliveryRecord) bool {
	return f.matchesStatus(record) &&
		(f.Call == "" || record.Call == f.Call) &&
		(f.Class == "" || record.Class == f.Class) &&
		(len(f.IDs) == 0 || slices.Contains(f.IDs, record.ID)) &&
		!f.isOlder(record)
}

func (f Filter) matchesStatus(record contract.DeliveryRecord) bool {
	if f.Discarded {
		return record.Status == contract.StatusDiscarded
	}
	isParked := record.Status == contract.StatusParked
	isRetrying := record.Status == contract.StatusWaiting && record.Due != ""
	if f.Parked || f.Retrying {
		return f.Parked && isParked || f.Retrying && isRetrying
	}
	isSettled := record.Status == contract.StatusDelivered || record.Status == contract.StatusDiscarded
	return f.Settled || !isSettled
}

func (f Filter) isOlder(record contract.DeliveryRecord) bool {
	if f.Since.IsZero() {
		return false
	}
	text := cmp.Or(record.At, record.EventAt)
	if record.Discarded != nil {
		text = record.Discarded.At
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return err == nil && at.Before(f.Since)
}

// Delivery is one delivery, and the workflow that has it.
type Delivery struct {
	ContactCenter string `json:"contact_center"`
	Interaction   string `json:"interaction"`
	// Receiver is the receiver that an alert is about; the two fields above are empty then.
	Receiver string `json:"receiver,omitempty"`
	// WorkflowID is the workflow that has the delivery: a lane's or the interaction's.
	WorkflowID string `json:"workflow_id"`
	// RunID is the run of a lane that has closed.
	RunID string `json:"run_id,omitempty"`
	contract.DeliveryRecord
}

// DeliveryIn returns the delivery of a lane's record.
func DeliveryIn(l client.Lane, record contract.DeliveryRecord) Delivery {
	return Delivery{ContactCenter: l.ContactCenter, Interaction: l.ID, Receiver: l.Receiver, WorkflowID: l.WorkflowID, RunID: l.RunID, DeliveryRecord: record}
}

// Lane returns the lane that has the delivery, in its latest run.
func (d Delivery) Lane() client.Lane {
	return client.Lane{Name: client.Name{ContactCenter: d.ContactCenter, ID: d.Interaction}, Receiver: d.Receiver, Call: d.Call, WorkflowID: d.WorkflowID}
}
