package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"segue/client"
	"segue/interaction"
)

func (a *app) startCommand() *cobra.Command {
	var contactCenter string
	var reopen bool
	c := &cobra.Command{
		Use:   "start JSON",
		Short: "Start an interaction",
		Long: `Start an interaction and print its workflow. Give its start object as JSON inline, as a file's name, or - for
stdin. Set "id" and "channel"; "contact_center" defaults to --contact-center. ` + "`segue commands start --json`" + ` prints all
fields.

An id that was started before is refused. Use --reopen to start a completed interaction again.

Exit codes: 0 started; 2 the argument is not JSON; 4 the start object is invalid, or the id was started before;
5 Temporal does not answer.`,
		Example: `  segue start '{"id":"ixn-1","channel":"inbound","queue":"sales","ani":"+15551234567"}'
  segue start call.json --contact-center berlin
  echo '{"id":"ixn-1","channel":"chat"}' | segue start - --json`,
		Args: exactly(1, "one start object"),
		RunE: func(c *cobra.Command, args []string) error {
			payload, err := a.payload(args[0])
			if err != nil {
				return err
			}
			payload, err = withDefault(payload, "contact_center", contactCenter)
			if err != nil {
				return err
			}
			start, err := interaction.DecodeStart(payload)
			if err != nil {
				return err
			}
			s, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			n := client.Name{ContactCenter: start.ContactCenter, ID: start.ID}
			run, err := s.Start(c.Context(), n, payload, reopen || start.Reopen)
			if err != nil {
				return err
			}
			return a.print(map[string]any{
				"contact_center": n.ContactCenter, "id": n.ID, "workflow_id": n.WorkflowID(), "run_id": run,
			}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "started %s (workflow %s)\n", n, n.WorkflowID())
				return err
			})
		},
	}
	contactCenterFlag(c, &contactCenter)
	c.Flags().BoolVar(&reopen, "reopen", false, "start a completed interaction again")
	return c
}
