package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"segue/config"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a configuration and show what it would send",
		Long: `Check a configuration file and show a sample request for each call and moment. Without FILE it is the one of
--config, else the annotated example that ` + "`segue dev`" + ` uses. Each mistake is one line with its place and remedy
(exit code 1). Nothing is sent, and no secret is read.`,
		Example: `  segue check segue.yaml
  segue check --json | jq -r '.calls[].name'`,
		Args: between(0, 1, "one file"),
		RunE: func(_ *cobra.Command, args []string) error {
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
