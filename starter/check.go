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
		Short: "Check a configuration and show the requests it would send",
		Long: `Check a configuration file and show a sample request for each call and moment. Without FILE, check the file of
--config, else the annotated example that ` + "`segue dev`" + ` uses. Each mistake is printed on one line with its place and
remedy. The command sends nothing, reads no secrets, and needs no Temporal.

With --fire CALL, send one real request of the call, as a worker would: with sample data of a moment (--when), the call's
authentication and timeout, the dial guard, and a new webhook-id that begins with msg_check_. The request is sent even if
the call has dry_run. The command prints the request and the response without secrets, and what a worker would do next.
Use --interaction to override sample data: give an object with the variables of expressions, such as
{"user_data": {"tier": "gold"}}, or the output of ` + "`segue show ID --json`" + `.

With --schema, print the JSON Schema of a configuration file. Editors use it for a file that begins with
  # yaml-language-server: $schema=schema.json

Exit codes: 0 the configuration is valid, and with --fire the request counts as delivered; 1 the configuration is invalid
or cannot be read, or with --fire the request does not count as delivered; 2 the command line is invalid.`,
		Example: `  segue check segue.yaml
  segue check --json | jq -r '.calls[].name'
  segue check segue.yaml --fire crm --when interaction_ends
  segue check segue.yaml --fire crm --interaction '{"user_data": {"tier": "gold"}}'
  segue check --schema > schema.json`,
		Args: between(0, 1, "one file"),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case f.call == "" && (f.when != "" || f.interaction != ""):
				return usage("--when and --interaction apply to --fire: add --fire CALL")
			case f.call != "" && schema:
				return usage("--fire and --schema cannot be combined: remove one")
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
		return usage("--schema takes no FILE: remove %s", args[0])
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

// checked loads the configuration to check.
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
