package stack

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Process is for a test binary that runs as a process of its own tests, such as a worker. It runs the role until SIGTERM or an
// interrupt ends the context, and then ends the process.
func Process(role func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := role(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
