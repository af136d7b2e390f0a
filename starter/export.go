package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/protobuf/encoding/protojson"

	"segue/contract"
)

func (a *app) exportCommand() *cobra.Command {
	var contactCenter, call, run, file string
	c := &cobra.Command{
		Use:   "export ID --out FILE",
		Short: "Write an interaction's history to a file",
		Long: `Write the history of an interaction's workflow to a file, as JSON that ` + "`segue replay`" + ` and the Temporal UI read. With
--call, write the history of the lane workflow that retries the call instead.

A history contains the data of its interaction, such as numbers and names: treat the file accordingly.

Exit codes: 0 written; 1 the file cannot be written; 2 the command line is invalid; 3 the interaction, lane or run does not exist;
5 Temporal does not answer.`,
		Example: `  segue export ixn-1 --out ixn-1.json
  segue export ixn-1 --call crm --out lane.json
  segue export ixn-1 --run 0198f7b0-… --out first-run.json`,
		Args: exactly(1, "one interaction"),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := parseName(args[0], contactCenter)
			if err != nil {
				return err
			}
			if file == "" {
				return usage("--out is missing: name the file to write, or - for stdout")
			}
			s, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			workflowID := n.WorkflowID()
			if call != "" {
				workflowID = contract.DeliveryWorkflowID(contract.Owner{ContactCenter: n.ContactCenter, Interaction: n.ID}, call)
			}
			history, err := s.History(c.Context(), n, workflowID, run)
			var invalid *serviceerror.InvalidArgument
			if run != "" && errors.As(err, &invalid) {
				return usage("--run %q: is not a run id; use one that the Temporal UI shows, or leave it out for the latest run", run)
			}
			if err != nil {
				return err
			}
			content, err := protojson.MarshalOptions{Multiline: true, Indent: "  "}.Marshal(history)
			if err != nil {
				return err
			}
			content = append(content, '\n')
			if file == "-" {
				_, err := a.out.Write(content)
				return err
			}
			if err := os.WriteFile(file, content, 0o644); err != nil {
				return err
			}
			return a.print(map[string]any{"workflow_id": workflowID, "events": len(history.Events), "file": file}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%d events of %s written to %s\n", len(history.Events), workflowID, file)
				return err
			})
		},
	}
	contactCenterFlag(c, &contactCenter)
	c.Flags().StringVar(&call, "call", "", "write the history of the lane workflow of this call instead")
	c.Flags().StringVar(&run, "run", "", "run id (default: the latest run)")
	c.Flags().StringVar(&file, "out", "", "file to write, or - for stdout")
	return c
}
