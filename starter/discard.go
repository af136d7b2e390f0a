package main

import (
	"github.com/spf13/cobra"

	"segue/contract"
)

func (a *app) discardCommand() *cobra.Command {
	b := &bulk{signal: contract.SignalDiscard, done: "discarded"}
	c := &cobra.Command{
		Use:   "discard [ID]",
		Short: "Discard parked deliveries permanently",
		Long: `Discard the parked deliveries that match the filters, or those of one interaction. A discarded delivery is never
sent; the deliveries that wait behind it in its lane continue.

The command first counts the matching deliveries. With --dry-run it stops there; otherwise confirm with --yes, or name
the deliveries with --id. With --retrying, deliveries that wait for their next attempt are discarded as well.
` + "`segue deliveries --discarded`" + ` lists what was discarded, when, and by whom.

You can stop the command and run it again: deliveries that are no longer parked are skipped.

Exit codes: 0 done, or nothing matches; 1 some failed; 2 the command line is invalid, or --yes is missing; 3 no delivery
has the id of --id; 5 Temporal or a worker does not answer.`,
		Example: `  segue discard --call crm --since 2h --dry-run
  segue discard --call crm --since 2h --yes
  segue discard --id msg_Yk2Q0m9c3sXyqTn1UoRzVw7B`,
		Args: between(0, 1, "at most one interaction"),
		RunE: func(c *cobra.Command, args []string) error {
			if !b.dryRun && !b.yes && len(b.ids) == 0 {
				return usage("a discarded delivery is never sent: count with --dry-run, then confirm with --yes, or name deliveries with --id")
			}
			return a.runBulk(c.Context(), b, args)
		},
	}
	b.register(c)
	c.Flags().Float64Var(&b.rate, "rate", 0, "maximum deliveries a second (default: no limit)")
	c.Flags().BoolVar(&b.yes, "yes", false, "confirm that the deliveries are discarded")
	return c
}
