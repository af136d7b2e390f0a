package main

import (
	"cmp"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"segue/config"
	"segue/connect"
	"segue/delivery"
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

// settings say which Temporal a command talks to: flags, environment, file.
func (a *app) settings() (connect.Settings, error) {
	set, err := config.Load(a.configFile(), a.options()...)
	if err != nil {
		return connect.Settings{}, usage("%w", err)
	}
	return settingsOf(set), nil
}

func settingsOf(set *config.Set) connect.Settings {
	t := set.Temporal
	return connect.Settings{
		Address: t.Address, Namespace: t.Namespace, TaskQueue: t.TaskQueue, APIKey: string(t.APIKey),
		TLS: connect.TLS{
			Enabled: t.TLS.Enabled, ServerName: t.TLS.ServerName,
			CA: pathOf(t.TLS.CA), Cert: pathOf(t.TLS.Certificate), Key: pathOf(t.TLS.Key),
		},
	}
}

// pathOf is the file that a reference names: certificates are read from files, so
// that a renewed one is used without a restart.
func pathOf(reference delivery.SecretRef) string {
	path, _ := strings.CutPrefix(string(reference), "file:")
	return path
}

// given tells whether a flag stands on the command line.
func given(c *cobra.Command, flag string) bool { return c.Flags().Changed(flag) }
