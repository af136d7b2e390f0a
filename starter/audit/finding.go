package audit

import (
	"time"

	"segue/contract"
	"segue/interaction"
	"segue/workflows"
)

// Finding is one workflow that was ended from outside and left something undone.
type Finding struct {
	WorkflowID    string `json:"workflow_id"`
	RunID         string `json:"run_id"`
	ContactCenter string `json:"contact_center"`
	Interaction   string `json:"interaction"`
	// Call is the call of a lane; empty for an interaction.
	Call string `json:"call,omitempty"`
	// Ended is how the workflow ended: terminated, timedout, failed or canceled.
	Ended   string    `json:"ended"`
	EndedAt time.Time `json:"ended_at"`
	// Reason is the reason that was given for the end.
	Reason string `json:"reason,omitempty"`
	// State is the interaction's state when it was ended.
	State interaction.State `json:"state,omitempty"`
	// Events are the events that were not dispatched. The workers' configuration decides
	// which calls they fire.
	Events []Event `json:"events"`
	// Deliveries are the requests that are not known to have arrived.
	Deliveries []Delivery `json:"deliveries"`
	// Waiting are the parts of a lane that wait for this workflow.
	Waiting []Waiting `json:"waiting,omitempty"`
	// Drafts are the ids of the interactions that a reply requested and that were not started.
	Drafts []string `json:"drafts,omitempty"`
}

// Event is one event that was not dispatched.
type Event struct {
	Sequence int64              `json:"sequence"`
	Moment   interaction.Moment `json:"when"`
	Segment  string             `json:"segment,omitempty"`
	Command  string             `json:"command"`
	At       time.Time          `json:"at"`
}

// Delivery is one request that is not known to have arrived.
type Delivery struct {
	ID       string `json:"id"`
	Call     string `json:"call"`
	Moment   string `json:"when"`
	Sequence int64  `json:"sequence"`
}

// Waiting is a part of a lane that waits for an ended one, with the number of its deliveries.
type Waiting struct {
	WorkflowID string `json:"workflow_id"`
	Deliveries int    `json:"deliveries"`
}

func (f *Finding) isEmpty() bool { return len(f.Events)+len(f.Deliveries)+len(f.Drafts) == 0 }

// describe adds what an interaction left undone.
func (f *Finding) describe(left workflows.Unfinished) {
	for _, event := range left.Undispatched() {
		segment := string(event.Segment)
		if event.Leg != "" {
			segment += "." + string(event.Leg)
		}
		f.Events = append(f.Events, Event{
			Sequence: event.Sequence, Moment: event.Moment, Segment: segment, Command: event.Command, At: event.At,
		})
	}
	f.Deliveries = append(f.Deliveries, deliveriesOf(left.Unsent())...)
	for _, start := range left.Unstarted() {
		f.Drafts = append(f.Drafts, start.ID)
	}
}

func deliveriesOf(requests []contract.Request) []Delivery {
	deliveries := []Delivery{}
	for _, r := range requests {
		deliveries = append(deliveries, Delivery{ID: r.ID, Call: r.Call, Moment: r.Moment, Sequence: r.Sequence})
	}
	return deliveries
}

// Stuck is a running workflow whose tasks fail.
type Stuck struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
	// Problems are the reasons, as Temporal reports them.
	Problems []string `json:"problems"`
}

// Failure is a workflow that could not be examined or recovered.
type Failure struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
	Reason     string `json:"reason"`
}

// Found is the result of Find.
type Found struct {
	// Looked counts the workflows that were ended from outside.
	Looked   int
	Findings []Finding
	Failures []Failure
	// More reports that there are more workflows than Find examined.
	More bool
}

// Events counts the events of all findings.
func (f Found) Events() int { return f.sum(func(g Finding) int { return len(g.Events) }) }

// Deliveries counts the deliveries of all findings.
func (f Found) Deliveries() int { return f.sum(func(g Finding) int { return len(g.Deliveries) }) }

// Drafts counts the drafts of all findings.
func (f Found) Drafts() int { return f.sum(func(g Finding) int { return len(g.Drafts) }) }

func (f Found) sum(count func(Finding) int) int {
	n := 0
	for _, finding := range f.Findings {
		n += count(finding)
	}
	return n
}
