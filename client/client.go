package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	sdkclient "go.temporal.io/sdk/client"

	"segue/contract"
	"segue/interaction"
)

// Client reaches the interactions and lanes of one namespace. It is safe for concurrent use.
type Client struct {
	// Temporal is the connection; the caller closes it.
	Temporal sdkclient.Client
	// TaskQueue is the task queue of Segue's workers. New interactions and lanes run on it.
	TaskQueue string
	// Priority returns the priority of a new interaction. Without it, interactions have the
	// default priority; the contact center is the fairness key in either case.
	Priority func(start interaction.Start) contract.Priority
	// Patience is how long transient errors are retried: an outage or a restart of Temporal,
	// a workflow whose first task has not run yet, an interaction that is overloaded. Zero is
	// DefaultPatience.
	Patience time.Duration
}

const (
	// DefaultPatience is longer than the restart of a local Temporal server takes.
	DefaultPatience = 30 * time.Second
	firstPause      = 50 * time.Millisecond
	longestPause    = 2 * time.Second
)

// Start starts an interaction and returns the id of its first run. The start object's id and
// contact_center must be those of n. Start returns an *ExistsError if the interaction was
// started before. With reopen, it starts a completed interaction again, and ends its window
// for late data first. A start object that the interaction refuses fails the workflow, not
// Start: the next query returns a *RefusedError; interaction.DecodeStart checks one in advance.
func (c *Client) Start(ctx context.Context, n Name, start json.RawMessage, reopen bool) (runID string, err error) {
	return c.StartWith(ctx, n, start, nil, reopen)
}

// StartWith starts an interaction as Start does, together with its first commands: a JSON array as
// Commands takes. Temporal stores both or neither. The interaction applies the commands before
// anything else, and Rejected lists those that it refuses. It refuses the start if the array is
// malformed.
func (c *Client) StartWith(ctx context.Context, n Name, start, commands json.RawMessage, reopen bool) (runID string, err error) {
	input := []any{argumentOf(start)}
	if len(commands) > 0 {
		input = append(input, argumentOf(firstCommands(commands)))
	}
	runID, err = c.start(ctx, n, start, input, reopen)
	var exists *ExistsError
	if !reopen || !errors.As(err, &exists) {
		return runID, err
	}
	if state, asked := c.State(ctx, n); asked != nil || state.LateUntil == nil {
		return runID, err
	}
	if err := c.endLateData(ctx, n, exists.RunID); err != nil {
		return runID, err
	}
	return c.start(ctx, n, start, input, reopen)
}

// endLateData closes a completed interaction before its window for late data ends. The
// cancellation ends nothing else: the interaction's deliveries continue.
func (c *Client) endLateData(ctx context.Context, n Name, runID string) error {
	ctx, cancel := answerWithin(ctx)
	defer cancel()
	err := c.retry(ctx, func() error { return markOutage(ctx, c.Temporal.CancelWorkflow(ctx, n.WorkflowID(), runID)) })
	if err == nil {
		err = c.Temporal.GetWorkflow(ctx, n.WorkflowID(), runID).Get(ctx, nil)
	}
	return c.classify(ctx, n, err)
}

func (c *Client) start(ctx context.Context, n Name, start json.RawMessage, input []any, reopen bool) (runID string, err error) {
	options := c.startOptions(n, start, reopen)
	err = c.retry(ctx, func() error {
		run, err := c.Temporal.ExecuteWorkflow(ctx, options, contract.WorkflowInteraction, input...)
		if err == nil {
			runID = run.GetRunID()
		}
		return markOutage(ctx, err)
	})
	var exists *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &exists) {
		return exists.RunId, &ExistsError{Name: n, RunID: exists.RunId}
	}
	return runID, c.classify(ctx, n, err)
}

func (c *Client) startOptions(n Name, start json.RawMessage, reopen bool) sdkclient.StartWorkflowOptions {
	options := sdkclient.StartWorkflowOptions{
		ID:                                       n.WorkflowID(),
		TaskQueue:                                c.TaskQueue,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            summaryOf(n, start),
	}
	c.describe(&options, n, start)
	if reopen {
		options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	return options
}

// describe adds to the options what a start object says about the interaction; a malformed one
// says nothing, and the interaction refuses it.
func (c *Client) describe(options *sdkclient.StartWorkflowOptions, n Name, payload json.RawMessage) {
	var priority contract.Priority
	if start, err := interaction.DecodeStart(payload); err == nil {
		start.ContactCenter, start.ID = n.ContactCenter, n.ID
		options.TypedSearchAttributes = contract.StartAttributes(start)
		if c.Priority != nil {
			priority = c.Priority(start)
		}
		if start.EventID != "" {
			options.Memo = map[string]any{contract.MemoStart: start.EventID}
		}
	}
	options.Priority = priority.ForContactCenter(n.ContactCenter)
}

// maxChannel is longer than every channel's name. Servers limit a summary to 400 bytes.
const maxChannel = 32

// summaryOf returns the summary that the Temporal UI shows for the workflow.
func summaryOf(n Name, start json.RawMessage) string {
	var fields struct {
		Channel string `json:"channel"`
	}
	if json.Unmarshal(start, &fields) != nil || fields.Channel == "" {
		fields.Channel = "new"
	}
	if len(fields.Channel) > maxChannel {
		fields.Channel = "unknown" // the interaction refuses it, with the reason
	}
	return fmt.Sprintf("%s interaction %s", fields.Channel, n.ID)
}

// Signal sends a command as a signal, or with contract.SignalCommands an array of commands. When
// Signal returns nil, Temporal has stored the signal; the interaction applies it later, in the
// order of arrival. A refusal is not an error of Signal: Rejected lists refused signals, and
// refused commands of arrays. Signal returns ErrNotFound or ErrCompleted if no such interaction
// runs.
func (c *Client) Signal(ctx context.Context, n Name, command string, payload json.RawMessage) error {
	err := c.retry(ctx, func() error {
		return markOutage(ctx, c.Temporal.SignalWorkflow(ctx, n.WorkflowID(), "", command, argumentOf(payload)))
	})
	return c.classify(ctx, n, err)
}

// Update sends a command as an update, waits until the interaction has judged it, and returns
// the answer. It returns a *RefusedError if the interaction refuses the command. The event id
// becomes the update id, by which Temporal deduplicates; without one, Update takes a random
// id. A call without a deadline in its context waits one minute for a worker.
func (c *Client) Update(ctx context.Context, n Name, command, eventID string, payload json.RawMessage) (contract.Answer, error) {
	var answer contract.Answer
	err := c.update(ctx, n, command, eventID, payload, &answer)
	return answer, err
}

// Commands sends a JSON array of commands as one update and returns one result for each
// command, in order. A refused command is an Error in its result and does not stop those
// after it; Commands itself returns a *RefusedError if the array is malformed.
func (c *Client) Commands(ctx context.Context, n Name, eventID string, array json.RawMessage) ([]contract.CommandResult, error) {
	var results []contract.CommandResult
	err := c.update(ctx, n, contract.UpdateCommands, eventID, array, &results)
	return results, err
}

// answerLimit is how long one try of an update waits for a worker if its context has no
// deadline.
const answerLimit = time.Minute

// maxUpdateID is the longest update id that every Temporal server accepts, in bytes.
const maxUpdateID = 255

func (c *Client) update(ctx context.Context, n Name, name, id string, payload json.RawMessage, answer any) error {
	if id == "" || len(id) > maxUpdateID {
		// Retries of this command need one id. An event id that is too long for Temporal is refused by the interaction,
		// with the reason.
		id = rand.Text()
	}
	_, err := c.sendUpdate(ctx, n, Message{Name: name, ID: id, Payload: payload}, answer, always)
	return err
}

// answerWithin bounds the wait for an answer, unless the context has a deadline.
func answerWithin(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, limited := ctx.Deadline(); limited {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, answerLimit)
}

// retry repeats a call while its error is transient, with growing pauses, for Patience.
func (c *Client) retry(ctx context.Context, call func() error) error {
	return c.retryWhile(ctx, always, call)
}

func always(error) bool { return true }

// retryWhile does the same while a retry after the error is wanted.
func (c *Client) retryWhile(ctx context.Context, wanted func(error) bool, call func() error) error {
	patience := c.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	deadline := time.Now().Add(patience)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := call()
		if err == nil || !isTransient(err) || !wanted(err) || time.Now().Add(pause).After(deadline) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(err, context.Cause(ctx))
		case <-timer.C:
		}
	}
}
