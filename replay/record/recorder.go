package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"go.temporal.io/sdk/client"

	"segue/config"
	"segue/embedded"
	"segue/worker/local"
)

const (
	taskQueue     = "segue"
	contactCenter = "golden"
)

// recorder plays scenarios on a Segue of its own, with a receiver, and exports their histories.
type recorder struct {
	segue    *local.Segue
	client   client.Client
	receiver *receiver
	// yaml is the text of the configuration, and store what the next worker runs with.
	yaml  []byte
	store *config.Store
	// worker is the one that pause stops; nil while there is none.
	worker *local.Worker
	// also are histories to export besides those of the scenario, by file name.
	also map[string]string
}

func openRecorder(ctx context.Context) (_ *recorder, err error) {
	r := &recorder{also: map[string]string{}}
	r.segue, err = local.Start(ctx, local.Options{
		Server: embedded.Options{UIPort: embedded.NoUI},
		Log:    slog.New(slog.DiscardHandler), // failed deliveries are part of the scenarios
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	r.client = r.segue.Client.Temporal
	if r.receiver, err = openReceiver(); err != nil {
		return nil, err
	}
	r.yaml = fmt.Appendf(nil, configuration, r.receiver.url, strings.TrimSuffix(strings.Repeat("100ms, ", 90), ", "))
	set, err := config.Parse("golden.yaml", r.yaml)
	if err != nil {
		return nil, err
	}
	r.store = config.NewStore(set)
	return r, r.resume()
}

// resume starts a worker with the current store.
func (r *recorder) resume() (err error) {
	r.worker, err = r.segue.StartWorker(local.WorkerOptions{Config: r.store})
	return err
}

// pause stops the worker: the next one finds everything that is sent until resume in its first task.
func (r *recorder) pause() error {
	worker := r.worker
	r.worker = nil
	if worker == nil {
		return nil
	}
	return worker.Stop()
}

// detach leaves the current worker running beside those that follow. The function that it returns stops it.
func (r *recorder) detach() (stop func() error) {
	worker := r.worker
	r.worker = nil
	return worker.Stop
}

func (r *recorder) close() error {
	err := r.segue.Stop()
	if r.receiver != nil {
		err = errors.Join(err, r.receiver.close())
	}
	return err
}
