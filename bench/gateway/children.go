package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"

	"segue/bench"
	"segue/bus"
	"segue/client"
	"segue/config"
	"segue/connect"
	"segue/gateway"
	"segue/metrics/export"
	"segue/worker/local"
	"segue/workflows"
	"segue/workflows/notices"
)

const (
	gatewayArgument = "gateway-of-a-measurement"
	workerArgument  = "worker-of-a-measurement"
)

// assignment tells a child what to run.
type assignment struct {
	Settings connect.Settings
	// Config is the configuration in YAML.
	Config string
	// Bus is the URL of the bus to which a worker publishes notices; empty for a worker that publishes none.
	Bus string
	// Log is the file for the log of a gateway.
	Log string
	// Profile is the file for a CPU profile; empty is none.
	Profile string
}

// serving is what a gateway says when it serves.
type serving struct{ URL, Bus string }

// runGateway is a child with a gateway as `segue serve` runs it.
func runGateway(ctx context.Context) (err error) {
	var a assignment
	assigned, err := bench.ReadAssignment(&a)
	if err != nil {
		return err
	}
	set, err := config.Parse("gateway.yaml", []byte(a.Config))
	if err != nil {
		return err
	}
	log, err := logTo(a.Log)
	if err != nil {
		return err
	}
	exporter, err := export.New(log)
	if err != nil {
		return err
	}
	temporal, err := dial(ctx, a.Settings, exporter, log)
	if err != nil {
		return err
	}
	defer temporal.Temporal.Close()
	listener, err := gateway.Listen(set.Gateway.Address)
	if err != nil {
		return err
	}
	observed, err := gateway.Listen("127.0.0.1:0")
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	carrier, err := gateway.OpenBus(set.Bus, false, log)
	if err != nil {
		return errors.Join(err, listener.Close(), observed.Close())
	}
	defer carrier.Close()
	served, err := gateway.New(gateway.Options{
		Config: config.NewStore(set), Client: temporal, Namespace: a.Settings.Namespace, Bus: carrier.Conn, Listener: listener,
		Log: log, Metrics: exporter, Observed: observed,
	})
	if err != nil {
		return errors.Join(err, listener.Close(), observed.Close())
	}
	return errors.Join(profiled(a.Profile, func() error {
		return serve(ctx, served, assigned, serving{URL: gateway.URL(set.Gateway, listener), Bus: carrier.Server.URL()})
	}))
}

// serve runs a gateway until the parent ends the child.
func serve(ctx context.Context, served *gateway.Gateway, assigned *bench.Assignment, says serving) error {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- served.Run(ctx) }()
	line, err := json.Marshal(says)
	if err == nil {
		err = answerMemory(assigned, string(line))
	}
	stop()
	return errors.Join(err, <-ended)
}

// logTo returns a logger at the default level and in the default form, to a file.
func logTo(path string) (*slog.Logger, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return slog.New(slog.NewTextHandler(file, &slog.HandlerOptions{Level: slog.LevelInfo})), nil
}

func dial(ctx context.Context, settings connect.Settings, exporter *export.Exporter, log *slog.Logger) (*client.Client, error) {
	order, err := workflows.NewPlugin()
	if err != nil {
		return nil, err
	}
	observing, err := exporter.Plugin()
	if err != nil {
		return nil, err
	}
	temporal, err := connect.Dial(ctx, settings, log, order, observing)
	if err != nil {
		return nil, err
	}
	return &client.Client{Temporal: temporal, TaskQueue: settings.TaskQueue}, nil
}

// runWorker is a child with one worker.
func runWorker(ctx context.Context) (err error) {
	var a assignment
	assigned, err := bench.ReadAssignment(&a)
	if err != nil {
		return err
	}
	set, err := config.Parse("worker.yaml", []byte(a.Config))
	if err != nil {
		return err
	}
	sink, finish, err := publisher(a.Bus)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish()) }()
	segue, err := local.Start(ctx, local.Options{Settings: a.Settings, Notices: sink})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, segue.Stop()) }()
	if _, err := segue.StartWorker(local.WorkerOptions{Config: config.NewStore(set)}); err != nil {
		return err
	}
	return profiled(a.Profile, func() error { return assigned.Started("started") })
}

// publisher returns a sink that publishes to a bus, and what closes it. It fails if a notice was lost.
func publisher(url string) (notices.Sink, func() error, error) {
	if url == "" {
		return nil, func() error { return nil }, nil
	}
	conn, err := bus.Connect(bus.Options{URL: url, Name: "worker of a measurement"})
	if err != nil {
		return nil, nil, err
	}
	p := bus.NewPublisher(conn)
	return p, func() error {
		defer conn.Close()
		ctx, cancel := context.WithTimeout(context.Background(), bench.SettleLimit)
		defer cancel()
		err := p.Close(ctx)
		if s := p.Stats(); s.Dropped > 0 || s.Published == 0 {
			err = errors.Join(err, fmt.Errorf("void: of the notices, %d were published and %d dropped", s.Published, s.Dropped))
		}
		return err
	}, nil
}

// profiled runs a function with a CPU profile to a file, if there is one.
func profiled(path string, run func() error) error {
	if path == "" {
		return run()
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	err = run()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}
