package main

import (
	"github.com/spf13/cobra"

	"segue/contract"
)

func (a *app) redeliverCommand() *cobra.Command {
	b := &bulk{signal: contract.SignalRedeliver, done: "sent again"}
	c := &cobra.Command{
		Use:   "redeliver [ID]",
		Short: "Send parked deliveries again",
		Long: `Send the parked deliveries that match the filters, or those of one interaction, again, and restart their retry
schedules. A delivery keeps its webhook-id and its bytes. The rate and concurrency limits of its call apply, and live
traffic has priority.

The command first counts the matching deliveries. With --dry-run it stops there. With --retrying, deliveries that wait
for their next attempt are sent now as well.

With --rerender, a delivery keeps its webhook-id and gets new bytes: its request is rendered again from the same event
with the current configuration of the workers. Use it after you have fixed a call. The data for rendering is kept unless
the data of the delivery, or of all deliveries that wait in its lane, is too large.

You can stop the command and run it again: deliveries that are no longer parked are skipped.

Exit codes: 0 done, or nothing matches; 1 some failed; 2 the command line is invalid; 3 no delivery has the id of --id;
5 Temporal or a worker does not answer.`,
		Example: `  segue redeliver --call crm --class gone --since 2h --dry-run
  segue redeliver --call crm --rate 50
  segue redeliver --call crm --class render --rerender
  segue redeliver --id msg_Yk2Q0m9c3sXyqTn1UoRzVw7B --json`,
		Args: between(0, 1, "at most one interaction"),
		RunE: func(c *cobra.Command, args []string) error { return a.runBulk(c.Context(), b, args) },
	}
	b.register(c)
	c.Flags().Float64Var(&b.rate, "rate", 0, "maximum deliveries a second (default: only the limits of their calls)")
	c.Flags().BoolVar(&b.rerender, "rerender", false, "render the requests again with the current configuration")
	return c
}
