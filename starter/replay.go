package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"path/filepath"

	"github.com/spf13/cobra"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/workflow"

	"segue/replay"
)

func (a *app) replayCommand() *cobra.Command {
	var query string
	limit := 0
	c := &cobra.Command{
		Use:   "replay [FILE…]",
		Short: "Replay recorded histories with the workflow code of this binary",
		Long: `Replay histories with the workflow code of this binary, as a worker of this version would. A workflow whose history
fails here would be stuck after a deploy of this version. Replaying changes nothing.

Give files (JSON, plain or gzip, as ` + "`segue export`" + ` and the temporal CLI write them), or use --query to read histories
from a namespace. Each failure is listed with its error.

Exit codes: 0 every history replays; 1 a history does not replay or cannot be read, or the query is invalid; 2 neither or both of files and
--query are given; 5 Temporal does not answer.`,
		Example: `  segue replay replay/testdata/v0/*.json.gz
  segue replay --query 'WorkflowType="Interaction" AND ExecutionStatus="Running"' --limit 1000
  segue replay --query 'WorkflowType IN ("Interaction","Delivery","Receiver")' --json`,
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 0) == (query == "") {
				return usage("give either history files, or --query to read them from a namespace")
			}
			if limit <= 0 {
				limit = math.MaxInt32
			}
			replayed, err := a.replay(c.Context(), args, query, limit)
			if err != nil {
				return err
			}
			if err := a.print(replayed, replayed.write); err != nil {
				return err
			}
			if len(replayed.Failed) > 0 {
				return &codedError{exitFailure}
			}
			return nil
		},
	}
	c.Flags().StringVar(&query, "query", "", "replay the workflows that match this query in Temporal's list language")
	c.Flags().IntVar(&limit, "limit", 0, "maximum number of histories (0: all)")
	return c
}

// replayed is the result of replaying. `replay --json` prints it.
type replayed struct {
	Replayed int             `json:"replayed"`
	Failed   []replayFailure `json:"failed"`
}

type replayFailure struct {
	History string `json:"history"`
	Error   string `json:"error"`
}

func (r *replayed) count(history string, err error) {
	r.Replayed++
	if err != nil {
		r.Failed = append(r.Failed, replayFailure{History: history, Error: err.Error()})
	}
}

func (r replayed) write(w io.Writer) error {
	for _, failure := range r.Failed {
		if _, err := fmt.Fprintf(w, "FAILED %s: %s\n", failure.History, failure.Error); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "replayed %d, failed %d\n", r.Replayed, len(r.Failed))
	return err
}

func (a *app) replay(ctx context.Context, files []string, query string, limit int) (replayed, error) {
	if query == "" {
		return a.replayFiles(ctx, files)
	}
	return a.replayNamespace(ctx, query, limit)
}

func (a *app) replayFiles(ctx context.Context, files []string) (replayed, error) {
	r := replayed{Failed: []replayFailure{}}
	bar := newProgress(a.errs, "histories", len(files))
	defer bar.end()
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		r.count(filepath.ToSlash(file), a.replayFile(file))
		bar.step()
	}
	return r, nil
}

func (a *app) replayFile(file string) error {
	history, err := replay.File(file)
	if err != nil {
		return err
	}
	return replay.History(history, a.replayLog())
}

func (a *app) replayNamespace(ctx context.Context, query string, limit int) (replayed, error) {
	r := replayed{Failed: []replayFailure{}}
	s, err := a.connect(ctx)
	if err != nil {
		return r, err
	}
	defer s.close()
	found, err := s.find(ctx, query, limit)
	if err != nil {
		return r, err
	}
	bar := newProgress(a.errs, "histories", len(found))
	defer bar.end()
	for _, entry := range found {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		execution := workflow.Execution{ID: entry.WorkflowID, RunID: entry.RunID}
		r.count(entry.WorkflowID+" "+entry.RunID,
			replay.Execution(ctx, s.Temporal, execution, a.replayLog()))
		bar.step()
	}
	return r, nil
}

func (a *app) replayLog() sdklog.Logger {
	// The failure itself is returned; the SDK would log it a second time.
	return sdklog.NewStructuredLogger(a.log(slog.LevelError + 1))
}
