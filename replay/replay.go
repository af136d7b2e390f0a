package replay

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"segue/workflows"
)

// File reads a history from a file: JSON as the temporal command line and `segue export` write
// it, compressed with gzip or not.
func File(path string) (*historypb.History, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer file.Close()
	content := bufio.NewReader(file)
	var text io.Reader = content
	if magic, err := content.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		if text, err = gzip.NewReader(content); err != nil {
			return nil, fmt.Errorf("history %s: %w", path, err)
		}
	}
	history, err := client.HistoryFromJSON(text, client.HistoryJSONOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s is not a history: %w", path, err)
	}
	if len(history.GetEvents()) == 0 {
		return nil, fmt.Errorf("%s is not a history: it has no events", path)
	}
	return history, nil
}

// History replays a history with the current workflows. It returns an error if they would not
// do what the history recorded. The replay changes the history: clone it to use it again.
func History(history *historypb.History, logger log.Logger) error {
	replayer, err := newReplayer(workflows.Register, nil)
	if err != nil {
		return err
	}
	return replayer.ReplayWorkflowHistoryWithOptions(logger, history, original(history))
}

// original returns the execution under which a history was recorded: an interaction reads
// its identity from its workflow id.
func original(history *historypb.History) worker.ReplayWorkflowHistoryOptions {
	started := history.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	return worker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()},
	}
}

// Execution replays a workflow of a namespace, and changes nothing there.
func Execution(ctx context.Context, c client.Client, execution workflow.Execution, logger log.Logger) error {
	history, err := Fetch(ctx, c, execution)
	if err != nil {
		return err
	}
	return History(history, logger)
}

// Fetch reads the whole history of one run from its namespace; an empty run id is the latest
// run. The SDK's own replay of an execution requires that every local activity is registered.
func Fetch(ctx context.Context, c client.Client, execution workflow.Execution) (*historypb.History, error) {
	history := &historypb.History{}
	pages := c.GetWorkflowHistory(ctx, execution.ID, execution.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for pages.HasNext() {
		event, err := pages.Next()
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", execution.ID, err)
		}
		history.Events = append(history.Events, event)
	}
	if len(history.GetEvents()) == 0 {
		return nil, fmt.Errorf("history of %s: it has no events", execution.ID)
	}
	return history, nil
}

// newReplayer returns a replayer with the workflows that register adds and the options of a
// worker. change, if not nil, changes the options.
func newReplayer(register func(worker.WorkflowRegistry), change func(*worker.WorkflowReplayerOptions)) (worker.WorkflowReplayer, error) {
	plugin, err := workflows.NewPlugin()
	if err != nil {
		return nil, fmt.Errorf("replayer: %w", err)
	}
	// A replay on a busy machine may take long without a deadlock.
	options := worker.WorkflowReplayerOptions{Plugins: []worker.Plugin{plugin}, DisableDeadlockDetection: true}
	if change != nil {
		change(&options)
	}
	replayer, err := worker.NewWorkflowReplayerWithOptions(options)
	if err != nil {
		return nil, errors.Join(errors.New("replayer"), err)
	}
	register(replayer)
	return replayer, nil
}
