package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"segue/delivery"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the process at once.
	context.AfterFunc(ctx, stop)
	log.SetOutput(delivery.RedactStandardLog(os.Stderr)) // dev and demo send from this process
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole command line, for one call of it.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	a := &app{in: in, out: out, errs: errs}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err != nil && !isQuiet(err) {
		fmt.Fprintln(errs, "segue:", err)
	}
	return codeOf(err)
}

// app is what all commands share.
type app struct {
	in        io.Reader
	out, errs io.Writer
	// json asks for one JSON value on stdout.
	json bool
	// flags are the settings that every command may be given.
	flags      globalFlags
	persistent *pflag.FlagSet
}

type globalFlags struct {
	address, namespace, taskQueue, config string
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "segue",
		Short: "Durable orchestration of contact-center interactions on Temporal",
		Long: `segue runs Segue on this machine and talks to the interactions of a Temporal namespace.

An interaction is named ID, in the contact center of --contact-center, or CONTACT-CENTER/ID.

Exit codes:
  0  done
  1  failed
  2  the command line is wrong
  3  there is no such interaction or delivery
  4  refused: the command is illegal or malformed, or the interaction is over
  5  Temporal, or a worker, does not answer
  6  an audit found something missing or stuck, or a deploy something stuck`,
		Example: `  segue demo                 a whole day of a contact center, on this machine
  segue dev                  Temporal, its UI and a worker, to play with
  segue start '{"id":"c1","channel":"inbound","queue":"sales"}'
  segue signal offer c1 '{"agent":"bea"}'
  segue show c1`,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return usage("there is no command %q%s; `segue --help` lists them", args[0], didYouMean(c.SuggestionsFor(args[0])))
		},
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%w; `%s --help` lists the flags", err, c.CommandPath())
	})
	flags := root.PersistentFlags()
	a.persistent = flags
	flags.StringVar(&a.flags.address, "address", "", "host:port of Temporal (SEGUE_TEMPORAL_ADDRESS)")
	flags.StringVar(&a.flags.namespace, "namespace", "", "Temporal namespace (SEGUE_TEMPORAL_NAMESPACE)")
	flags.StringVar(&a.flags.taskQueue, "task-queue", "", "task queue of the workers (SEGUE_TEMPORAL_TASK_QUEUE)")
	flags.StringVar(&a.flags.config, "config", "", "configuration file (SEGUE_CONFIG)")
	flags.BoolVar(&a.json, "json", false, "write one JSON value to stdout")
	root.AddCommand(
		a.devCommand(), a.demoCommand(), a.setupCommand(),
		a.startCommand(), a.signalCommand(), a.feedCommand(),
		a.showCommand(), a.listCommand(), a.commandsCommand(),
		a.deliveriesCommand(), a.redeliverCommand(), a.discardCommand(),
		a.checkCommand(), a.replayCommand(), a.exportCommand(), a.auditCommand(), a.deployCommand(),
	)
	root.SuggestionsMinimumDistance = 2
	return root
}

func didYouMean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", did you mean " + strings.Join(names, " or ") + "?"
}
