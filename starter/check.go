package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"segue/config"
	"segue/config/check"
)

func (a *app) checkCommand() *cobra.Command {
	var schema bool
	var f fireFlags
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a configuration and show what it would send",
		Long: `Check a configuration file and show a sample request for each call and moment. Without FILE it is the one of
--config, else the annotated example that ` + "`segue dev`" + ` uses. Each mistake is one line with its place and remedy
(exit code 1). Nothing is sent, and no secret is read.

With --fire CALL, one call is sent for real, once, as a worker would: with the sample data of a moment (--when), under
the guard, with its secrets, its deadline and a webhook-id of its own that begins with msg_check_. What was written and
what came back is shown without secrets, and what would come of it; a dry run is sent, too. Exit code 0 says that it
counts as delivered. --interaction lays data over the sample: an object with the names that expressions begin with, such
as {"user_data": {"tier": "gold"}}, or what ` + "`segue show ID --json`" + ` prints. No Temporal is needed.

With --schema, print the JSON Schema of a configuration file: editors that know the line
  # yaml-language-server: $schema=schema.json
at its top complete and check it with that.`,
		Example: `  segue check segue.yaml
  segue check --json | jq -r '.calls[].name'
  segue check segue.yaml --fire crm --when interaction_ends
  segue check segue.yaml --fire crm --interaction '{"user_data": {"tier": "gold"}}'
  segue check --schema > schema.json`,
		Args: between(0, 1, "one file"),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case f.call == "" && (f.when != "" || f.interaction != ""):
				return usage("--when and --interaction say what --fire sends: add --fire CALL")
			case f.call != "" && schema:
				return usage("--fire and --schema are two things: leave one out")
			case schema:
				return a.printSchema(args)
			}
			set, err := a.checked(args)
			var mistakes config.Errors
			if errors.As(err, &mistakes) {
				return a.printMistakes(mistakes)
			}
			if err != nil {
				return err
			}
			if f.call != "" {
				return a.fire(c.Context(), set, f)
			}
			report := check.NewReport(set)
			return a.print(checkResult{OK: true, Report: &report, Errors: []config.Error{}}, report.Print)
		},
	}
	f.register(c)
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of a configuration file instead")
	return c
}

func (a *app) printSchema(args []string) error {
	if len(args) > 0 {
		return usage("--schema prints the schema of every configuration: leave %s out", args[0])
	}
	schema, err := config.Schema()
	if err != nil {
		return err
	}
	_, err = a.out.Write(schema)
	return err
}

// checkResult is what `check --json` prints.
type checkResult struct {
	OK bool `json:"ok"`
	*check.Report
	Errors []config.Error `json:"errors"`
}

func (a *app) checked(args []string) (*config.Set, error) {
	file := a.configFile()
	if len(args) == 1 {
		file = args[0]
	}
	if file == "" {
		return config.Parse("example.yaml", config.Example, a.options()...)
	}
	return config.Load(file, a.options()...)
}

func (a *app) printMistakes(mistakes config.Errors) error {
	err := a.print(checkResult{Errors: mistakes}, func(w io.Writer) error {
		for _, mistake := range mistakes {
			if _, err := fmt.Fprintln(w, mistake); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return &codedError{exitFailure}
}
