package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"segue/config"
)

func (a *app) checkCommand() *cobra.Command {
	var schema bool
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a configuration and show what it would send",
		Long: `Check a configuration file and show a sample request for each call and moment. Without FILE it is the one of
--config, else the annotated example that ` + "`segue dev`" + ` uses. Each mistake is one line with its place and remedy
(exit code 1). Nothing is sent, and no secret is read.

With --schema, print the JSON Schema of a configuration file: editors that know the line
  # yaml-language-server: $schema=schema.json
at its top complete and check it with that.`,
		Example: `  segue check segue.yaml
  segue check --json | jq -r '.calls[].name'
  segue check --schema > schema.json`,
		Args: between(0, 1, "one file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if schema {
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
			report := config.Check(set)
			return a.print(checkResult{OK: true, Report: &report, Errors: []config.Error{}}, report.Print)
		},
	}
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
	*config.Report
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
