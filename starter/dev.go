package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"segue/config"
	"segue/connect"
	"segue/starter/listen"
)

func (a *app) devCommand() *cobra.Command {
	var f stackFlags
	var l listenFlags
	c := &cobra.Command{
		Use:   "dev",
		Short: "Start Segue on this machine: Temporal, its UI, a worker, the gateway",
		Long: `Start Segue on this machine: an embedded Temporal with its UI, a prepared namespace, a worker, and the gateway: the
platform's API /v1, GWS at /api/v2, web engagement (GWE) at /server/data/gateway, and HIS at /his. Print the addresses
when everything is ready, and run until Ctrl-C. The first start builds the Temporal server; this takes a few minutes, once.

Gateway: it listens on gateway.address of the configuration, or on the port of --http-port. Without gateway.auth, it
takes requests of this machine only, as a platform's, or with HTTP Basic as the agent's of this name.

Configuration: --config names the file. Without it, the annotated example is used, whose calls go to a receiver inside
this command; it shows each request that arrives, as ` + "`segue listen`" + ` does. With --config, --listen starts one. A changed file is reloaded; an invalid file is logged and changes nothing. The worker of this command may send
requests to this machine even if guard.allow does not allow it; other workers need guard.allow.

State: Temporal keeps its state in a temporary database, which ends with it. Use --db to keep the state in a SQLite file or
a PostgreSQL database over restarts. In PostgreSQL, the database and a second one for lists, with the suffix _visibility,
are created if they are missing. Set the password in PGPASSWORD or ~/.pgpass to keep it out of the process list.

Another Temporal: use --address, or set SEGUE_TEMPORAL_ADDRESS, to use a running Temporal instead of the embedded one.

Exit codes: 0 stopped by Ctrl-C; 1 a part could not be started, or ended by itself; 2 the command line or the
configuration is invalid; 5 the Temporal of --address does not answer.`,
		Example: `  segue dev
  segue dev --config segue.yaml --listen 9100
  segue dev --config segue.yaml --db segue.sqlite
  segue dev --db 'postgres://segue@127.0.0.1:5432/segue'
  segue dev --temporal-port 0 --ui-port 0 --http-port 0 --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if err := f.check(c, a.external()); err != nil {
				return err
			}
			l.set = isSet(c, "listen")
			receiver, err := a.receiver(l)
			if err != nil {
				return err
			}
			if receiver != nil {
				defer func() { err = cmp.Or(err, receiver.Stop()) }()
			}
			store, err := a.store(receiver, a.options(f.config(c)...)...)
			if err != nil {
				return err
			}
			return a.dev(c, f, store, receiver)
		},
	}
	f.register(c)
	c.Flags().IntVar(&l.port, "listen", listenPort, "port of a receiver that shows the requests that arrive (0: a free one; with --config only if it is given)")
	return c
}

// dev runs Segue until Ctrl-C.
func (a *app) dev(c *cobra.Command, f stackFlags, store *config.Store, receiver *listen.Receiver) error {
	s, err := a.startStack(c.Context(), f, store, slog.LevelWarn)
	if err != nil {
		return quietly(c, err)
	}
	if err := a.announce(s, f, store, receiver); err != nil {
		return cmp.Or(err, s.Stop())
	}
	err = s.Wait(c.Context())
	if !a.json && err == nil {
		fmt.Fprintln(a.out, "\nStopping …")
	}
	return cmp.Or(err, s.Stop())
}

// quietly drops the error of a start that Ctrl-C interrupted.
func quietly(c *cobra.Command, err error) error {
	if c.Context().Err() != nil {
		return nil
	}
	return err
}

// store opens the configuration of --config, or without it the annotated example, whose calls go to the receiver if there
// is one.
func (a *app) store(receiver *listen.Receiver, options ...config.Option) (*config.Store, error) {
	if file := a.configFile(); file != "" {
		store, err := config.Open(file, options...)
		if err != nil {
			return nil, usage("%w", err)
		}
		return store, nil
	}
	example := config.Example
	if receiver != nil {
		example = bytes.ReplaceAll(example, fmt.Appendf(nil, "http://127.0.0.1:%d", listenPort), []byte(receiver.URL))
	}
	set, err := config.Parse("example.yaml", example, options...)
	if err != nil {
		return nil, usage("%w", err)
	}
	return config.NewStore(set), nil
}

// ready is what `dev --json` prints when everything is ready.
type ready struct {
	// Gateway is the URL of the gateway.
	Gateway         string `json:"gateway"`
	TemporalAddress string `json:"temporal_address"`
	TemporalUI      string `json:"temporal_ui"`
	Namespace       string `json:"namespace"`
	TaskQueue       string `json:"task_queue"`
	// Metrics is the URL of the worker's metrics; /livez and /readyz have the same address.
	Metrics string `json:"metrics"`
	// Version is the version of the worker, empty if it is unversioned.
	Version string `json:"version,omitempty"`
	// Receiver is the URL of the receiver that shows the requests that arrive, empty without one.
	Receiver string `json:"receiver,omitempty"`
}

func (s *stack) ready(receiver *listen.Receiver) ready {
	r := ready{
		Gateway: s.gateway.url, TemporalAddress: s.settings.Address, TemporalUI: s.ui(),
		Namespace: s.settings.Namespace, TaskQueue: s.settings.TaskQueue, Metrics: s.metrics(), Version: s.version(),
	}
	if receiver != nil {
		r.Receiver = receiver.URL
	}
	return r
}

func (a *app) announce(s *stack, f stackFlags, store *config.Store, receiver *listen.Receiver) error {
	return a.print(s.ready(receiver), func(w io.Writer) error {
		source := cmp.Or(store.Current().File, "the annotated example (`"+a.self()+" check` shows what it sends)")
		fmt.Fprintln(w, "Segue is running. Ctrl-C stops it.")
		fmt.Fprintln(w)
		s.describe(w)
		fmt.Fprintf(w, "  configuration  %s\n", source)
		if receiver != nil {
			fmt.Fprintf(w, "  receiver       %s; the requests that arrive there are shown here\n", receiver.URL)
		}
		if version := s.version(); version != "" {
			build := store.Current().Temporal.BuildID
			fmt.Fprintf(w, "  version        %s; to make it current, so that it gets work: %s deploy %s%s\n", version, a.self(), build, connectFlags(s.settings))
		}
		if f.noWorker {
			fmt.Fprintf(w, "\nNo worker runs here. Start one: SEGUE_TEMPORAL_ADDRESS=%s go run ./worker\n", s.settings.Address)
		}
		_, err := fmt.Fprintf(w, "\nTry in another terminal:\n%s", a.tryOut(s))
		return err
	})
}

// describe writes the addresses of the stack.
func (s *stack) describe(w io.Writer) {
	fmt.Fprintf(w, "  gateway        %s\n", s.gateway.url)
	fmt.Fprintf(w, "  Temporal       %s (namespace %s, task queue %s)\n", s.settings.Address, s.settings.Namespace, s.settings.TaskQueue)
	if ui := s.ui(); ui != "" {
		fmt.Fprintf(w, "  Temporal UI    %s/namespaces/%s/workflows\n", strings.TrimRight(ui, "/"), s.settings.Namespace)
	}
	if metrics := s.metrics(); metrics != "" {
		fmt.Fprintf(w, "  metrics        %s (and /livez, /readyz)\n", metrics)
	}
}

// tryOut returns commands to try against the stack.
func (a *app) tryOut(s *stack) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  curl --json '{\"id\":\"ixn-1\",\"channel\":\"inbound\",\"queue\":\"sales\"}' %s/v1/interactions\n", s.gateway.url)
	for _, command := range []string{
		`signal place_in_queue ixn-1 '{"queue":"sales"}'`,
		`signal offer ixn-1 '{"agent":{"id":"bea","name":"Bea"}}'`,
		`signal accept ixn-1 '{"agent":"bea"}' --update`,
		`show ixn-1`,
	} {
		fmt.Fprintf(&b, "  %s %s%s\n", a.self(), command, connectFlags(s.settings))
	}
	return b.String()
}

// connectFlags returns the flags that a command needs to connect to a Temporal at another address or namespace than
// the default.
func connectFlags(settings connect.Settings) string {
	text := ""
	if settings.Address != connect.DefaultAddress {
		text += " --address " + settings.Address
	}
	if settings.Namespace != connect.DefaultNamespace {
		text += " --namespace " + settings.Namespace
	}
	return text
}

// self returns how the reader ran this program, for commands to copy.
func (a *app) self() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./starter"
	}
	return os.Args[0]
}
