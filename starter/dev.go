package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"segue/config"
	"segue/connect"
)

func (a *app) devCommand() *cobra.Command {
	var f stackFlags
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run Segue on this machine: Temporal, its UI, a worker",
		Long: `Run an embedded Temporal with its UI, prepare its namespace, and run a worker, all in one process tree; Ctrl-C
stops everything. The Temporal server is built at the first start, which takes minutes, once.

A changed configuration file is put in force while it runs; a bad one changes nothing.

Temporal's state is in memory, or with --db in a SQLite file or a PostgreSQL database, which a later start finds again.
A PostgreSQL database and a second one for lists, named with the suffix _visibility, are created and set up if they are
missing. Give the password as PGPASSWORD or in ~/.pgpass to keep it out of the list of processes.

With --address (or SEGUE_TEMPORAL_ADDRESS) it uses a Temporal that is there already. Without --config it uses the
annotated example configuration, whose calls go to receivers on this machine. Its worker lets calls reach this machine
also where guard.allow does not say so; elsewhere that has to be configured.`,
		Example: `  segue dev
  segue dev --config segue.yaml --db segue.sqlite
  segue dev --db 'postgres://segue@127.0.0.1:5432/segue'
  segue dev --temporal-port 0 --ui-port 0 --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(c, a.external()); err != nil {
				return err
			}
			store, err := a.store(a.options(f.metricsOption())...)
			if err != nil {
				return err
			}
			s, err := a.startStack(c.Context(), f, store, slog.LevelWarn)
			if err != nil {
				return quietly(c, err)
			}
			if err := a.announce(s, f, store); err != nil {
				return cmp.Or(err, s.segue.Stop())
			}
			err = s.segue.Wait(c.Context())
			if !a.json && err == nil {
				fmt.Fprintln(a.out, "\nstopping …")
			}
			return cmp.Or(err, s.segue.Stop())
		},
	}
	f.register(c)
	return c
}

// quietly takes a Ctrl-C while everything starts for what it is.
func quietly(c *cobra.Command, err error) error {
	if c.Context().Err() != nil {
		return nil
	}
	return err
}

// store holds the configuration of --config, or the annotated example.
func (a *app) store(options ...config.Option) (*config.Store, error) {
	if file := a.configFile(); file != "" {
		store, err := config.Open(file, options...)
		if err != nil {
			return nil, usage("%w", err)
		}
		return store, nil
	}
	set, err := config.Parse("example.yaml", config.Example, options...)
	if err != nil {
		return nil, usage("%w", err)
	}
	return config.NewStore(set), nil
}

// ready is the line of `dev --json`.
type ready struct {
	TemporalAddress string `json:"temporal_address"`
	TemporalUI      string `json:"temporal_ui"`
	Gateway         string `json:"gateway"`
	Namespace       string `json:"namespace"`
	TaskQueue       string `json:"task_queue"`
	// Metrics is the URL of the worker's metrics; /livez and /readyz are beside it.
	Metrics string `json:"metrics"`
	// Version is what the worker runs as; empty is unversioned.
	Version string `json:"version,omitempty"`
}

func (s *stack) ready() ready {
	return ready{
		TemporalAddress: s.settings.Address, TemporalUI: s.ui(),
		Namespace: s.settings.Namespace, TaskQueue: s.settings.TaskQueue, Metrics: s.metrics(), Version: s.version(),
	}
}

func (a *app) announce(s *stack, f stackFlags, store *config.Store) error {
	return a.print(s.ready(), func(w io.Writer) error {
		source := cmp.Or(store.Current().File, "the annotated example (`"+a.self()+" check` shows what it sends)")
		fmt.Fprintln(w, "Segue is running. Ctrl-C stops it.")
		fmt.Fprintln(w)
		s.describe(w)
		fmt.Fprintf(w, "  configuration  %s\n", source)
		if version := s.version(); version != "" {
			build := store.Current().Temporal.BuildID
			fmt.Fprintf(w, "  version        %s; it gets work once it is current: %s deploy %s%s\n", version, a.self(), build, elsewhere(s.settings))
		}
		if f.noWorker {
			fmt.Fprintf(w, "\nNo worker runs here. Start one: SEGUE_TEMPORAL_ADDRESS=%s go run ./worker\n", s.settings.Address)
		}
		_, err := fmt.Fprintf(w, "\nTry in another terminal:\n%s", a.tryOut(s.settings))
		return err
	})
}

// describe tells where the stack is.
func (s *stack) describe(w io.Writer) {
	fmt.Fprintf(w, "  Temporal       %s (namespace %s, task queue %s)\n", s.settings.Address, s.settings.Namespace, s.settings.TaskQueue)
	if ui := s.ui(); ui != "" {
		fmt.Fprintf(w, "  Temporal UI    %s/namespaces/%s/workflows\n", strings.TrimRight(ui, "/"), s.settings.Namespace)
	}
	if metrics := s.metrics(); metrics != "" {
		fmt.Fprintf(w, "  metrics        %s (beside it /livez and /readyz)\n", metrics)
	}
}

func (a *app) tryOut(settings connect.Settings) string {
	var b strings.Builder
	for _, command := range []string{
		`start '{"id":"c1","channel":"inbound","queue":"sales"}'`,
		`signal place_in_queue c1 '{"queue":"sales"}'`,
		`signal offer c1 '{"agent":{"id":"bea","name":"Bea"}}'`,
		`signal accept c1 '{"agent":"bea"}' --update`,
		`show c1`,
	} {
		fmt.Fprintf(&b, "  %s %s%s\n", a.self(), command, elsewhere(settings))
	}
	return b.String()
}

// elsewhere is what a command needs to find a Temporal that is not at the usual place.
func elsewhere(settings connect.Settings) string {
	text := ""
	if settings.Address != connect.DefaultAddress {
		text += " --address " + settings.Address
	}
	if settings.Namespace != connect.DefaultNamespace {
		text += " --namespace " + settings.Namespace
	}
	return text
}

// self is how this program was called.
func (a *app) self() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./starter"
	}
	return filepath.Base(os.Args[0])
}
