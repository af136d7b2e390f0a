package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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

// workers is a child process with the workers of all contenders: their CPU is measured apart from that of the load generator
// and the receivers.
type workers struct {
	child *exec.Cmd
	stdin io.Closer // the child ends with it, also if this process dies
}

// startWorkers starts the child and returns when its workers have started.
func startWorkers(a assignment) (*workers, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.Command(program, workersArgument)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(); err != nil {
		return nil, err
	}
	w := &workers{child: child, stdin: stdin}
	if err := json.NewEncoder(stdin).Encode(a); err != nil {
		return nil, errors.Join(err, w.stop())
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("the workers did not start: %w", err), w.stop())
	}
	return w, nil
}

func (w *workers) pid() int { return w.child.Process.Pid }

// stop lets the workers finish what they send.
func (w *workers) stop() error { return errors.Join(w.stdin.Close(), w.child.Wait()) }

// runWorkers is the child: it reads its assignment, writes a line when the workers have started, and stops them when its
// standard input ends.
func runWorkers(ctx context.Context) (err error) {
	stdin := bufio.NewReader(os.Stdin)
	line, err := stdin.ReadBytes('\n')
	if err != nil {
		return err
	}
	var a assignment
	if err := json.Unmarshal(line, &a); err != nil {
		return err
	}
	temporal, err := client.Dial(client.Options{HostPort: a.Address, Namespace: a.Namespace, Logger: errorsOnly()})
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
	fmt.Println("started")
	_, err = io.Copy(io.Discard, stdin)
	return err
}

func startSegueWorker(segue *local.Segue, queue, configuration string) error {
	set, err := config.Parse("cost.yaml", []byte(configuration))
	if err != nil {
		return err
	}
	_, err = segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set), TaskQueue: queue})
	return err
}
