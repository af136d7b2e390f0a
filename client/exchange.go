package client

import (
	"context"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"segue/contract"
)

// Exchange is what the histories have of one delivery: its request, and the result of its last attempt that is on record.
type Exchange struct {
	// Request is the request of the last attempt, or the one that waits for its first. It is nil if no history has it:
	// Dispatch sent it within the workflow task, and recorded only the result.
	Request *contract.Request
	// Attempt is the number of that attempt on its schedule, from 1; 0 before the first.
	Attempt int
	// Outcome is the result of the last attempt that has ended; nil before.
	Outcome *contract.Outcome
}

// maxRuns bounds the runs of one workflow that are read, the latest ones.
const maxRuns = 10

// Exchanges reads the requests of an interaction's deliveries, and the results of their last attempts, from the histories of the
// interaction and of its lanes. It returns them by the id of the delivery. records are what Deliveries has returned.
func (c *Client) Exchanges(ctx context.Context, n Name, records []contract.DeliveryRecord) (map[string]Exchange, error) {
	found := exchanges{}
	if len(records) == 0 {
		return found, nil
	}
	if err := c.readExchanges(ctx, n, n.WorkflowID(), "", found); err != nil {
		return nil, err
	}
	read := map[string]bool{}
	for _, record := range records {
		if read[record.Call] || !mayBeInLane(record) {
			continue
		}
		read[record.Call] = true
		lane := LaneOf(n, record.Call)
		if err := c.readExchanges(ctx, n, lane.WorkflowID, "", found); err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	return found, nil
}

// LaneExchanges is Exchanges for the deliveries of one lane.
func (c *Client) LaneExchanges(ctx context.Context, l Lane) (map[string]Exchange, error) {
	found := exchanges{}
	if err := c.readExchanges(ctx, l.Name, l.WorkflowID, l.RunID, found); err != nil {
		return nil, err
	}
	return found, nil
}

// mayBeInLane reports whether a lane workflow has or had the delivery. Only lanes know when its event happened.
func mayBeInLane(record contract.DeliveryRecord) bool {
	return record.EventAt != "" || record.Status == contract.StatusInLane || record.Status == contract.StatusParked
}

// readExchanges reads the last runs of a workflow, the oldest first, so that later attempts replace earlier ones. Temporal may
// have deleted older runs; what a run got from the run before it is in its input.
func (c *Client) readExchanges(ctx context.Context, n Name, workflowID, runID string, found exchanges) error {
	var runs []*historypb.History
	for len(runs) < maxRuns {
		history, err := c.History(ctx, n, workflowID, runID)
		if len(runs) > 0 && errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return err
		}
		runs = append(runs, history)
		if len(history.GetEvents()) == 0 {
			break
		}
		if runID = history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId(); runID == "" {
			break
		}
	}
	for i := len(runs) - 1; i >= 0; i-- {
		found.addRun(runs[i].GetEvents())
	}
	return nil
}

// exchanges are by the id of the delivery.
type exchanges map[string]Exchange

func (x exchanges) addRun(events []*historypb.HistoryEvent) {
	attempts := map[int64]contract.AttemptInput{} // by the event that scheduled them
	for _, event := range events {
		if started := event.GetWorkflowExecutionStartedEventAttributes(); started.GetContinuedExecutionRunId() != "" {
			x.addCarried(started.GetInput())
		}
		if signaled := event.GetWorkflowExecutionSignaledEventAttributes(); signaled.GetSignalName() == contract.SignalAppend {
			x.addHandOver(read[contract.HandOver](signaled.GetInput()))
		}
		if marker := event.GetMarkerRecordedEventAttributes(); marker != nil {
			x.addDispatch(read[contract.DispatchResult](marker.GetDetails()["result"]))
		}
		if scheduled := event.GetActivityTaskScheduledEventAttributes(); scheduled.GetActivityType().GetName() == contract.ActivityAttempt {
			in := read[contract.AttemptInput](scheduled.GetInput())
			attempts[event.GetEventId()] = in
			x.addAttempts(in)
		}
		if completed := event.GetActivityTaskCompletedEventAttributes(); completed != nil {
			if in, ok := attempts[completed.GetScheduledEventId()]; ok {
				x.addOutcomes(in, read[contract.AttemptResult](completed.GetResult()).Outcomes)
			}
		}
	}
}

// addRequest keeps the request of a delivery; attempt is 0 if it only waits.
func (x exchanges) addRequest(request contract.Request, attempt int) {
	one := x[request.ID]
	if one.Request != nil && attempt == 0 {
		return // it is known, or was attempted, perhaps with other bytes
	}
	request = request.WithoutSource()
	one.Request, one.Attempt = &request, attempt
	x[request.ID] = one
}

func (x exchanges) addOutcome(id string, attempt int, outcome contract.Outcome) {
	one := x[id]
	one.Outcome, one.Attempt = &outcome, attempt
	x[id] = one
}

func (x exchanges) addDispatch(result contract.DispatchResult) {
	for _, d := range result.Deliveries {
		if d.Request != nil {
			x.addRequest(*d.Request, 0)
		}
		if d.Outcome != nil && d.Outcome.Verdict != contract.VerdictInFlight {
			x.addOutcome(d.ID, 1, *d.Outcome)
		}
	}
}

func (x exchanges) addHandOver(in contract.HandOver) {
	for i, request := range in.Requests {
		x.addRequest(request, 0)
		if i == 0 && in.Failed != nil && x[request.ID].Outcome == nil {
			x.addOutcome(request.ID, 1, *in.Failed)
		}
	}
}

func (x exchanges) addAttempts(in contract.AttemptInput) {
	for i, request := range in.Requests {
		x.addRequest(request, numberOf(in, i))
	}
}

func (x exchanges) addOutcomes(in contract.AttemptInput, outcomes []contract.Outcome) {
	for i, outcome := range outcomes[:min(len(outcomes), len(in.Requests))] {
		x.addOutcome(in.Requests[i].ID, numberOf(in, i), outcome)
	}
}

// numberOf returns the number of the attempt of one of the requests of an Attempt.
func numberOf(in contract.AttemptInput, i int) int {
	if i == 0 {
		return in.Number
	}
	return 1
}

// addCarried adds the requests that a run got from the one before it: those of a lane's deliveries, or those that wait in an
// interaction.
func (x exchanges) addCarried(input *commonpb.Payloads) {
	if len(input.GetPayloads()) < 2 {
		return
	}
	carried := read[struct {
		Items []struct {
			Request contract.Request `json:"request"`
			Tries   int              `json:"tries"`
		} `json:"items"`
		Lanes []struct {
			Waiting []contract.Request `json:"waiting"`
		} `json:"lanes"`
	}](&commonpb.Payloads{Payloads: input.GetPayloads()[1:2]})
	for _, item := range carried.Items {
		if item.Request.Method != "" && len(item.Request.Headers) > 0 { // one that is settled has no bytes left
			x.addRequest(item.Request, item.Tries)
		}
	}
	for _, lane := range carried.Lanes {
		for _, request := range lane.Waiting {
			x.addRequest(request, 0)
		}
	}
}
