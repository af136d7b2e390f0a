// Command record makes the golden histories that package replay replays: it runs
// every path of an interaction on an embedded Temporal, with real receivers, and
// writes what the server recorded.
//
//	go run ./replay/record --out replay/testdata/v0
//
// A history is never overwritten: histories of released code stay as they were
// recorded, and a change of the workflows must keep them replaying.
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
		return errors.New("say where to write to: --out replay/testdata/<release>")
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("folder for the histories: %w", err)
	}
	s, err := openStudio(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, sc := range scenarios {
		fmt.Fprintf(os.Stderr, "recording %s\n", sc.name)
		if err := sc.play(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
		maps.Copy(s.also, sc.histories)
		for name, workflowID := range s.also {
			if err := s.export(ctx, workflowID, filepath.Join(out, name+".json.gz")); err != nil {
				return fmt.Errorf("%s: %w", sc.name, err)
			}
		}
		clear(s.also)
	}
	return nil
}
