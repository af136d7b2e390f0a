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
	// dev and demo send requests from this process, and net/http logs through this logger.
	log.SetOutput(delivery.RedactStandardLog(os.Stderr))
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns its exit code.
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
	// json selects JSON output: one value on stdout.
	json bool
	// flags are the global flags.
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
		Long: `segue runs Segue on this machine, and starts, commands and inspects the interactions of a Temporal namespace.

Name an interaction ID to use the contact center of --contact-center, or CONTACT-CENTER/ID.

Results go to stdout; progress, hints and errors go to stderr. With --json, the result is one JSON value.

Exit codes:
  0  success
  1  failure
  2  the command line or the configuration is invalid; check returns 1 for an invalid configuration
  3  the interaction, delivery or version does not exist
  4  the command was refused: it is illegal or malformed, or the interaction is completed
  5  Temporal or a worker did not answer
  6  audit found missing work, or audit or deploy found stuck workflows`,
		Example: `  segue demo                 # a whole day of a contact center, on this machine
  segue dev                  # Temporal, its UI, a worker and the gateway, for development
  segue start '{"id":"ixn-1","channel":"inbound","queue":"sales"}'
  segue signal offer ixn-1 '{"agent":"bea"}'
  segue show ixn-1`,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return usage("unknown command %q%s; `segue --help` lists the commands", args[0], suggestion(c.SuggestionsFor(args[0])))
		},
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%w; `%s --help` lists the flags", err, c.CommandPath())
	})
	root.SuggestionsMinimumDistance = 2
	a.addGlobalFlags(root)
	root.AddCommand(
		a.devCommand(), a.demoCommand(), a.listenCommand(), a.serveCommand(), a.setupCommand(),
		a.startCommand(), a.signalCommand(), a.feedCommand(),
		a.showCommand(), a.listCommand(), a.commandsCommand(),
		a.deliveriesCommand(), a.redeliverCommand(), a.discardCommand(),
		a.checkCommand(), a.replayCommand(), a.exportCommand(), a.auditCommand(), a.deployCommand(), a.versionCommand(),
	)
	return root
}

func (a *app) addGlobalFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	a.persistent = flags
	flags.StringVar(&a.flags.address, "address", "", "host:port of Temporal (SEGUE_TEMPORAL_ADDRESS)")
	flags.StringVar(&a.flags.namespace, "namespace", "", "Temporal namespace (SEGUE_TEMPORAL_NAMESPACE)")
	flags.StringVar(&a.flags.taskQueue, "task-queue", "", "task queue of the workers (SEGUE_TEMPORAL_TASK_QUEUE)")
	flags.StringVar(&a.flags.config, "config", "", "configuration file (SEGUE_CONFIG)")
	flags.BoolVar(&a.json, "json", false, "print the result as one JSON value")
}

// suggestion returns ", did you mean …?" for the commands that are spelled alike, or nothing without any.
func suggestion(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", did you mean " + strings.Join(names, " or ") + "?"
}
