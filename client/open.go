package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	sdkclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"segue/contract"
	"segue/interaction"
)

// Opening is a start of an interaction together with its first commands.
type Opening struct {
	// Start is the start object. A repeat of the start is recognized by its event_id.
	Start json.RawMessage
	// Commands are the elements of an array as Commands takes it; it may be empty.
	Commands []json.RawMessage
	// ID is the update id, the same for all tries of this opening.
	ID string
	// Wanted reports whether a retry is wanted after a transient error; nil is always.
	Wanted func() bool
}

// Opened is the answer to an Opening.
type Opened struct {
	// RunID is the run that gave the answer.
	RunID string
	// Duplicate reports that the interaction was started before with the same event_id. Then the
	// answer is the present state.
	Duplicate bool
	Answer    contract.Answer
	// Outcomes has one element for each of the commands.
	Outcomes []Outcome
}

// Outcome is the outcome of one command: an answer, or an error.
type Outcome struct {
	Answer contract.Answer
	Err    error
}

// OutcomeOf returns one result of an array of commands.
func OutcomeOf(result contract.CommandResult) Outcome {
	if result.Error == nil {
		return Outcome{Answer: result.Answer}
	}
	refused := &RefusedError{Type: result.Error.Type, Message: result.Error.Message, Refusal: result.Error.Refusal}
	if refused.Why == "" {
		refused.Why = usualWhy(refused.Type)
	}
	return Outcome{Answer: result.Answer, Err: refused}
}

// Open starts an interaction together with its first commands, waits until the interaction has
// judged them, and returns the answers. A refused command does not undo the start. The start object
// is checked first, so that a malformed one starts nothing: Open returns a *RefusedError.
//
// Open again with the same event_id starts nothing either, even if the interaction has completed
// since; the commands are sent again, and those that were applied are duplicates. An id that was
// taken by another start is an *ExistsError, unless the start has reopen and the interaction has
// completed.
func (c *Client) Open(ctx context.Context, n Name, o Opening) (Opened, error) {
	opening, err := c.prepare(n, o)
	if err != nil {
		return Opened{}, Malformed(err)
	}
	var opened Opened
	var earlier *earlierStart
	outageBefore := false
	err = c.retryWhile(ctx, patient(o.Wanted), func() error {
		limited, cancel := answerWithin(ctx)
		defer cancel()
		var err error
		opened, earlier, err = c.tryOpen(limited, opening)
		if isLostWithRun(err) {
			return &continuedError{err} // the interaction was started: the next try finds it
		}
		var outage *outageError
		err = c.markWorkerOutage(ctx, n.WorkflowID(), err)
		isOutage := errors.As(err, &outage)
		if outageBefore && !isOutage && timedOut(err) {
			err = &outageError{err}
		}
		outageBefore = isOutage
		return err
	})
	var exists *ExistsError
	switch {
	case errors.As(err, &exists):
		return Opened{}, exists
	case err != nil:
		return Opened{}, c.classify(ctx, n, err)
	case earlier != nil:
		return c.repeat(ctx, opening, earlier)
	}
	return opened, nil
}

// opening is an Opening with what is derived from it.
type opening struct {
	Opening
	name     Name
	start    interaction.Start
	array    json.RawMessage
	eventID  string
	updateID string
	options  sdkclient.StartWorkflowOptions
}

func (c *Client) prepare(n Name, o Opening) (*opening, error) {
	start, err := interaction.DecodeStart(o.Start)
	if err != nil {
		return nil, err
	}
	if given := (Name{ContactCenter: start.ContactCenter, ID: start.ID}); given != n {
		return nil, &interaction.InvalidError{Command: "start", Field: "id", Value: given.String(), Reason: "must be " + n.String()}
	}
	p := &opening{Opening: o, name: n, start: start, array: arrayOf(o.Commands), eventID: cmp.Or(start.EventID, o.ID), updateID: o.ID}
	p.options = c.startOptions(n, o.Start, start.Reopen)
	p.options.Memo = map[string]any{contract.MemoStart: p.eventID}
	if start.Reopen && start.EventID != "" {
		p.options.Memo[contract.MemoOpening] = o.ID
		// Temporal answers a known update id with its outcome, after the run has closed, too. So two
		// repeats at the same time, of which one finds the interaction of the other already completed,
		// start one interaction.
		p.updateID = repeatableID(start.EventID)
	}
	return p, nil
}

func repeatableID(eventID string) string {
	sum := sha256.Sum256([]byte(eventID))
	return "start-" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// arrayOf returns the JSON array of elements.
func arrayOf(elements []json.RawMessage) json.RawMessage {
	var array bytes.Buffer
	array.WriteByte('[')
	for i, element := range elements {
		if i > 0 {
			array.WriteByte(',')
		}
		array.Write(element)
	}
	array.WriteByte(']')
	return array.Bytes()
}

// earlierStart is a run that was started with the same event_id before.
type earlierStart struct {
	runID  string
	isOpen bool
}

// tryOpen makes one try. It returns the run of an earlier start instead, if there is one.
func (c *Client) tryOpen(ctx context.Context, o *opening) (Opened, *earlierStart, error) {
	if o.start.Reopen {
		// The server would start a completed interaction again.
		earlier, err := c.beforeReopening(ctx, o)
		if earlier != nil || err != nil {
			return Opened{}, earlier, err
		}
	}
	operation := c.Temporal.NewWithStartWorkflowOperation(o.options, contract.WorkflowInteraction, o.Start)
	var results []contract.CommandResult
	handle, err := c.Temporal.UpdateWithStartWorkflow(ctx, sdkclient.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: operation,
		UpdateOptions: sdkclient.UpdateWorkflowOptions{
			UpdateName: contract.UpdateCommands, UpdateID: o.updateID, Args: []any{o.array},
			WaitForStage: sdkclient.WorkflowUpdateStageCompleted,
		},
	})
	if err == nil {
		err = handle.Get(ctx, &results)
	}
	var taken *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &taken) {
		found, err := c.find(ctx, o)
		switch {
		case err != nil:
			return Opened{}, nil, err
		case found.isOurs:
			return Opened{}, &found.earlierStart, nil
		}
		return Opened{}, nil, &ExistsError{Name: o.name, RunID: taken.RunId}
	}
	if err != nil {
		return Opened{}, nil, err
	}
	opened, err := c.openedWith(ctx, o, handle.RunID(), results)
	if err == nil && o.updateID != o.ID {
		var last found
		last, err = c.find(ctx, o)
		opened.Duplicate = !last.isThis
		opened.Answer.Duplicate = opened.Duplicate
	}
	return opened, nil, err
}

// openedWith returns the answers of the first commands. Without any, the state has to be asked for.
func (c *Client) openedWith(ctx context.Context, o *opening, runID string, results []contract.CommandResult) (Opened, error) {
	if len(results) != len(o.Commands) {
		return Opened{}, fmt.Errorf("%s: %d commands have %d results", o.name, len(o.Commands), len(results))
	}
	opened := Opened{RunID: runID}
	for _, result := range results {
		opened.Outcomes = append(opened.Outcomes, OutcomeOf(result))
		opened.Answer = result.Answer
	}
	opened.Answer.Duplicate, opened.Answer.Child, opened.Answer.Waiting = false, "", false
	if len(results) > 0 {
		return opened, nil
	}
	state, err := c.StateFor(ctx, o.name, actorOf(o.start))
	if err != nil {
		return Opened{}, err
	}
	opened.Answer = answerOf(state)
	return opened, nil
}

func actorOf(start interaction.Start) *contract.StateRequest {
	if start.By == nil {
		return nil
	}
	return &contract.StateRequest{ID: start.By.ID, Role: start.By.Role}
}

func answerOf(state contract.State) contract.Answer {
	capabilities := state.Capabilities
	if capabilities == nil {
		capabilities = []string{}
	}
	return contract.Answer{State: state.State, Sequence: state.Sequence, Revision: state.Revision, Capabilities: capabilities}
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
	outcomes, err := c.Repeats(ctx, closed, o.Commands)
	return Opened{RunID: cmp.Or(closed.Last.RunID, earlier.runID), Answer: answerOf(*closed.Last), Outcomes: outcomes}, err
}

// Repeats answers commands for a closed interaction: those that it has on record are duplicates, and
// their answer is its last state; the others have the error itself. It reads the interaction's
// history unless no command has an event_id.
func (c *Client) Repeats(ctx context.Context, closed *CompletedError, commands []json.RawMessage) ([]Outcome, error) {
	ids := make([]string, len(commands))
	for i, one := range commands {
		ids[i] = eventIDOf(one)
	}
	outcomes := make([]Outcome, len(commands))
	isRepeat := func(string) bool { return false }
	if closed.Last != nil && cmp.Or(ids...) != "" {
		received, err := c.Received(ctx, closed.Name)
		if err != nil {
			return nil, err
		}
		isRepeat = func(id string) bool { return id != "" && received[id] }
	}
	for i := range commands {
		if !isRepeat(ids[i]) {
			outcomes[i].Err = closed
			continue
		}
		outcomes[i].Answer = answerOf(*closed.Last)
		outcomes[i].Answer.Duplicate = true
	}
	return outcomes, nil
}
