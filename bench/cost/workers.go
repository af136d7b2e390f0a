package main

import (
	"context"
	"errors"
	"os"
	"runtime/pprof"

	"go.temporal.io/sdk/client"

	"segue/bench"
	"segue/config"
	"segue/connect"
	"segue/worker/local"
)

// workersArgument makes this program the child that runs the workers.
const workersArgument = "workers-of-a-measurement"

// assignment tells the child what to run.
type assignment struct {
	Address, Namespace string
	// URL is that of the receiver.
	URL string
	// Queue is the task queue of Segue's contenders; the others have one whose name is derived from it.
	Queue string
	// Late adds a worker for the contender with the default late_events.
	Late bool
	// Profile is the file for a CPU profile of the workers; empty is none.
	Profile string
}

func bareQueue(queue string) string { return "bare-" + queue }
func lateQueue(queue string) string { return "late-" + queue }

// startWorkers starts a child process with the workers of all contenders, and returns when they have started.
func startWorkers(a assignment) (*bench.Child, error) {
	return bench.StartChild(workersArgument, a, os.Stderr)
}

// runWorkers is the child: it reads its assignment, writes a line when the workers have started, and stops them when its
// standard input ends.
func runWorkers(ctx context.Context) (err error) {
	var a assignment
	assigned, err := bench.ReadAssignment(&a)
	if err != nil {
		return err
	}
	temporal, err := client.Dial(client.Options{HostPort: a.Address, Namespace: a.Namespace, Logger: bench.ErrorsOnly()})
	if err != nil {
		return err
	}
	defer temporal.Close()
	bare, err := startBareWorker(temporal, bareQueue(a.Queue))
	if err != nil {
		return err
	}
	defer bare.Stop()
	segue, err := local.Start(ctx, local.Options{Settings: connect.Settings{Address: a.Address, Namespace: a.Namespace}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, segue.Stop()) }()
	if err := startSegueWorker(segue, a.Queue, bench.Configuration(a.URL, "late_events: 0s")); err != nil {
		return err
	}
	if a.Late {
		if err := startSegueWorker(segue, lateQueue(a.Queue), bench.Configuration(a.URL, "")); err != nil {
			return err
		}
	}
	if a.Profile != "" {
		file, err := os.Create(a.Profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	return assigned.Started("started")
}

func startSegueWorker(segue *local.Segue, queue, configuration string) error {
	set, err := config.Parse("cost.yaml", []byte(configuration))
	if err != nil {
		return err
	}
	_, err = segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set), TaskQueue: queue})
	return err
}
