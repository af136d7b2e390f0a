package lanes

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"segue/client"
	"segue/contract"
)

// Filter says which deliveries are meant; what is empty does not narrow.
type Filter struct {
	ContactCenter, Interaction, Call string
	// Class is that of the last failure.
	Class string
	// Since leaves out what failed last before it; what was never tried counts from
	// its event.
	Since time.Time
	IDs   []string
	// Parked and Retrying choose by what they wait for: a person, or the time of their
	// next attempt. With neither, everything that is not settled is meant.
	Parked, Retrying bool
	// Settled takes in what has arrived or was given up.
	Settled bool
	// Discarded means what was given up, and nothing else.
	Discarded bool
}

// Query is the lanes to look into, in Temporal's list language.
func (f Filter) Query() string {
	conditions := []string{"WorkflowType = '" + contract.WorkflowDelivery + "'"}
	if f.Discarded { // a lane that continued as new has taken along what it lists
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

// Match tells whether a delivery is meant, whatever lane it is in.
func (f Filter) Match(record contract.DeliveryRecord) bool {
	return f.waits(record) &&
		(f.Call == "" || record.Call == f.Call) &&
		(f.Class == "" || record.Class == f.Class) &&
		(len(f.IDs) == 0 || slices.Contains(f.IDs, record.ID)) &&
		!f.isOlder(record)
}

func (f Filter) waits(record contract.DeliveryRecord) bool {
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

// Delivery is one delivery and where it is.
type Delivery struct {
	ContactCenter string `json:"contact_center"`
	Interaction   string `json:"interaction"`
	// Receiver is the one that an alert tells of; the two above are empty then.
	Receiver string `json:"receiver,omitempty"`
	// WorkflowID is the workflow that has it: a lane's or the interaction's.
	WorkflowID string `json:"workflow_id"`
	// RunID is the run of a lane that has closed.
	RunID string `json:"run_id,omitempty"`
	contract.DeliveryRecord
}

// DeliveryIn gives a record of a lane its place.
func DeliveryIn(l client.Lane, record contract.DeliveryRecord) Delivery {
	return Delivery{ContactCenter: l.ContactCenter, Interaction: l.ID, Receiver: l.Receiver, WorkflowID: l.WorkflowID, RunID: l.RunID, DeliveryRecord: record}
}

// Lane is the lane that has the delivery, whichever run of it is the latest.
func (d Delivery) Lane() client.Lane {
	return client.Lane{Name: client.Name{ContactCenter: d.ContactCenter, ID: d.Interaction}, Receiver: d.Receiver, Call: d.Call, WorkflowID: d.WorkflowID}
}
