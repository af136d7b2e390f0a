package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"segue/connect"
)

// shortestRetention is the least that a Temporal server accepts by default.
const shortestRetention = time.Hour

func (a *app) setupCommand() *cobra.Command {
	retention := connect.DefaultRetention
	c := &cobra.Command{
		Use:   "setup",
		Short: "Prepare a Temporal namespace for Segue",
		Long: `Register the namespace and Segue's search attributes if they are missing, and print what was registered and what
was present. Running it again changes nothing: an existing namespace keeps its retention.

Exit codes: 0 the namespace is ready; 1 it could not be prepared; 5 Temporal does not answer.`,
		Example: `  segue setup
  segue setup --address temporal.internal:7233 --namespace contact-center --retention 720h`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if retention < shortestRetention {
				return usage("--retention %s: use 1h or more, and 24h or more in a replicated namespace", retention)
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
	c.Flags().DurationVar(&retention, "retention", retention, "retention of closed workflows in a newly registered namespace")
	return c
}

// list returns values, or an empty slice instead of nil, which JSON would encode as null.
func list[T any](values []T) []T {
	if values == nil {
		return []T{}
	}
	return values
}
