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

// options are the command line's part of the configuration: a flag that was given
// wins over the file and the environment.
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

// configFile is the file that --config or SEGUE_CONFIG names; empty without either.
func (a *app) configFile() string { return cmp.Or(a.flags.config, os.Getenv("SEGUE_CONFIG")) }

// configuration says which Temporal a command talks to: flags, environment, file.
func (a *app) configuration() (*config.Set, error) {
	set, err := config.Load(a.configFile(), a.options()...)
	if err != nil {
		return nil, usage("%w", err)
	}
	return set, nil
}

// priorities are those of the configuration in force.
func priorities(current func() *config.Set) func(interaction.Start) contract.Priority {
	return func(start interaction.Start) contract.Priority {
		return current().Priority(start.ContactCenter, start.Channel, start.Queue)
	}
}

// given tells whether a flag stands on the command line.
func given(c *cobra.Command, flag string) bool { return c.Flags().Changed(flag) }
