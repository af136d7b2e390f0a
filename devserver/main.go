package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// readyLimit bounds the wait until a started server answers.
const readyLimit = 45 * time.Second

func main() {
	// Only the ready line may appear on standard output, and the UI's web framework logs to os.Stdout.
	stdout := os.Stdout
	os.Stdout = os.Stderr

	paceCollections()
	err := run(os.Args[1:], os.Stdin, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "devserver:", err)
		os.Exit(1)
	}
}

// run serves until a signal arrives or, with --exit-with-stdin, until stdin ends.
func run(args []string, stdin io.Reader, stdout io.Writer) error {
	options, err := parseOptions(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if options.exitWithStdin {
		ctx = untilEOF(ctx, stdin)
	}

	// A start cannot be interrupted, so it runs in a goroutine: the process can end meanwhile.
	started := make(chan startResult, 1)
	go func() { started <- start(ctx, options) }()
	select {
	case <-ctx.Done():
		return nil
	case result := <-started:
		if result.err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return result.err
		}
		if err := result.instance.announce(stdout); err != nil {
			return fmt.Errorf("print the ready line: %w", err)
		}
		<-ctx.Done()
		result.instance.stop()
		return nil
	}
}

type startResult struct {
	instance *instance
	err      error
}

func start(ctx context.Context, options options) startResult {
	running, err := launch(options)
	if err != nil {
		return startResult{err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	if err := running.waitUntilReady(ctx); err != nil {
		return startResult{err: err}
	}
	return startResult{instance: running}
}

// untilEOF returns a context that also ends when stdin does.
func untilEOF(ctx context.Context, stdin io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		// An error means the same as EOF: the other end is closed.
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	return ctx
}
