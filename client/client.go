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

// Client sends to the interactions of one namespace.
type Client struct {
	Temporal  sdkclient.Client
	TaskQueue string
	// Priority says whose turn a new interaction is; nil leaves it to its contact center.
	Priority func(start interaction.Start) contract.Priority
	// Patience is how long what may pass is tried again; zero is DefaultPatience.
	Patience time.Duration
}

const (
	// DefaultPatience outlasts the restart of a server on this machine.
	DefaultPatience = 30 * time.Second
	firstPause      = 50 * time.Millisecond
	longestPause    = 2 * time.Second
)

// Start starts an interaction and returns the id of its first run. An id that was
// started before is an ExistsError; reopen allows it when that one has completed. One
// that still takes late data takes none from then on.
func (c *Client) Start(ctx context.Context, n Name, start json.RawMessage, reopen bool) (runID string, err error) {
	runID, err = c.start(ctx, n, start, reopen)
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
	return c.start(ctx, n, start, reopen)
}

// endLateData lets a completed interaction close before its window for late data
// ends: a cancellation ends nothing else of it, and its deliveries go on.
func (c *Client) endLateData(ctx context.Context, n Name, runID string) error {
	ctx, cancel := answerWithin(ctx)
	defer cancel()
	err := c.retry(ctx, func() error { return markOutage(ctx, c.Temporal.CancelWorkflow(ctx, n.WorkflowID(), runID)) })
	if err == nil {
		err = c.Temporal.GetWorkflow(ctx, n.WorkflowID(), runID).Get(ctx, nil)
	}
	return c.classify(ctx, n, err)
}

func (c *Client) start(ctx context.Context, n Name, start json.RawMessage, reopen bool) (runID string, err error) {
	options := sdkclient.StartWorkflowOptions{
		ID:                                       n.WorkflowID(),
		TaskQueue:                                c.TaskQueue,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            summaryOf(n, start),
		Priority:                                 c.priorityOf(start).ForContactCenter(n.ContactCenter),
	}
	if reopen {
		options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	err = c.retry(ctx, func() error {
		run, err := c.Temporal.ExecuteWorkflow(ctx, options, contract.WorkflowInteraction, start)
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

// priorityOf asks for the priority of a start; of one that is malformed, the
// interaction will say so.
func (c *Client) priorityOf(payload json.RawMessage) (p contract.Priority) {
	if start, err := interaction.DecodeStart(payload); err == nil && c.Priority != nil {
		p = c.Priority(start)
	}
	return p
}

// maxChannel is more than any channel's name has: servers take 400 bytes of a summary.
const maxChannel = 32

// summaryOf is what the Temporal UI shows in its list.
func summaryOf(n Name, start json.RawMessage) string {
	var of struct {
		Channel string `json:"channel"`
	}
	if json.Unmarshal(start, &of) != nil || of.Channel == "" {
		of.Channel = "new"
	}
	if len(of.Channel) > maxChannel {
		of.Channel = "unknown" // the interaction refuses it, and says why
	}
	return fmt.Sprintf("%s interaction %s", of.Channel, n.ID)
}

// Signal sends a command as a signal: Temporal has it when this returns, and the
// interaction judges it when its turn comes.
func (c *Client) Signal(ctx context.Context, n Name, command string, payload json.RawMessage) error {
	err := c.retry(ctx, func() error {
		return markOutage(ctx, c.Temporal.SignalWorkflow(ctx, n.WorkflowID(), "", command, payload))
	})
	return c.classify(ctx, n, err)
}

// Update sends a command as an update and returns what the interaction answers.
// The event id is the update's own id; empty takes a random one.
func (c *Client) Update(ctx context.Context, n Name, command, eventID string, payload json.RawMessage) (contract.Answer, error) {
	var answer contract.Answer
	err := c.update(ctx, n, command, eventID, payload, &answer)
	return answer, err
}

// Commands sends an array of commands as one update: one result each, in order.
func (c *Client) Commands(ctx context.Context, n Name, eventID string, array json.RawMessage) ([]contract.CommandResult, error) {
	var results []contract.CommandResult
	err := c.update(ctx, n, contract.UpdateCommands, eventID, array, &results)
	return results, err
}

// answerLimit is how long one try of an update waits for a worker when its caller sets
// no limit.
const answerLimit = time.Minute

// maxUpdateID is what every Temporal server takes, in bytes.
const maxUpdateID = 255

func (c *Client) update(ctx context.Context, n Name, name, id string, payload json.RawMessage, answer any) error {
	if id == "" || len(id) > maxUpdateID {
		// Sent again, it must be known for the same command. What is too long for an id of Temporal's is refused by the
		// interaction, which says why.
		id = rand.Text()
	}
	away := false
	err := c.retry(ctx, func() error {
		limited, cancel := answerWithin(ctx)
		defer cancel()
		handle, err := c.Temporal.UpdateWorkflow(limited, sdkclient.UpdateWorkflowOptions{
			WorkflowID: n.WorkflowID(), UpdateName: name, UpdateID: id,
			Args: []any{payload}, WaitForStage: sdkclient.WorkflowUpdateStageCompleted,
		})
		if err == nil {
			err = handle.Get(limited, answer)
		}
		if isLostWithRun(err) && c.isOpen(ctx, n.WorkflowID()) {
			return &continuedError{err}
		}
		var outage *outageError
		err = c.markWorkerOutage(ctx, n.WorkflowID(), err)
		wasAway := away
		if away = errors.As(err, &outage); !away && wasAway && timedOut(err) {
			return &outageError{err} // Temporal is back, and the worker gets the time of a whole try
		}
		return err
	})
	return c.classify(ctx, n, err)
}

// answerWithin bounds the wait for an answer, unless the caller has.
func answerWithin(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, limited := ctx.Deadline(); limited {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, answerLimit)
}

// retry tries again what may pass, with growing pauses.
func (c *Client) retry(ctx context.Context, try func() error) error {
	patience := c.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	deadline := time.Now().Add(patience)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := try()
		if err == nil || !isTransient(err) || time.Now().Add(pause).After(deadline) {
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
