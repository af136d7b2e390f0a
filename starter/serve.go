package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	sdkclient "go.temporal.io/sdk/client"

	"segue/client"
	"segue/config"
	"segue/connect"
	"segue/gateway"
	"segue/metrics/export"
	"segue/worker/host"
	"segue/workflows"
)

func (a *app) serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the gateway: the HTTP API of a Temporal namespace",
		Long: `Serve the gateway on gateway.address of the configuration, until SIGTERM or Ctrl-C: the platform's API /v1, GWS at
/api/v2, web engagement (GWE) at /server/data/gateway and /backend/data/gateway, and HIS at /his. Workers run in other processes; ` + "`segue dev`" + ` starts all of them on one machine.

Credentials: gateway.auth lists who may send requests. Without it, the gateway listens on loopback only, takes requests
of this machine only, as a platform's, or with HTTP Basic as the agent's of this name; an address beyond loopback is then
an error.

Live notices come from workers over the bus: bus.url, or without it a bus inside this process, on bus.listen. Several
replicas need bus.url, and the same gateway.session_keys.

A changed configuration file is reloaded, at once on SIGHUP; an invalid file is logged and changes nothing. Certificates
are read again when their files change. On SIGTERM or Ctrl-C, /readyz answers 503, streams end, and requests in flight
finish within 20 seconds. Logs go to stderr.

Exit codes: 0 stopped; 1 an address is in use, or a part failed; 2 the command line or the configuration is invalid;
5 Temporal does not answer.`,
		Example: `  segue serve
  segue serve --config segue.yaml --listen 127.0.0.1:8081
  SEGUE_BUS_URL=tls://nats.internal:4222 segue serve --config segue.yaml --address temporal.internal:7233`,
		Args: noArguments,
	}
	flags := c.Flags()
	flags.String("listen", "", "host:port of the gateway (SEGUE_GATEWAY_ADDRESS; default "+config.GatewayAddress+")")
	flags.String("metrics-address", "", "host:port of /metrics, /livez and /readyz for operators, empty for none (default "+config.MetricsAddress+", or a free port)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		store, err := config.Open(a.configFile(), a.options(
			config.WithFlag("gateway.address", flags.Lookup("listen")), config.WithFlag("metrics.address", flags.Lookup("metrics-address")))...)
		if err != nil {
			return usage("%w", err)
		}
		return a.serve(c.Context(), store)
	}
	return c
}

// serving is what `serve` prints when it takes requests.
type serving struct {
	// Gateway is the URL of the gateway, Bus that of the bus inside this process, Metrics that of the metrics.
	Gateway string `json:"gateway"`
	// Authenticated is false without gateway.auth.
	Authenticated   bool   `json:"authenticated"`
	Bus             string `json:"bus,omitempty"`
	TemporalAddress string `json:"temporal_address"`
	Namespace       string `json:"namespace"`
	TaskQueue       string `json:"task_queue"`
	Metrics         string `json:"metrics,omitempty"`
}

// serve runs a gateway until the context ends.
func (a *app) serve(ctx context.Context, store *config.Store) (err error) {
	set := store.Current()
	log, level, err := host.Logger(a.errs, set.Log)
	if err != nil {
		return usage("log.level: %w", err)
	}
	listener, err := gateway.Listen(set.Gateway.Address)
	if err != nil {
		return err
	}
	defer listener.Close() // the gateway has closed it, unless it did not start
	observed, err := host.Listen(set.Metrics.Address)
	if err != nil {
		return err
	}
	if observed != nil {
		defer observed.Close()
	}
	exporter, err := export.New(log)
	if err != nil {
		return err
	}
	settings := host.Settings(set).WithDefaults()
	temporal, err := dialMeasured(ctx, settings, exporter, log)
	if err != nil {
		return err
	}
	defer temporal.Close()
	carrier, err := gateway.OpenBus(set.Bus, false, log)
	if err != nil {
		return err
	}
	defer carrier.Close()
	served, err := gateway.New(gateway.Options{
		Config: store, Client: &client.Client{Temporal: temporal, TaskQueue: settings.TaskQueue, Priority: priorities(store.Current)},
		Namespace: settings.Namespace, Bus: carrier.Conn, Listener: listener, Log: log, Level: level,
		Reloads: true, Reload: hangups(ctx), Metrics: exporter, Observed: observed,
	})
	if err != nil {
		return err
	}
	if err := a.announceServing(set, listener, observed, carrier, settings); err != nil {
		return err
	}
	return served.Run(ctx)
}

func (a *app) announceServing(set *config.Set, listener, observed net.Listener, carrier *gateway.Bus, settings connect.Settings) error {
	s := serving{Gateway: gateway.URL(set.Gateway, listener), Authenticated: set.Gateway.Auth.Configured(),
		TemporalAddress: settings.Address, Namespace: settings.Namespace, TaskQueue: settings.TaskQueue}
	if carrier.Server != nil {
		s.Bus = carrier.Server.URL()
	}
	if observed != nil {
		s.Metrics = "http://" + observed.Addr().String() + "/metrics"
	}
	return a.print(s, s.write)
}

func (s serving) write(w io.Writer) error {
	fmt.Fprintf(w, "  gateway        %s\n", s.Gateway)
	if !s.Authenticated {
		fmt.Fprintln(w, "                 without gateway.auth: every program on this machine is a platform, no other machine gets in")
	}
	fmt.Fprintf(w, "  Temporal       %s (namespace %s, task queue %s)\n", s.TemporalAddress, s.Namespace, s.TaskQueue)
	if s.Bus != "" {
		fmt.Fprintf(w, "  bus            %s; workers publish to it\n", s.Bus)
	}
	var err error
	if s.Metrics != "" {
		_, err = fmt.Fprintf(w, "  metrics        %s (and /livez, /readyz)\n", s.Metrics)
	}
	return err
}

// dialMeasured connects to Temporal, with metrics of the connection.
func dialMeasured(ctx context.Context, settings connect.Settings, exporter *export.Exporter, log *slog.Logger) (sdkclient.Client, error) {
	order, err := workflows.NewPlugin()
	if err != nil {
		return nil, err
	}
	measure, err := exporter.Plugin()
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	temporal, err := connect.Dial(limited, settings, log, order, measure)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", client.ErrUnreachable, err)
	}
	return temporal, err
}

// hangups receives SIGHUP, which requests a reload of the configuration.
func hangups(ctx context.Context) <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	context.AfterFunc(ctx, func() { signal.Stop(signals) })
	return signals
}
