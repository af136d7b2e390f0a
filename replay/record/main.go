// Command record records the golden histories that package replay replays: it plays scenarios that cover every path of
// an interaction, on an embedded Temporal with a real receiver, and writes the histories that the server recorded.
//
//	go run ./replay/record --out replay/testdata/v0
//
// It never overwrites a history: those of released code stay as they were recorded, and every change of the workflows
// must keep them replaying.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	out := flag.String("out", "", "folder to write to, replay/testdata/<release>")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := record(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func record(ctx context.Context, out string) (err error) {
	if out == "" {
		return errors.New("--out is required: the folder to write to, replay/testdata/<release>")
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("folder for the histories: %w", err)
	}
	r, err := openRecorder(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	for _, sc := range scenarios {
		fmt.Fprintf(os.Stderr, "recording %s\n", sc.name)
		if err := sc.play(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
		maps.Copy(r.also, sc.histories)
		for name, workflowID := range r.also {
			if err := r.export(ctx, workflowID, filepath.Join(out, name+extension)); err != nil {
				return fmt.Errorf("%s: %w", sc.name, err)
			}
		}
		clear(r.also)
	}
	return nil
}
