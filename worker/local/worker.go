package local

import (
	"cmp"
	"context"
	"errors"
	"net"

	"segue/bus"
	"segue/config"
	"segue/worker/host"
)

// WorkerOptions configure one worker.
type WorkerOptions struct {
	// Config is required. The worker follows its changes.
	Config *config.Store
	// TaskQueue is the task queue to poll; empty for that of the client.
	TaskQueue string
	// Allow lists what calls may reach besides what guard.allow of the configuration names.
	Allow []string
	// Bus gets the worker's reports on receivers; nil for none. It must outlive the worker.
	Bus *bus.Conn
}

// Worker is a running worker.
type Worker struct {
	// Version is what a versioned worker runs as; empty for an unversioned one.
	Version string

	listener net.Listener
	cancel   context.CancelFunc
	done     chan struct{} // closed when the worker has ended; err is set by then
	err      error
}

// StartWorker starts a worker, which runs until it or the Segue is stopped. Several may run at once,
// but only one where metrics are collected. An error means that metrics.address cannot be used; a worker that fails later
// ends Wait.
func (s *Segue) StartWorker(options WorkerOptions) (*Worker, error) {
	set := options.Config.Current()
	w := &Worker{Version: host.Version(set.Temporal), done: make(chan struct{})}
	if s.exporter != nil {
		var err error
		if w.listener, err = host.Listen(set.Metrics.Address); err != nil {
			return nil, err
		}
	}
	// Not the context of the start: Stop ends the worker before the client and Temporal.
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	s.mu.Lock()
	s.workers = append(s.workers, w)
	s.mu.Unlock()
	go func() {
		defer close(w.done)
		w.err = host.Run(ctx, host.Options{
			Client: s.Client.Temporal, Namespace: s.Settings.Namespace, TaskQueue: cmp.Or(options.TaskQueue, s.Client.TaskQueue),
			Config: options.Config, Log: s.log, Allow: options.Allow, Metrics: s.exporter, Listener: w.listener, Bus: options.Bus,
		})
		if ctx.Err() == nil {
			s.fail(errors.Join(errors.New("the worker ended"), w.err))
		}
	}()
	return w, nil
}

// fail ends Wait; the first failure counts.
func (s *Segue) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == nil {
		s.failure = err
		close(s.failed)
	}
}

// Stop takes no more work, lets deliveries in flight finish, and returns when the worker has ended. It may be called
// again, and then returns the same error.
func (w *Worker) Stop() error {
	w.cancel()
	<-w.done
	return w.err
}

// MetricsURL is where the worker serves its metrics; empty if it serves none.
func (w *Worker) MetricsURL() string {
	if w.listener == nil {
		return ""
	}
	return "http://" + w.listener.Addr().String() + "/metrics"
}
