package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"segue/connect"
)

// shortestRetention is what a Temporal server takes unless it is told otherwise.
const shortestRetention = time.Hour

func (a *app) setupCommand() *cobra.Command {
	retention := connect.DefaultRetention
	c := &cobra.Command{
		Use:   "setup",
		Short: "Prepare a Temporal namespace for Segue",
		Long: `Register the namespace and Segue's search attributes, as far as they are missing. It may be repeated at any
time; what is there stays as it is.`,
		Example: `  segue setup
  segue setup --address temporal.internal:7233 --namespace contact-center --retention 720h`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if retention < shortestRetention {
				return usage("--retention %s: Temporal keeps closed workflows for 1h at least, and for 24h in a replicated namespace", retention)
			}
			s, err := a.connect(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			report, err := connect.Setup(c.Context(), s.Temporal, s.settings.Namespace, retention)
			if err != nil {
				return err
			}
			return a.print(map[string]any{
				"namespace": report.Namespace, "registered": report.Registered,
				"added": list(report.Added), "present": list(report.Present),
			}, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, report)
				return err
			})
		},
	}
	c.Flags().DurationVar(&retention, "retention", retention, "how long a newly registered namespace keeps closed workflows")
	return c
}

// list is a list in JSON also when it is empty.
func list[T any](values []T) []T {
	if values == nil {
		return []T{}
	}
	return values
}
