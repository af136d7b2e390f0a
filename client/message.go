package client

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	sdkclient "go.temporal.io/sdk/client"
)

// Message is one update of an interaction.
type Message struct {
	// Name is the wire name of a command, or contract.UpdateCommands for an array of them.
	Name    string
	Payload json.RawMessage
	// ID is the update id, the same for all tries of this message. It does not identify the command:
	// within a run, Temporal answers a known id with the recorded outcome, an old refusal too.
	ID string
	// Wanted reports whether a retry is wanted after a transient error; nil is always.
	Wanted func() bool
}

// overloadPatience is how long SendUpdate retries an interaction that is overloaded: longer than
// a run takes to continue as new, and shorter than a sender with an alternative wants to wait.
const overloadPatience = time.Second

// SendUpdate sends an update, waits until the interaction has judged it, and returns the answer
// and the run that gave it. It retries what is transient as Update does, but an overloaded
// interaction for one second only. If the context ends before, the outcome is unknown:
// ErrNoWorker or ErrUnreachable.
func (c *Client) SendUpdate(ctx context.Context, n Name, m Message, answer any) (runID string, err error) {
	handle, err := c.sendUpdate(ctx, n, m, answer, patient(m.Wanted))
	if err != nil {
		return "", err
	}
	return handle.RunID(), nil
}

// patient returns whether a retry after an error is wanted.
func patient(wanted func() bool) func(error) bool {
	began := time.Now()
	return func(err error) bool {
		if isOverloaded(err) && time.Since(began) > overloadPatience {
			return false
		}
		return wanted == nil || wanted()
	}
}

func (c *Client) sendUpdate(ctx context.Context, n Name, m Message, answer any, wanted func(error) bool) (handle sdkclient.WorkflowUpdateHandle, err error) {
	options := sdkclient.UpdateWorkflowOptions{
		WorkflowID: n.WorkflowID(), UpdateName: m.Name, UpdateID: m.ID,
		Args: []any{argumentOf(m.Payload)}, WaitForStage: sdkclient.WorkflowUpdateStageCompleted,
	}
	var watch outageWatch
	err = c.retryWhile(ctx, wanted, func() error {
		limited, cancel := answerWithin(ctx)
		defer cancel()
		var err error
		handle, err = c.Temporal.UpdateWorkflow(limited, options)
		if err == nil {
			err = handle.Get(limited, answer)
		}
		if isLostWithRun(err) && c.isOpen(ctx, n.WorkflowID()) {
			return &continuedError{err}
		}
		return watch.mark(c.markWorkerOutage(ctx, n.WorkflowID(), err))
	})
	return handle, c.classify(ctx, n, err)
}

// outageWatch remembers over the tries of one call whether Temporal answered.
type outageWatch struct{ before bool }

// mark returns an outageError for the timeout of a try during which Temporal has recovered, so that
// the worker gets a whole try.
func (w *outageWatch) mark(err error) error {
	var outage *outageError
	isOutage := errors.As(err, &outage)
	if w.before && !isOutage && timedOut(err) {
		err = &outageError{err}
	}
	w.before = isOutage
	return err
}
