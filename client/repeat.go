package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"

	"segue/contract"
)

// A start that was sent before is recognized by its event_id, which the memo of its run has.

// earlierStart is a run that was started with the same event_id before.
type earlierStart struct {
	runID  string
	isOpen bool
}

// found is the latest run of an interaction.
type found struct {
	earlierStart
	isOurs bool // it was started with the same event_id
	isThis bool // it was started by this Opening, which has reopen
}

// find returns the latest run of the interaction; its error is Temporal's.
func (c *Client) find(ctx context.Context, o *opening) (found, error) {
	described, err := c.Temporal.DescribeWorkflowExecution(ctx, o.name.WorkflowID(), "")
	if err != nil {
		return found{}, err
	}
	info := described.GetWorkflowExecutionInfo()
	f := found{earlierStart: earlierStart{
		runID:  info.GetExecution().GetRunId(),
		isOpen: info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
	}}
	f.isOurs = memoOf(info, contract.MemoStart) == o.eventID
	f.isThis = memoOf(info, contract.MemoOpening) == o.ID
	return f, nil
}

// memoOf returns a text of a workflow's memo; "" if it has none.
func memoOf(info *workflowpb.WorkflowExecutionInfo, key string) string {
	var text string
	memo := info.GetMemo().GetFields()[key]
	if memo == nil || converter.GetDefaultDataConverter().FromPayload(memo, &text) != nil {
		return ""
	}
	return text
}

// beforeReopening returns the run of an earlier start with the same event_id, ends the window for
// late data of a completed interaction, and returns an ExistsError if the interaction is not over.
func (c *Client) beforeReopening(ctx context.Context, o *opening) (*earlierStart, error) {
	var missing *serviceerror.NotFound
	last, err := c.find(ctx, o)
	switch {
	case errors.As(err, &missing):
		return nil, nil
	case err != nil:
		return nil, err
	case last.isOurs:
		return &last.earlierStart, nil
	case !last.isOpen:
		return nil, nil
	}
	state, err := c.State(ctx, o.name)
	if err != nil {
		return nil, err
	}
	if state.LateUntil == nil {
		return nil, &ExistsError{Name: o.name, RunID: last.runID}
	}
	return nil, c.endLateData(ctx, o.name, last.runID)
}

// repeat answers a start that was sent before: with the present state, and the commands again.
func (c *Client) repeat(ctx context.Context, o *opening, earlier *earlierStart) (Opened, error) {
	opened, err := c.repeatOpen(ctx, o, earlier)
	if errors.Is(err, ErrCompleted) {
		opened, err = c.repeatClosed(ctx, o, earlier)
	}
	opened.Duplicate, opened.Answer.Duplicate = true, true
	return opened, err
}

func (c *Client) repeatOpen(ctx context.Context, o *opening, earlier *earlierStart) (Opened, error) {
	if !earlier.isOpen {
		return Opened{}, ErrCompleted
	}
	var results []contract.CommandResult
	runID := earlier.runID
	if len(o.Commands) > 0 {
		// Not the id of the start's update, which would be answered with the outcome of that time.
		var err error
		message := Message{Name: contract.UpdateCommands, ID: o.ID, Payload: o.array, Wanted: o.Wanted}
		if runID, err = c.SendUpdate(ctx, o.name, message, &results); err != nil {
			return Opened{}, err
		}
	}
	return c.openedWith(ctx, o, runID, results)
}

// repeatClosed answers for an interaction that has closed since.
func (c *Client) repeatClosed(ctx context.Context, o *opening, earlier *earlierStart) (Opened, error) {
	var closed *CompletedError
	if err := c.completed(ctx, o.name); !errors.As(err, &closed) || closed.Last == nil {
		state, err := c.StateFor(ctx, o.name, actorOf(o.start)) // it was ended from outside
		if err != nil {
			return Opened{}, err
		}
		closed = &CompletedError{Name: o.name, Last: &state}
	}
	var received map[string]bool
	if len(o.Commands) > 0 {
		var err error
		if received, err = c.Received(ctx, o.name); err != nil {
			return Opened{}, err
		}
	}
	return Opened{
		RunID: cmp.Or(closed.Last.RunID, earlier.runID), Answer: answerOf(*closed.Last), Outcomes: Repeats(closed, received, o.Commands),
	}, nil
}

// Repeats answers commands for a closed interaction whose runs have received these event ids: those
// that it has on record are duplicates, and their answer is its last state; the others have the
// error itself.
func Repeats(closed *CompletedError, received map[string]bool, commands []json.RawMessage) []Outcome {
	outcomes := make([]Outcome, len(commands))
	for i, one := range commands {
		if id := eventIDOf(one); closed.Last == nil || id == "" || !received[id] {
			outcomes[i].Err = closed
			continue
		}
		outcomes[i].Answer = answerOf(*closed.Last)
		outcomes[i].Answer.Duplicate = true
	}
	return outcomes
}
