package main

import (
	"cmp"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"segue/config"
	"segue/contract"
	"segue/interaction"
)

// options returns the configuration options of the command line. A flag takes precedence over the environment, and
// the environment over the file.
func (a *app) options(more ...config.Option) []config.Option {
	var options []config.Option
	for key, flag := range map[string]*pflag.Flag{
		"temporal.address":    a.persistent.Lookup("address"),
		"temporal.namespace":  a.persistent.Lookup("namespace"),
		"temporal.task_queue": a.persistent.Lookup("task-queue"),
	} {
		options = append(options, config.WithFlag(key, flag))
	}
	return append(options, more...)
}

// configFile returns the file that --config or SEGUE_CONFIG names, or "" without either.
func (a *app) configFile() string { return cmp.Or(a.flags.config, os.Getenv("SEGUE_CONFIG")) }

// configuration loads the configuration from the file, the environment and the flags.
func (a *app) configuration() (*config.Set, error) {
	set, err := config.Load(a.configFile(), a.options()...)
	if err != nil {
		return nil, usage("%w", err)
	}
	return set, nil
}

// priorities returns the function that takes the priority of an interaction from the current configuration.
func priorities(current func() *config.Set) func(interaction.Start) contract.Priority {
	return func(start interaction.Start) contract.Priority {
		return current().Priority(start.ContactCenter, start.Channel, start.Queue)
	}
}

// isSet reports whether the command line sets a flag.
func isSet(c *cobra.Command, flag string) bool { return c.Flags().Changed(flag) }
