package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"segue/interaction"
)

func (a *app) commandsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "commands [NAME…]",
		Short: "List the commands of an interaction and the moments that each may fire",
		Long: `List the commands that an interaction accepts as signals and updates, and the moments that each may fire. "start"
is the workflow's input. The signal and update "commands" takes an array of commands (see segue signal). With --json,
print the JSON Schema of each payload by command name. No Temporal is needed.

Exit codes: 0 success; 2 a NAME is not a command.`,
		Example: `  segue commands
  segue commands transfer --json | jq .transfer`,
		RunE: func(_ *cobra.Command, names []string) error {
			if len(names) == 0 {
				names = append([]string{"start"}, interaction.Commands()...)
			}
			schemas := interaction.Schemas()
			for name := range schemas {
				if !slices.Contains(names, name) {
					delete(schemas, name)
				}
			}
			for _, name := range names {
				if _, ok := schemas[name]; !ok {
					return usage("%q is not a command of an interaction; `%s commands` lists them", name, a.self())
				}
			}
			return a.print(schemas, func(w io.Writer) error { return writeCommands(w, names) })
		},
	}
}

func writeCommands(w io.Writer, names []string) error {
	rows := [][]string{{"COMMAND", "MAY FIRE"}}
	for _, name := range names {
		rows = append(rows, []string{name, strings.Join(interaction.Moments(name), ", ")})
	}
	return table(w, rows)
}
