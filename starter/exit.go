package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/interaction"
)

// The exit codes that scripts may rely on.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitRefused     = 4
	exitUnreachable = 5
	exitMissing     = 6
)

// codeOf returns the exit code of an error.
func codeOf(err error) int {
	var wrong *usageError
	var coded *codedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &wrong):
		return exitUsage
	case errors.Is(err, client.ErrNotFound):
		return exitNotFound
	case isRefused(err):
		return exitRefused
	case errors.Is(err, client.ErrUnreachable), errors.Is(err, client.ErrNoWorker), errors.Is(err, client.ErrStuck):
		return exitUnreachable
	}
	return exitFailure
}

func isRefused(err error) bool {
	var refused *client.RefusedError
	var exists *client.ExistsError
	var invalid *interaction.InvalidError
	return errors.As(err, &refused) || errors.As(err, &exists) || errors.As(err, &invalid) || errors.Is(err, client.ErrCompleted)
}

// usageError reports an invalid command line.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// codedError ends a command with an exit code when its output has already said why.
type codedError struct{ code int }

func (e *codedError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func isQuiet(err error) bool {
	var coded *codedError
	return errors.As(err, &coded) || errors.Is(err, context.Canceled)
}

// exactly requires n arguments. what names them in the error.
func exactly(n int, what string) cobra.PositionalArgs { return between(n, n, what) }

// between requires least to most arguments. what names them in the error.
func between(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usage("%s takes %s, not %d arguments; `%s --help` shows examples", c.CommandPath(), what, len(args), c.CommandPath())
		}
		return nil
	}
}

func noArguments(c *cobra.Command, args []string) error { return exactly(0, "no arguments")(c, args) }
