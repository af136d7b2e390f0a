package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/workflow"

	"segue/replay"
)

// extension is that of a golden history.
const extension = ".json.gz"

// export writes the history of every run of a workflow: NAME.json.gz, NAME.2.json.gz, ….
func (r *recorder) export(ctx context.Context, workflowID, file string) error {
	description, err := r.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if err != nil {
		return err
	}
	runID := description.GetWorkflowExecutionInfo().GetFirstRunId()
	for n := 1; ; n++ {
		history, err := replay.Fetch(ctx, r.client, workflow.Execution{ID: workflowID, RunID: runID})
		if err != nil {
			return err
		}
		name := file
		if n > 1 {
			name = fmt.Sprintf("%s.%d%s", strings.TrimSuffix(file, extension), n, extension)
		}
		if err := write(name, history); err != nil {
			return err
		}
		last := history.GetEvents()[len(history.GetEvents())-1]
		runID = last.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
		if runID == "" {
			return nil
		}
	}
}

func write(file string, history *historypb.History) (err error) {
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("a golden history is never overwritten: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(history)
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(out)
	if _, err := packed.Write(text); err != nil {
		return err
	}
	return packed.Close()
}
