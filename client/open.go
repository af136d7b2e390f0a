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

	"go.temporal.io/api/serviceerror"
	sdkclient "go.temporal.io/sdk/client"

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
	var watch outageWatch
	err = c.retryWhile(ctx, patient(o.Wanted), func() error {
		limited, cancel := answerWithin(ctx)
		defer cancel()
		var err error
		opened, earlier, err = c.tryOpen(limited, opening)
		if isLostWithRun(err) {
			return &continuedError{err} // the interaction was started: the next try finds it
		}
		return watch.mark(c.markWorkerOutage(ctx, n.WorkflowID(), err))
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

// tryOpen makes one try. It returns the run of an earlier start instead, if there is one.
func (c *Client) tryOpen(ctx context.Context, o *opening) (Opened, *earlierStart, error) {
	if o.start.Reopen {
		// The server would start a completed interaction again.
		earlier, err := c.beforeReopening(ctx, o)
		if earlier != nil || err != nil {
			return Opened{}, earlier, err
		}
	}
	operation := c.Temporal.NewWithStartWorkflowOperation(o.options, contract.WorkflowInteraction, argumentOf(o.Start))
	var results []contract.CommandResult
	handle, err := c.Temporal.UpdateWithStartWorkflow(ctx, sdkclient.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: operation,
		UpdateOptions: sdkclient.UpdateWorkflowOptions{
			UpdateName: contract.UpdateCommands, UpdateID: o.updateID, Args: []any{argumentOf(o.array)},
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
	if o.updateID != o.ID {
		// The outcome may be that of another repeat, which may have had other commands.
		if last, err := c.find(ctx, o); err != nil || !last.isThis {
			return Opened{}, &last.earlierStart, err
		}
	}
	opened, err := c.openedWith(ctx, o, handle.RunID(), results)
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
	opened.Answer.Duplicate, opened.Answer.Child, opened.Answer.Waiting, opened.Answer.Attempt = false, "", false, 0
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
